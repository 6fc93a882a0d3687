// Snapshots, and the verdict from them: section 13.

import { NOBODY, ascii, big, hex, require, sha256, unhex } from "./bytes.js";
import { unpack } from "./packing.js";
import { isSurelyOpen } from "./chains.js";
import { baseWord, queriesOf, scopeWord, scopesOver } from "./scopes.js";
import { checkNodeSignature } from "./statements.js";
import { onItsTerms } from "./verdict.js";

const MAGIC = "sayso-snapshot-1";
const MASK = (1n << 64n) - 1n;

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
  const bodies = parts.map(readBody);
  const { asOf, expires, heeded } = parts.at(-1);
  const knows = (key) => bodies.some(({ knowsKey }) => knowsKey(key));
  const names = (key) => {
    const hash = nameOf(key, parts[0].salt);
    return bodies.some(({ named }) => named.has(hash)) && !bodies.some(({ withdrawn }) => withdrawn.has(hash));
  };
  return { ids: parts.map(({ id }) => hex(id)), asOf, expires, heeded: heeded.map(hex), knows, names };
}

/** Rule 13.3.4: the key of a person, a license or a sublicense, and its hash as a number of 96 bits. */
export const aboutKey = (kind, about) => Buffer.concat([Buffer.from([kind]), unhex(about)]);
export const nameOf = (key, salt) => BigInt(hex(sha256(salt, key).subarray(0, 12)));

/** Rule 13.7.5: keys, the names, and the names withdrawn; the head states where each ends. */
function readBody(part) {
  const isSnapshot = part.form.length === 2;
  const { body, counts } = part;
  const first = isSnapshot ? filterBytes(part) : listBytes(Number(counts[0]), 16);
  const second = first + nameBytes(counts[1]);
  const end = second + nameBytes(counts[2]);
  require(body.length === end, "malformed", "another length than the head states");
  require(!isSnapshot || counts[2] === 0n, "malformed", "only a delta can withdraw");
  require(!isSnapshot || counts[0] > 0n === first > 0, "malformed", "keys without cells, or the other way");
  const keys = { ...part, body: body.subarray(0, first), keys: counts[0] };
  return {
    knowsKey: isSnapshot ? filterOf(keys) : listOf(keys),
    named: new Set(namesOf(body.subarray(first, second), Number(counts[1]))),
    withdrawn: new Set(namesOf(body.subarray(second), Number(counts[2]))),
  };
}

const bitLength = (count) => (count > 1 ? (count - 1).toString(2).length : 0);
const marksOf = (count, high) => (count > 0 ? count + 2 ** high : 0);
const nameBytes = (count) => {
  const [size, high] = [Number(count), bitLength(Number(count))];
  return Math.ceil((size * (96 - high)) / 8) + Math.ceil(marksOf(size, high) / 8);
};
const listBytes = (count, low) => (count * low) / 8 + Math.ceil(marksOf(count, bitLength(count)) / 8);
const filterBytes = ({ form: [segment, starts] }) =>
  starts > 0n ? 2 * Number((starts + 2n) * segment) : 0;

/** The positions of the bits that are 1, from the lowest bit of the first byte, each minus its index. */
function highsOf(marks, count, length) {
  const highs = [];
  for (let at = 0; at < 8 * marks.length; at++) {
    if (((marks[at >> 3] >> (at & 7)) & 1) === 0) continue;
    require(at < length && highs.length < count, "malformed", "another number of values");
    highs.push(BigInt(at - highs.length));
  }
  require(highs.length === count, "malformed", "another number of values");
  return highs;
}

/** Rule 13.7.4. */
function namesOf(body, count) {
  const high = bitLength(count);
  const [width, low] = [BigInt(96 - high), Math.ceil((count * (96 - high)) / 8)];
  const highs = highsOf(body.subarray(low), count, marksOf(count, high));
  const spare = BigInt(8 * low) - BigInt(count) * width;
  const lows = low > 0 ? BigInt(hex(body.subarray(0, low))) : 0n;
  require((lows & ((1n << spare) - 1n)) === 0n, "malformed", "bits behind the list");
  const values = highs.map((one, at) => {
    const shift = spare + BigInt(count - 1 - at) * width;
    return (one << width) | ((lows >> shift) & ((1n << width) - 1n));
  });
  require(values.every((one, at) => at === 0 || values[at - 1] < one), "malformed", "out of order");
  return values;
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
  (some) => Array.isArray(some) && some.length <= 16 && some.every(isBytes(20)),
  (form) => isShape(form) || isLink(form),
);

/** Rule 13.2. */
function readHead(content) {
  const head = unpack(content);
  require(isHead(head), "malformed", "no head");
  const [network, nodeKey, , , , asOf, expires, counts, salt, bodyBytes, bodyHash, heeded, form] = head;
  const inOrder = heeded.every((one, at) => Buffer.compare(heeded[at - 1] ?? Buffer.alloc(20), one) < 0);
  require(inOrder, "malformed", "heeded addresses out of order, or zero");
  const valid = isShape(form) ? canBe(...form) : form[1] >= 1n;
  require(valid, "malformed", "a form that cannot be");
  return { network, nodeKey, asOf, expires, counts, salt, bodyBytes, bodyHash, heeded, form };
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
  const heeds = part.heeded.every((one) => before.heeded.some((other) => other.equals(one)));
  require(heeds, "missing-delta", "it heeds somebody else");
}

