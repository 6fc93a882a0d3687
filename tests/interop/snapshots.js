// Snapshots, and the verdict from them: section 13.

import { ascii, big, hex, require, sha256, unhex } from "./bytes.js";
import { unpack } from "./packing.js";
import { baseWord, scopeWord, scopesOver } from "./scopes.js";
import { checkNodeSignature } from "./statements.js";
import { onItsTerms } from "./verdict.js";

const MAGIC = "sayso-snapshot-1";
const MASK = (1n << 64n) - 1n;
const NOBODY = "0x" + "00".repeat(20);

/** Rule 13.3: the key of a kind about an address, and perhaps a word and a bit. */
export function keyOf(kind, address, word = null, bit = null) {
  const parts = [Buffer.from([kind]), unhex(address)];
  if (word !== null) parts.push(big(word, 31));
  if (bit !== null) parts.push(Buffer.from([bit]));
  return sha256(...parts);
}

/** Rule 13.4. */
export function hashOf(key, salt) {
  const at = (bytes, start) => bytes.readBigUInt64LE(start);
  const product = (((at(key, 0) + at(salt, 0)) & MASK) * ((at(key, 8) + at(salt, 8)) & MASK)) & MASK;
  return product ^ (product >> 32n);
}

/** Rules 13.1 and 13.5: a checked file, whose last part speaks for it. */
export function readSnapshot(bytes, trusted) {
  require(bytes.length > 0, "malformed", "an empty file");
  const parts = [];
  for (let at = 0; at < bytes.length; at = parts.at(-1).end) parts.push(readPart(bytes, at));
  require(parts[0].form.length === 2, "missing-delta", "no snapshot");
  parts.forEach((part, index) => {
    checkSigned(part, trusted);
    if (index > 0) checkFollows(parts[index - 1], part);
  });
  const sets = parts.map((part) => (part.form.length === 2 ? filterOf(part) : listOf(part)));
  const { asOf, expires } = parts.at(-1);
  const knows = (key) => sets.some((one) => one(key));
  return { ids: parts.map(({ id }) => hex(id)), asOf, expires, knows };
}

function readPart(bytes, at) {
  const length = bytes.length >= at + 20 ? bytes.readUInt32BE(at + 16) : 1025;
  require(bytes.subarray(at, at + 16).equals(ascii(MAGIC)) && length <= 1024, "malformed", "no snapshot");
  const content = bytes.subarray(at + 20, at + 20 + length);
  const part = { ...readHead(content), content, id: sha256(content) };
  const start = at + 20 + length + 64;
  part.end = start + Number(part.bodyBytes);
  part.signature = bytes.subarray(start - 64, start);
  part.body = bytes.subarray(start, part.end);
  const whole = part.end <= bytes.length && sha256(part.body).equals(part.bodyHash);
  require(whole, "snapshot-tampered", "another body");
  return part;
}

const isBytes = (size) => (one) => Buffer.isBuffer(one) && one.length === size;
const isNumber = (one) => typeof one === "bigint";
const isArray = (...tests) => (one) =>
  Array.isArray(one) && one.length === tests.length && tests.every((test, at) => test(one[at]));
const HASH = isBytes(32);
const isShape = isArray(isNumber, isNumber);
const isLink = isArray(HASH, isNumber, HASH);
const isHead = isArray(
  isArray(isNumber, isBytes(20)),
  HASH,
  HASH,
  isArray(isNumber, HASH),
  isNumber,
  isNumber,
  isNumber,
  isArray(isNumber, isNumber, isNumber),
  isBytes(16),
  isNumber,
  HASH,
  (form) => isShape(form) || isLink(form),
);

/** Rule 13.2. */
function readHead(content) {
  const head = unpack(content);
  require(isHead(head), "malformed", "no head");
  const [network, nodeKey, , , , asOf, expires, counts, salt, bodyBytes, bodyHash, form] = head;
  const valid = isShape(form) ? canBe(...form) : form[1] >= 1n;
  require(valid, "malformed", "a form that cannot be");
  return { network, nodeKey, asOf, expires, keys: counts[0], salt, bodyBytes, bodyHash, form };
}

const canBe = (segment, starts) =>
  segment > 0n && (segment & (segment - 1n)) === 0n && starts * segment < 1n << 32n;

function checkSigned({ network, nodeKey, content, signature }, trusted) {
  const here = network[0] === trusted.network.chainId && hex(network[1]) === trusted.network.registry;
  require(here, "wrong-network", "another network");
  require(trusted.keys.includes(nodeKey.toString("hex")), "unknown-signer", "another key");
  checkNodeSignature(nodeKey, ascii("sayso snapshot 1\0"), content, signature);
}

