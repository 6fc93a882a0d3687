// Every published vector, against a second implementation that was written from docs/protocol.md.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { privateKeyToAccount } from "viem/accounts";

import { ascii, big, hex, sha256, unhex } from "./bytes.js";
import { checkSignatures, digestOf, readEnvelope, signerOf, typedData } from "./messages.js";
import { pack } from "./packing.js";
import { Holdings } from "./peer/answers.js";
import { readQuestion } from "./peer/questions.js";
import { agreementOf, baseWord, checkScope, scopeWord } from "./scopes.js";
import { checkNodeSignature, checkStatement, stateDigest } from "./statements.js";
import { batchRoot, binaryRoot, checkPath, checkRow, resultsRoot, wideRoot } from "./trees.js";
import { Known, REASONS, verdict } from "./verdict.js";
import { readWalletProof } from "./wallets.js";

const load = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url)));
const NETWORK = { chainId: 31337n, registry: "0x574650cd99d3830fe6d274c7a7843cdc00e17938" };
const read = (text) => readEnvelope(unhex(text), NETWORK);
const rowOf = (license, item) => Buffer.concat([license, item]);
const refusal = (code) => (error) => {
  assert.equal(error.code, code, String(error.stack));
  return true;
};

for (const { name, envelope, code } of [...load("refused"), ...load("holders").refused]) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(async () => checkSignatures(read(envelope)), refusal(code));
  });
}

for (const vector of [...load("messages"), ...load("holders").messages]) {
  test(`message: ${vector.name}`, async () => {
    const envelope = read(vector.envelope);
    assert.deepEqual(typedData(envelope), vector.typed_data);
    assert.equal(digestOf(envelope), vector.digest);
    await checkSignatures(envelope);
    const account = privateKeyToAccount(vector.private_key);
    assert.equal(account.address.toLowerCase(), signerOf(envelope.message));
    assert.equal(await account.signTypedData(vector.typed_data), vector.signature);
    assert.deepEqual(envelope.items.map(hex), vector.items);
    if (vector.base) {
      assert.equal(agreementOf(envelope.message), vector.agreement);
      assert.equal(hex(big(baseWord(envelope.message))), vector.base);
    }
  });
}

for (const { name, signature, ...asked } of load("wallets")) {
  test(`contract wallet: ${name}`, () => assert.deepEqual(readWalletProof(unhex(signature)), asked));
}

for (const { name, key, context, content, signature, code } of load("ed25519")) {
  test(`node's signature: ${name}`, () => {
    const asked = [Buffer.from(key, "hex"), ascii(`${context}\0`), unhex(content), unhex(signature)];
    if (code) assert.throws(() => checkNodeSignature(...asked), refusal(code));
    else checkNodeSignature(...asked);
  });
}

for (const { bytes, salt, plain, item } of load("salts")) {
  test(`salted: ${item}`, () => {
    assert.equal(hex(sha256(unhex(bytes))), plain);
    assert.equal(hex(sha256(unhex(salt), unhex(plain))), item);
  });
}

for (const { scope, word } of load("scopes")) {
  test(`scope: ${scope}`, () => {
    checkScope(scope);
    assert.equal(hex(big(scopeWord(scope))), word);
  });
}

for (const [count, root] of Object.entries(load("trees").items.roots)) {
  test(`item tree of ${count}`, () => {
    const items = Array.from({ length: Number(count) }, (_, at) => sha256(ascii(`item 0 ${at}`)));
    assert.equal(hex(wideRoot(items)), root);
  });
}

for (const { count, root, paths } of load("trees").rfc9162.trees) {
  test(`binary tree of ${count}`, () => {
    const leaves = Array.from({ length: count }, (_, at) => ascii(`leaf ${at}`));
    assert.equal(hex(binaryRoot(leaves)), root);
    paths.forEach((path, at) => {
      const steps = path.map(unhex);
      checkPath(leaves[at], at, count, steps, unhex(root));
      const wrong = () => checkPath(ascii("leaf"), at, count, steps, unhex(root));
      assert.throws(wrong, refusal("bad-proof"));
      const longer = () => checkPath(leaves[at], at, count, [...steps, sha256()], unhex(root));
      assert.throws(longer, refusal("bad-proof"));
    });
  });
}

