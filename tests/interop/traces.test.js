// Published traces: who holds a license, what is due, and what is disputed (section 15).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { unhex } from "./bytes.js";
import { readEnvelope } from "./messages.js";
import { Told, disputesOf, holdersOf } from "./traces.js";

const NETWORK = { chainId: 31337n, registry: "0x574650cd99d3830fe6d274c7a7843cdc00e17938" };
const { envelopes, traces } = JSON.parse(readFileSync(new URL("../vectors/traces.json", import.meta.url)));
const read = envelopes.map((text) => readEnvelope(unhex(text), NETWORK));

for (const { name, kept, events, holders, disputes, license, ...chain } of traces) {
  test(`trace: ${name}`, () => {
    const bits = events.map(({ block, contributor, word, bits }) => ({
      block,
      contributor: contributor.toLowerCase(),
      word: BigInt(word),
      bits: BigInt(bits),
    }));
    const expected = holders.map((one) => ({ ...one, address: one.address.toLowerCase() }));
    for (const order of [kept, kept.toReversed()]) {
      const told = new Told(order.map((at) => read[at]), { ...chain, events: bits });
      assert.deepEqual(holdersOf(told, license), expected);
      assert.deepEqual(disputesOf(told, license), disputes);
    }
  });
}