/** Rules 13.5 and 13.8. */
function checkFollows(before, part) {
  require(part.nodeKey.equals(before.nodeKey), "unknown-signer", "of another node");
  const [first, count] = before.form.length === 2 ? [before.id, 0n] : before.form;
  const [snapshot, at, previous] = part.form;
  const follows = part.form.length === 3 && snapshot.equals(first) && at === count + 1n;
  require(follows && previous.equals(before.id), "missing-delta", "it does not follow");
}

/** Rule 13.6. */
function filterOf({ body, form: [segment, starts], keys, salt }) {
  const cells = starts > 0n ? (starts + 2n) * segment : 0n;
  const fits = BigInt(body.length) === 2n * cells && keys > 0n === cells > 0n;
  require(fits, "malformed", "another number of cells");
  const cell = (at) => body.readUInt16LE(2 * Number(at));
  return (key) => {
    if (cells === 0n) return false;
    const h = hashOf(key, salt);
    const first = ((h >> 32n) * starts * segment) >> 32n;
    const second = (first + segment) ^ ((h >> 18n) % segment);
    const third = (first + 2n * segment) ^ (h % segment);
    return (cell(first) ^ cell(second) ^ cell(third)) === Number((h >> 32n) & 0xffffn);
  };
}

/** Rule 13.7. */
function listOf({ body, keys, salt }) {
  const count = Number(keys);
  const width = 16 + (count > 1 ? (count - 1).toString(2).length : 0);
  const marks = count > 0 ? count + 2 ** (width - 16) : 0;
  require(body.length === 2 * count + Math.ceil(marks / 8), "malformed", "another length");
  const values = [];
  for (let at = 0; at < 8 * (body.length - 2 * count); at++) {
    if (((body[2 * count + (at >> 3)] >> (at & 7)) & 1) === 0) continue;
    const index = values.length;
    require(at < marks && index < count, "malformed", "another number of keys");
    values.push(BigInt(at - index) * 65_536n + BigInt(body.readUInt16LE(2 * index)));
  }
  require(values.length === count, "malformed", "another number of keys");
  require(values.every((one, at) => at === 0 || values[at - 1] <= one), "malformed", "out of order");
  const known = new Set(values);
  return (key) => known.has(hashOf(key, salt) >> BigInt(64 - width));
}

/** Rule 13.10, over licenses [{consent, items, license}] and files that were read. */
export function judgeOffline(held, files, license, item, query) {
  const own = held.find((one) => one.license === license && one.items.includes(item));
  if (!own) return "unknown";
  const knows = (...about) => files.some((file) => file.knows(keyOf(...about)));
  const revoked = (one) => isRevoked(knows, one, item, query.purpose);
  if (revoked(own)) return "revoked";
  const terms = onItsTerms(own.consent, query);
  if (terms !== "granted") return terms;
  const together = held.filter(
    ({ consent, items }) => consent.parties.join() === own.consent.parties.join() && items.includes(item),
  );
  for (const party of own.consent.parties.filter((one) => one !== own.consent.contributor)) {
    const theirs = together.filter(
      ({ consent }) => consent.contributor === party && onItsTerms(consent, query) === "granted",
    );
    if (theirs.length === 0) return "incomplete";
    if (theirs.every(revoked)) return "revoked";
  }
  const used = own.consent.parties.length > 1 ? together : [own];
  const doubtful = ({ consent }) =>
    [...consent.parties, consent.guardian].some((one) => knows(5, one)) ||
    files.some(({ asOf }) => consent.issuedAt > asOf);
  return files.every((file) => maySpeak(file, query)) && !used.some(doubtful) ? "granted" : "stale";
}

/** Rule 13.9. */
const maySpeak = ({ asOf, expires }, { now, maxAge }) =>
  now < expires && now - asOf <= maxAge && asOf - now <= 600n;

function isRevoked(knows, { consent, items }, item, purpose) {
  const { contributor, guardian, purposes } = consent;
  const at = purposes.indexOf(purpose);
  if (at >= 0 && knows(1, contributor)) {
    const bit = BigInt(items.indexOf(item) * purposes.length + at);
    const word = baseWord(consent) + bit / 256n;
    if (knows(4, contributor, word, Number(bit % 256n)) || knows(3, contributor, word)) return true;
  }
  const says = (who, ward) =>
    knows(2, who) &&
    scopesOver(consent.via, item, purpose, ward).some((one) => knows(3, who, scopeWord(one)));
  return says(contributor, "") || (guardian !== NOBODY && says(guardian, `ward ${contributor} `));
}
