// Proofs of receipts: right ones, and others with their codes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { checkReceiptProof } from "./landings.js";

const NETWORK = { chainId: 31337n, registry: "0x574650cd99d3830fe6d274c7a7843cdc00e17938" };
const published = JSON.parse(readFileSync(new URL("../vectors/landings.json", import.meta.url)));

function proofOf({ landings, changes }) {
  const proof = structuredClone(published.proof);
  proof.landings = landings.map((name) => structuredClone(published.landings[name]));
  for (const [path, value] of changes) {
    const inside = path.slice(0, -1).reduce((one, name) => one[name], proof);
    inside[path.at(-1)] = value;
  }
  return proof;
}

for (const { name, code, found, ...made } of published.proofs) {
  test(`receipt proof: ${name}`, async () => {
    const checked = () => checkReceiptProof(proofOf(made), NETWORK, published.blocks);
    if (code === null) return assert.deepEqual(await checked(), found);
    return assert.rejects(checked, (error) => error.code === code);
  });
}