/** Rule 13.6. */
function filterOf({ body, form: [segment, starts], keys, salt }) {
  const cell = (at) => body.readUInt16LE(2 * Number(at));
  return (key) => {
    if (keys === 0n) return false;
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
  const width = 16 + bitLength(count);
  const highs = highsOf(body.subarray(2 * count), count, marksOf(count, width - 16));
  const values = highs.map((one, at) => one * 65_536n + BigInt(body.readUInt16LE(2 * at)));
  require(values.every((one, at) => at === 0 || values[at - 1] <= one), "malformed", "out of order");
  const known = new Set(values);
  return (key) => known.has(hashOf(key, salt) >> BigInt(64 - width));
}

/** Rule 13.10, over licenses [{consent, items, license}], files that were read, and sublicenses. */
export function judgeOffline(held, files, license, item, query, passed = [], heed = []) {
  const own = held.find((one) => one.license === license && one.items.includes(item));
  if (!own) return "unknown";
  const knows = (...about) => files.some((file) => file.knows(keyOf(...about)));
  const revoked = (one) => queriesOf(one.consent, query).some((each) => isRevoked(knows, one, item, each));
  if (revoked(own)) return "revoked";
  const asHash = (address) => "0x" + address.slice(2).padStart(64, "0");
  const disputable = [item, ...own.consent.parties.map(asHash)];
  const disputes = (who) => knows(5, who) && disputable.some((one) => knows(6, who + one.slice(2)));
  if (heed.some(disputes)) return "disputed";
  const known = {
    licenses: new Map(held.map((one) => [one.license, one])),
    sublicenses: new Map(passed.map((one) => [one.digest, one])),
    bits: { get: (who) => (knows(2, who) ? { get: (word) => BigInt(knows(3, who, word)) } : undefined) },
    isDisplaced: (name, digest) => knows(7, digest) && knows(8, digest + name.slice(2)),
  };
  const isSure = ({ digest, signer, issuedAt }) =>
    files.every((file) => file.names(aboutKey(18, digest)) && file.names(aboutKey(16, signer)) && file.asOf >= issuedAt);
  const terms = onItsTerms(known, own.license, query);
  if (terms !== "granted") return terms;
  const together = held.filter(
    ({ consent, items }) => consent.parties.join() === own.consent.parties.join() && items.includes(item),
  );
  const choices = [[own]];
  for (const party of own.consent.parties.filter((one) => one !== own.consent.contributor)) {
    const theirs = together.filter(
      ({ consent, license }) => consent.contributor === party && onItsTerms(known, license, query) === "granted",
    );
    if (theirs.length === 0) return "incomplete";
    if (theirs.every(revoked)) return "revoked";
    choices.push(theirs.filter((one) => !revoked(one)));
  }
  const used = own.consent.parties.length > 1 ? together : [own];
  const needed = ({ license, consent: { parties, guardian } }) => [
    aboutKey(17, license),
    ...[...parties, ...(guardian === NOBODY ? [] : [guardian])].map((one) => aboutKey(16, one)),
  ];
  const speaksFor = (file, one) => file.asOf >= one.consent.issuedAt && needed(one).every(file.names);
  const age = query.now - files.map((one) => one.asOf).reduce((one, other) => (one < other ? one : other));
  const lasts = ({ consent, license }) =>
    consent.recheckHours * 3_600n >= age && isSurelyOpen(known, license, query, isSure);
  if (!choices.every((some) => some.some(lasts))) return "stale"; // 8.16: all parts are of the same age
  const heeded = files.every((file) => heed.every((one) => file.heeded.includes(one)));
  const sure = heeded && files.every((file) => maySpeak(file, query) && used.every((one) => speaksFor(file, one)));
  return sure ? "granted" : "stale";
}

/** Rule 13.9. */
const maySpeak = ({ asOf, expires }, { now, maxAge }) =>
  now < expires && now - asOf <= maxAge && asOf - now <= 600n;

function isRevoked(knows, { consent, items }, item, query) {
  const { contributor, guardian, purposes } = consent;
  const at = purposes.indexOf(query.purpose);
  if (at >= 0 && knows(1, contributor)) {
    const bit = BigInt(items.indexOf(item) * purposes.length + at);
    const word = baseWord(consent) + bit / 256n;
    if (knows(4, contributor, word, Number(bit % 256n)) || knows(3, contributor, word)) return true;
  }
  const says = (who, ward) =>
    knows(2, who) &&
    scopesOver(consent, item, query, ward).some((one) => knows(3, who, scopeWord(one)));
  return says(contributor, "") || (guardian !== NOBODY && says(guardian, `ward ${contributor} `));
}
