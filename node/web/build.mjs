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
    metafile: true,
    define: { WORKER: JSON.stringify(`/assets/${Object.keys(worker)[0]}`) },
  });
  // On its own, so that the first visit of the page loads nothing of it.
  const verifier = await build({ ...SHARED, entryPoints: ["src/verify.ts"], splitting: true });
  const files = { ...worker, ...named(page.outputFiles), ...named(verifier.outputFiles), "icon.svg": readFileSync(join(HERE, "src/icon.svg"), "utf8") };
  const hashed = (name, ending, text) => {
    const made = `${name}.${createHash("sha256").update(text).digest("hex").slice(0, 8)}.${ending}`;
    files[made] = text;
    return made;
  };
  const find = (start, end) => Object.keys(files).find((name) => name.startsWith(start) && name.endsWith(end));
  const icon = hashed("icon", "svg", files["icon.svg"]);
  delete files["icon.svg"];
  const [, ...others] = firstOf(page.metafile);
  const manifest = hashed("app", "webmanifest", JSON.stringify({ ...APP, icons: [{ src: `/assets/${icon}`, sizes: "any", type: "image/svg+xml" }] }));
  for (const name of ["index.html", "verify.html"]) {
    files[name] = readFileSync(join(HERE, "src", name), "utf8")
      .replace("{script}", `/assets/${find("main.", ".js")}`)
      .replace("{verify}", `/assets/${find("verify.", ".js")}`)
      .replace("{style}", `/assets/${find("style.", ".css")}`)
      .replace("{icon}", `/assets/${icon}`)
      .replace("{others}", others.map((one) => `<link rel="modulepreload" href="/assets/${one}">`).join("\n"))
      .replace("{manifest}", `/assets/${manifest}`);
  }
  files["sw.js"] = await serviceWorker([...firstOf(page.metafile), find("style.", ".css"), icon, manifest, Object.keys(worker)[0]], files["index.html"]);
  files["LICENSES.txt"] = licenses();
  return files;
}

const APP = { name: "Sayso", short_name: "Sayso", id: "/", start_url: "/", scope: "/", display: "standalone", background_color: "#fbfaf7", theme_color: "#1d5c4f" };

/** The scripts that the page needs before it is drawn: its own, and what that imports at once. */
function firstOf({ outputs }) {
  const found = new Set();
  const walk = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const one of outputs[path].imports) if (one.kind === "import-statement") walk(one.path);
  };
  walk(Object.keys(outputs).find((path) => outputs[path].entryPoint === "src/main.tsx"));
  return [...found].map((path) => basename(path));
}

/** It names what it keeps, so a browser takes a new one whenever a file of the page is another. */
async function serviceWorker(names, page) {
  const assets = names.map((name) => `/assets/${name}`).sort();
  const name = `sayso-${createHash("sha256").update(page + assets.join()).digest("hex").slice(0, 12)}`;
  const define = { ASSETS: JSON.stringify(assets), NAME: JSON.stringify(name) };
  const built = await build({ ...SHARED, entryPoints: ["src/sw.ts"], format: "iife", entryNames: "[name]", define });
  return built.outputFiles[0].text;
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
