// The vectors of section 13.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { big, hex, unhex } from "./bytes.js";
import { digestOf, readEnvelope } from "./messages.js";
import { aboutKey, hashOf, judgeOffline, keyOf, nameOf, readSnapshot } from "./snapshots.js";
import { readNetworkFile } from "./trust.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/snapshots.json", import.meta.url)));
const trusted = readNetworkFile(vectors.trusted);

for (const { name, kind, about, word, bit, key, hash } of vectors.keys) {
  test(`key: ${name}`, () => {
    const made = keyOf(kind, about, word === null ? null : BigInt(word), bit);
    assert.equal(hex(made), key);
    assert.equal(hex(big(hashOf(made, unhex(vectors.salt)), 8)), hash);
  });
}

for (const { name, kind, about, hash } of vectors.names) {
  test(`name: ${name}`, () => {
    assert.equal(hex(big(nameOf(aboutKey(kind, about), unhex(vectors.salt)), 12)), hash);
  });
}

const isNamed = (snapshot, about) => snapshot.names(aboutKey(about.length === 42 ? 16 : 17, about));
const read = new Map();
for (const { name, file, code, ids, as_of, known, unknown, named, unnamed } of vectors.files) {
  test(`snapshot: ${name}`, () => {
    const open = () => readSnapshot(unhex(file), trusted);
    if (code !== null) {
      assert.throws(open, (error) => error.code === code || assert.fail(String(error.stack)));
      return;
    }
    const snapshot = open();
    read.set(name, snapshot);
    assert.deepEqual(snapshot.ids, ids);
    assert.equal(snapshot.asOf, BigInt(as_of));
    for (const key of known) assert.ok(snapshot.knows(unhex(key)));
    for (const key of unknown) assert.ok(!snapshot.knows(unhex(key)));
    for (const about of named) assert.ok(isNamed(snapshot, about));
    for (const about of unnamed) assert.ok(!isNamed(snapshot, about));
  });
}

const held = Object.entries(vectors.envelopes).map(([name, text]) => {
  const envelope = readEnvelope(unhex(text), trusted.network);
  return { name, license: digestOf(envelope), consent: envelope.message, items: envelope.items.map(hex) };
});

vectors.rows.forEach(({ files, now, max_age_s, grantee, purpose, reasons }, at) => {
  test(`gate ${at}: ${files.join(", ")}`, () => {
    const opened = files.map((name) => read.get(name));
    const query = { grantee: grantee.toLowerCase(), purpose, now: BigInt(now), maxAge: BigInt(max_age_s) };
    for (const { name, license } of held) {
      const answers = vectors.items.map((item) => judgeOffline(held, opened, license, item, query));
      assert.deepEqual(answers, reasons[name]);
    }
  });
});

const passedOn = (one) => ({ ...one.message, digest: digestOf(one), names: one.items.map(hex) });

for (const { name, files, consents, sublicenses, heed, grantee, purpose, now, rows } of vectors.passed) {
  test(`passed on: ${name}`, () => {
    const opened = files.map((file) => readSnapshot(unhex(file), trusted));
    const bundle = consents.map((text) => {
      const envelope = readEnvelope(unhex(text), trusted.network);
      return { license: digestOf(envelope), consent: envelope.message, items: envelope.items.map(hex) };
    });
    const passed = sublicenses.map((text) => passedOn(readEnvelope(unhex(text), trusted.network)));
    const query = { grantee: grantee.toLowerCase(), purpose, now: BigInt(now), maxAge: 86_400n };
    const heeded = heed.map((one) => one.toLowerCase());
    for (const { license, item, reason } of rows) {
      assert.equal(judgeOffline(bundle, opened, license, item, query, passed, heeded), reason);
    }
  });
}
