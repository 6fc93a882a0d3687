// The published histories in which licenses are passed on, or disputed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { unhex } from "./bytes.js";
import { readEnvelope } from "./messages.js";
import { Known, verdict } from "./verdict.js";

const NETWORK = { chainId: 31337n, registry: "0x574650cd99d3830fe6d274c7a7843cdc00e17938" };
const load = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url))).histories;

const knownFrom = (texts) => new Known(texts.map((text) => readEnvelope(unhex(text), NETWORK)));

for (const { name, heard, answers } of [...load("chains"), ...load("disputes")]) {
  test(`history: ${name}`, () => {
    for (const order of [heard, heard.toReversed()]) {
      const known = knownFrom([...order, ...order]);
      for (const { license, item, grantee, purpose, now, heed, reason } of answers) {
        const query = { grantee: grantee.toLowerCase(), purpose, now: BigInt(now), heed: heed?.map((one) => one.toLowerCase()) };
        assert.equal(verdict(known, license, item, query), reason, `${grantee} ${purpose} ${now} ${heed}`);
      }
    }
  });
}
