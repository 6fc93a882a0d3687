// The page's own protocol code against the published vectors: `node test/vectors.mjs FOLDER`. Prints how many.

import { build } from "esbuild";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const out = join(mkdtempSync(join(tmpdir(), "page-")), "protocol.mjs");
const names = ["bytes", "calls", "ed25519", "envelope", "messages", "promise", "trees", "wallets", "words"];
await build({
  stdin: {
    contents: [...names.map((name) => `protocol/${name}`), "warnings", "company", "calendar", "net/shelf"].map((name) => `export * from "./src/${name}.ts";`).join("\n"),
    resolveDir: join(HERE, ".."),
  },
  bundle: true,
  format: "esm",
  platform: "node",
  outfile: out,
});
const page = await import(pathToFileURL(out));
const read = (name) => JSON.parse(readFileSync(join(process.argv[2], `${name}.json`), "utf8"));
let passed = 0;
const pass = () => passed++;

for (const one of read("messages")) {
  const { message, domain, primaryType } = one.typed_data;
  const network = { chain_id: domain.chainId, registry: domain.verifyingContract };
  let built;
  let envelope;
  if (primaryType === "Consent") {
    built = page.consentOf({ ...message }, one.items);
    envelope = page.consentEnvelope(built, one.items, one.signature, network);
    assert.equal(page.agreementOf(built), one.agreement, one.name);
    assert.equal(String(page.baseWord(built)), String(BigInt(one.base)), one.name);
  } else {
    const masks = message.words.map((word, at) => [BigInt(word), BigInt(message.masks[at])]);
    built = page.revocationOf(message.contributor, message.scopes, masks);
    envelope = page.revocationEnvelope(built, one.signature, network);
  }
  const data = page.typedData(built, network);
  assert.deepEqual(data, one.typed_data, one.name);
  assert.equal(page.digestOf(data), one.digest, one.name);
  const ours = page.hex(envelope).slice(0, -2); // without the sponsor, which a node adds
  assert.equal(one.envelope.slice(0, ours.length), ours, one.name);
  pass();
}
for (const one of read("scopes")) {
  assert.equal(page.scopeWord(one.scope), BigInt(one.word), one.scope);
  pass();
}
for (const [count, root] of Object.entries(read("trees").items.roots)) {
  const items = Array.from({ length: Number(count) }, (_, at) => page.hex(page.sha(page.utf8(`item 0 ${at}`))));
  assert.equal(page.contentRoot(items), root);
  pass();
}
const promise = read("statements").acknowledgement;
const holds = (changed) => {
  const one = { ...promise, ...changed };
  return page.isPromise(one, promise.digest, promise.network, promise.node_key);
};
assert.equal(await holds({}), true);
assert.equal(await holds({ time: promise.time + 1 }), false);
assert.equal(await holds({ digest: "0x" + "00".repeat(32) }), false);
pass();
for (const one of read("wallets").filter((one) => one.signature_of_wallet?.length === 132 && /^0x0+$/.test(one.factory))) {
  assert.equal(page.walletSignature(one.signature_of_wallet), one.signature, one.name);
  pass();
}
for (const code of ["0x", "0xef0100" + "11".repeat(20)]) assert.equal(page.isWalletCode(code), false);
assert.equal(page.isWalletCode("0x6080"), true);
// Ed25519 as libsodium verifies it (rule 4.5.2).
for (const one of read("ed25519")) {
  const message = page.join(page.utf8(`${one.context}\0`), page.unhex(one.content));
  assert.equal(page.isSignedBy(page.unhex(`0x${one.key}`), page.unhex(one.signature), message), one.code === null, one.name);
  pass();
}
// Salted item hashes (rule 1.5.1).
for (const one of read("salts")) {
  const plain = page.hex(page.sha(page.unhex(one.bytes)));
  assert.equal(plain, one.plain);
  assert.equal(page.saltedItem(one.salt, plain), one.item, one.salt);
  pass();
}
// Names in one script, and names that are not (UTS 39).
for (const name of ["Kled", "O’Reilly & Söhne", "Голоса", "株式会社サンプル", "한국 소리", "आवाज़ संघ", "صوت"]) {
  assert.equal(page.isShown(name), true, name);
  pass();
}
for (const name of ["Kl\u0435d", "Kled 株", "Kled, listed by South", "Kled\u202e", "<b>Kled</b>", "24/7", "", "x".repeat(65)]) {
  assert.equal(page.isShown(name), false, name);
  pass();
}
// Lines of a calendar are short, whatever they say, and its texts hide nothing.
const dates = page.calendarOf([{ id: "0x1", at: 1_800_000_000, what: "Ends; at, last \\ — " + "ध".repeat(60) + "\nEND:VEVENT" }], 1_790_000_000);
assert.ok(dates.split("\r\n").every((line) => Buffer.byteLength(line) <= 75));
assert.equal(dates.match(/^END:VEVENT/gm).length, 1);
assert.match(dates.replaceAll("\r\n ", ""), /SUMMARY:Ends\\; at\\, last \\\\ — ध{60}\\nEND:VEVENT\r\n/);
assert.match(dates, /DTSTART;VALUE=DATE:20270115\r\nDTEND;VALUE=DATE:20270116\r\n/);
pass();
// Names that imitate others, and names that do not.
for (const [via, real] of [["k1ed.ai", "kled.ai"], ["kleds.ai", "kled.ai"], ["kled.io", "kled.ai"], ["silencl0.network", "silencio.network"]]) {
  assert.equal(page.imitated(via, page.KNOWN), real, via);
  pass();
}
for (const via of ["", "kled.ai", "market.example", "neon.audio"]) {
  assert.equal(page.imitated(via, page.KNOWN), null, via);
  pass();
}
console.log(passed);
