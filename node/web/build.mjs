// Builds the page into ../sayso_node/web/site: `node build.mjs`. With --check it builds to memory and
// compares. Nothing in the output depends on the machine or the time.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const SITE = join(HERE, "../sayso_node/web/site");
const SHARED = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  entryNames: "[name].[hash]",
  chunkNames: "[name].[hash]",
  outdir: "out",
  logLevel: "warning",
};

const named = (files) => Object.fromEntries(files.map((one) => [basename(one.path), one.text]));

async function site() {
  const worker = named((await build({ ...SHARED, entryPoints: ["src/hashing.worker.ts"], format: "iife" })).outputFiles);
  const page = await build({
    ...SHARED,
    entryPoints: ["src/main.tsx", "src/style.css"],
    splitting: true,
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { WORKER: JSON.stringify(`/assets/${Object.keys(worker)[0]}`) },
  });
  // On its own, so that the first visit of the page loads nothing of it.
  const verifier = await build({ ...SHARED, entryPoints: ["src/verify.ts"], splitting: true });
  const files = { ...worker, ...named(page.outputFiles), ...named(verifier.outputFiles), "icon.svg": readFileSync(join(HERE, "src/icon.svg"), "utf8") };
  const find = (start, end) => Object.keys(files).find((name) => name.startsWith(start) && name.endsWith(end));
  const icon = `icon.${createHash("sha256").update(files["icon.svg"]).digest("hex").slice(0, 8)}.svg`;
  files[icon] = files["icon.svg"];
  delete files["icon.svg"];
  for (const name of ["index.html", "verify.html"]) {
    files[name] = readFileSync(join(HERE, "src", name), "utf8")
      .replace("{script}", `/assets/${find("main.", ".js")}`)
      .replace("{verify}", `/assets/${find("verify.", ".js")}`)
      .replace("{style}", `/assets/${find("style.", ".css")}`)
      .replace("{icon}", `/assets/${icon}`);
  }
  files["LICENSES.txt"] = licenses();
  return files;
}

/** What is in the bundle of others keeps its license. */
function licenses() {
  const names = Object.keys(JSON.parse(readFileSync(join(HERE, "package.json"), "utf8")).dependencies);
  const one = (name) => {
    const folder = join(HERE, "node_modules", name);
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${name} ${version}\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`;
  };
  return names.map(one).join("\n----\n\n");
}

const files = await site();
const kept = () => Object.fromEntries(readdirSync(SITE).map((name) => [name, readFileSync(join(SITE, name), "utf8")]));
if (process.argv.includes("--check")) {
  const old = kept();
  const names = [...new Set([...Object.keys(old), ...Object.keys(files)])];
  const other = names.filter((name) => old[name] !== files[name]);
  if (other.length > 0) {
    console.error(`not what the sources give: ${other.join(", ")}; run \`make page\``);
    process.exit(1);
  }
} else {
  rmSync(SITE, { recursive: true, force: true });
  mkdirSync(SITE, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(SITE, name), text);
}
