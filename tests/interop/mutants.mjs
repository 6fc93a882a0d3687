// Runs the vectors against changed copies of this implementation, in one process that knows viem already.
//
//   node mutants.mjs MUTATIONS   (JSON: [{file, old, new}, ...])
//
// A module is loaded anew for each mutation, by a number in its address. One line of JSON for each mutation: the
// first failure, or null.

import { readFileSync } from "node:fs";
import { register } from "node:module";

const FILES = ["vectors", "evidence", "chains", "snapshots", "landings", "traces"].map((name) => `${name}.test.js`);
const HOOKS = `
let mutations;
export function initialize(data) { mutations = data; }
const numberOf = (url) => url && new URL(url).searchParams.get("mutation");
export async function resolve(specifier, context, next) {
  const number = numberOf(context.parentURL);
  if (number === null || number === undefined) return next(specifier, context);
  if (specifier === "node:test") return { url: "data:text/javascript,export const test = (...one) => globalThis.collected.push(one)", shortCircuit: true };
  const found = await next(specifier, context);
  return specifier.startsWith(".") ? { ...found, url: found.url + "?mutation=" + number } : found;
}
export async function load(url, context, next) {
  const number = numberOf(url);
  const found = await next(url, context);
  if (!number) return found;
  const { file, old, new: changed } = mutations[number];
  if (!new URL(url).pathname.endsWith("/interop/" + file)) return found;
  return { ...found, source: String(found.source).replace(old, () => changed) };
}
`;

const mutations = JSON.parse(readFileSync(process.argv[2]));
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: mutations });

/** The tests that have the name of the changed file, then those that import it, then all others. */
function ordered({ file }) {
  const rank = (one) => {
    if (one === file.replace(".js", ".test.js")) return 0;
    return readFileSync(new URL(one, import.meta.url), "utf8").includes(`"./${file}"`) ? 1 : 2;
  };
  return FILES.toSorted((one, other) => rank(one) - rank(other));
}

async function firstFailure(mutation, number) {
  for (const file of ordered(mutation)) {
    globalThis.collected = [];
    try {
      await import(`./${file}?mutation=${number}`);
      for (const [, run] of globalThis.collected) await run();
    } catch (error) {
      return `${file}: ${error.stack}`;
    }
  }
  return null;
}

for (const [number, mutation] of mutations.entries()) {
  process.stdout.write(`${JSON.stringify(await firstFailure(mutation, number))}\n`);
}
process.exit();
