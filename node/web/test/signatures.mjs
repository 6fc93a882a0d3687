// Signatures in the form of rule 4.4, by the page's own code: `node test/signatures.mjs < cases`, where a case is
// [what the wallet gave, whether the account is a contract]. Prints a list of texts.

import { build } from "esbuild";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const outfile = join(mkdtempSync(join(tmpdir(), "page-")), "wallets.mjs");
await build({ entryPoints: [join(HERE, "../src/protocol/wallets.ts")], bundle: true, format: "esm", outfile });
const { inForm } = await import(pathToFileURL(outfile));
const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(([given, isContract]) => inForm(given, isContract))));
