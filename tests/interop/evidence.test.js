// What peers send, what people type, and what nodes sign: right ones, and others with their codes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { readBundle } from "./bundles.js";
import { unhex } from "./bytes.js";
import { checkAnchor, checkMisconduct, checkResults, checkRowFile } from "./evidence.js";
import { digestOf } from "./messages.js";
import { checkPurpose, checkScope } from "./scopes.js";
import { checkTrusted, readAddress, readHash, readNetworkFile } from "./trust.js";

const load = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url)));

/** That `read` passes, or refuses with the code of the vector. */
async function agrees(code, read) {
  let got = null;
  try {
    await read();
  } catch (error) {
    if (error.code === undefined) throw error;
    got = error.code;
  }
  assert.equal(got, code ?? null);
}

const { now, frames } = load("bundles");
const trusted = readNetworkFile(load("evidence").trusted);

for (const { name, topic, frame, digests, code } of frames) {
  test(`bundle: ${name}`, () =>
    agrees(code, async () => {
      const envelopes = await readBundle(unhex(frame), topic, trusted.network, BigInt(now));
      assert.deepEqual(envelopes.map(digestOf), digests);
    }));
}

const READERS = {
  address: readAddress,
  hash: readHash,
  purpose: checkPurpose,
  scope: checkScope,
  "network file": readNetworkFile,
};

for (const { kind, text, code } of load("texts")) {
  test(`${kind}: ${JSON.stringify(text)}`, () => agrees(code, () => READERS[kind](text)));
}

const { statements, results, row_proofs, anchors, misconduct } = load("evidence");
const { receipt } = load("statements");

for (const { name, kind, value, code } of statements) {
  test(`statement: ${name}`, () => agrees(code, () => checkTrusted(kind, value, trusted)));
}

for (const { name, rows, counts, code } of results) {
  test(`results: ${name}`, () => agrees(code, () => checkResults({ ...receipt, counts }, rows)));
}

for (const { name, value, count, root, code } of row_proofs) {
  test(`proof of a row: ${name}`, () => agrees(code, () => checkRowFile(value, count, unhex(root))));
}

for (const { name, code, ...anchor } of anchors) {
  test(`anchor: ${name}`, () => agrees(code, () => checkAnchor(anchor)));
}

for (const { name, code, ...evidence } of misconduct) {
  test(`misconduct: ${name}`, () => agrees(code, () => checkMisconduct(evidence, trusted)));
}