for (const { count, manifest_root, results_root, path_of_last } of load("trees").rows.trees) {
  test(`trees over ${count} rows`, () => {
    const numbers = Array.from({ length: count }, (_, at) => at);
    const rows = numbers.map((at) => rowOf(sha256(ascii(`license ${at}`)), sha256(ascii(`item ${at}`))));
    const results = rows.map((row, at) => Buffer.concat([row, Buffer.from([1 + (at % REASONS.length)])]));
    assert.equal(hex(wideRoot(rows)), manifest_root);
    assert.equal(hex(resultsRoot(results)), results_root);
    const [path, root, last] = [path_of_last.map(unhex), unhex(results_root), count - 1];
    checkRow(rows[last], 1 + (last % REASONS.length), last, count, path, root);
    const wrong = () => checkRow(rows[last], 2 + (last % REASONS.length), last, count, path, root);
    assert.throws(wrong, refusal("bad-proof"));
  });
}

const statements = load("statements");

test("what a receipt binds", () => {
  const { receipt, receipt_rows, state_entries } = statements;
  const rows = receipt_rows.map((one) => rowOf(unhex(one.license), unhex(one.item)));
  const numbers = receipt_rows.map((one) => REASONS.indexOf(one.reason) + 1);
  const results = rows.map((row, at) => Buffer.concat([row, Buffer.from([numbers[at]])]));
  assert.equal(hex(wideRoot(rows)), receipt.manifest_root);
  assert.equal(hex(resultsRoot(results)), receipt.results_root);
  const entries = state_entries.map((one) => [unhex(one.address), BigInt(one.word), BigInt(one.mask)]);
  assert.equal(hex(stateDigest(entries)), receipt.state);
  assert.equal(hex(stateDigest(entries.toReversed())), receipt.state);
});

for (const kind of ["receipt", "acknowledgement", "status"]) {
  test(`statement: ${kind}`, () => {
    assert.equal(hex(checkStatement(kind, statements[kind])), statements[`${kind}_content`]);
    const later = { ...statements[kind], time: statements[kind].time + 1 };
    assert.throws(() => checkStatement(kind, later), refusal("bad-signature"));
  });
}

test("batch", () => {
  const { licenses, tree, root, paths } = statements.batch;
  const leaves = licenses.map(unhex);
  assert.equal(hex(binaryRoot(leaves)), tree);
  const key = Buffer.from(statements.receipt.node_key, "hex");
  assert.equal(hex(batchRoot(key, leaves.length, unhex(tree))), root);
  paths.forEach((path, at) => checkPath(leaves[at], at, leaves.length, path.map(unhex), unhex(tree)));
});

const { envelopes, histories } = load("verdicts");
const heard = Object.fromEntries(Object.entries(envelopes).map(([name, text]) => [name, read(text)]));

test("envelopes of the histories are read, signed and written the same", async () => {
  for (const [name, text] of Object.entries(envelopes)) {
    await checkSignatures(heard[name]);
    const { kind, message } = heard[name];
    assert.ok(unhex(text).includes(pack(message.notice)), `${kind} ${name}`);
  }
});

histories.forEach((history, at) => {
  test(`history ${at}: ${history.heard.join(", ") || "nothing"}`, () => {
    for (const order of [history.heard, history.heard.toReversed()]) {
      const known = new Known([...order, ...order].map((name) => heard[name]));
      for (const { license, item, grantee, purpose, now, reason } of history.answers) {
        const query = { grantee: grantee.toLowerCase(), purpose, now: BigInt(now) };
        assert.equal(verdict(known, digestOf(heard[license]), item, query), reason);
      }
    }
  });
});

const { requests, holdings, exchanges, heeded } = load("sync");

for (const { name, request, code } of requests) {
  test(`request of sync: ${name}`, () => {
    if (code) assert.throws(() => readQuestion(unhex(request)), refusal(code));
    else readQuestion(unhex(request));
  });
}

const holders = new Map(
  Object.entries({ messages: load("messages").map(({ envelope }) => envelope), ...holdings }).map(([name, texts]) => {
    const held = new Holdings(NETWORK, heeded.map(unhex));
    texts.forEach((text) => held.add(unhex(text)));
    return [name, held];
  }),
);

for (const { name, held, question, answer } of exchanges) {
  test(`sync: ${name}`, async () => {
    const all = [...holders.get(held).messages.values()];
    const take = (bytes) => Number(!all.some((one) => one.bytes.equals(bytes)));
    assert.equal(hex(await holders.get(held).answer(unhex(question), take)), answer);
  });
}
