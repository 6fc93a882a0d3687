// Proofs of what stands on chain: right ones, and others with their codes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { checkChainProof } from "./chain_proofs.js";
import { checkReceiptProof } from "./landings.js";

const NETWORK = { chainId: 31337n, registry: "0x574650cd99d3830fe6d274c7a7843cdc00e17938" };
const load = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url)));
const published = load("landings");

function proofOf({ landings, changes }) {
  const proof = structuredClone(published.proof);
  proof.landings = landings.map((name) => structuredClone(published.landings[name]));
  changes.forEach((change) => apply(proof, change));
  return proof;
}

function apply(proof, [path, value]) {
  const inside = path.slice(0, -1).reduce((one, name) => one[name], proof);
  inside[path.at(-1)] = value;
}

for (const { name, code, found, ...made } of published.proofs) {
  test(`receipt proof: ${name}`, async () => {
    const checked = () => checkReceiptProof(proofOf(made), NETWORK, published.blocks);
    if (code === null) return assert.deepEqual(await checked(), found);
    return assert.rejects(checked, (error) => error.code === code);
  });
}

const { documents, proofs } = load("chain_proofs");

for (const { name, document, change, code, found } of proofs) {
  test(`chain proof: ${name}`, () => {
    const { block_hash, document: right } = documents[document];
    const proof = structuredClone(right);
    if (change) apply(proof, change);
    const checked = () => checkChainProof(proof, NETWORK, block_hash);
    if (code === null) return assert.deepEqual(checked(), found);
    return assert.throws(checked, (error) => error.code === code || assert.fail(String(error.stack)));
  });
}
