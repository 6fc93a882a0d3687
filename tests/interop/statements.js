// What nodes sign: rule 4.5 and section 9.

import { createHash, createPublicKey, verify } from "node:crypto";

import { ed25519 } from "@noble/curves/ed25519";

import { ascii, big, require, sha256, unhex } from "./bytes.js";
import { pack } from "./packing.js";
import { checkPath } from "./trees.js";
import { REASONS } from "./verdict.js";

/** Rule 4.5: Ed25519 over a context and the content; refuses `bad-signature`. */
export function checkNodeSignature(key, context, content, signature) {
  const jwk = { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") };
  const signed = Buffer.concat([context, content]);
  require(key.length === 32 && !isSmall(key), "bad-signature", "a key of small order");
  require(signature.length === 64, "bad-signature", "not 64 bytes");
  require(!isSmall(signature.subarray(0, 32)), "bad-signature", "an R of small order");
  const right = verify(null, signed, createPublicKey({ key: jwk, format: "jwk" }), signature);
  require(right, "bad-signature", "not by this key");
}

/** Rule 4.5.2: whether 32 bytes are a point of small order, or not the canonical form of a point. */
function isSmall(point) {
  try {
    return ed25519.ExtendedPoint.fromHex(point).isSmallOrder();
  } catch {
    return true;
  }
}

const place = ({ network }) => [BigInt(network.chain_id), unhex(network.registry)];
const point = ({ block }) => [BigInt(block.number), unhex(block.hash)];
const heedOf = (json) => json.heed.map(unhex);
const keyOf = (json) => Buffer.from(json.node_key, "hex");

/** Rule 9.1: what a receipt's signature is over, from its JSON. */
export function receiptContent(json) {
  return pack([
    place(json),
    keyOf(json),
    unhex(json.grantee),
    json.purpose,
    BigInt(json.max_age_s),
    json.run_id,
    unhex(json.nonce),
    unhex(json.manifest_root),
    unhex(json.results_root),
    Object.keys(json.counts)
      .sort()
      .map((reason) => [reason, BigInt(json.counts[reason])]),
    BigInt(json.sequence),
    unhex(json.state),
    point(json),
    BigInt(json.time),
    BigInt(json.run_until),
    BigInt(json.until),
    heedOf(json),
  ]);
}

/** Rule 9.4. */
export function acknowledgementContent(json) {
  return pack([place(json), keyOf(json), unhex(json.digest), point(json), BigInt(json.time)]);
}

/** Rule 9.8: the head of a status answer. */
export function statusContent(json) {
  const tree = [unhex(json.root), BigInt(json.count)];
  return pack([place(json), keyOf(json), ...tree, unhex(json.state), point(json), BigInt(json.time)]);
}

const CONTENTS = {
  receipt: receiptContent,
  acknowledgement: acknowledgementContent,
  status: statusContent,
};

/** Rules 9.5 and 9.6: that a statement has its form, its key may speak (`check`), and signed it. */
export function checkStatement(kind, json, check = () => {}) {
  require(json.type === `sayso-${kind}-1`, "malformed", "another type");
  checkForm(json);
  const content = CONTENTS[kind](json);
  check(...place(json), json.node_key);
  checkNodeSignature(keyOf(json), ascii(`sayso ${kind} 1\0`), content, unhex(json.signature));
  if (kind === "status") checkStatusPath(json);
  return content;
}

const HASHES = ["manifest_root", "results_root", "state", "digest", "root", "license", "item"];
const NUMBERS = ["time", "max_age_s", "sequence", "count", "index", "run_until", "until"];
const isNumber = (one) => Number.isSafeInteger(one) && one >= 0;
const isHash = (one) => typeof one === "string" && /^0x[0-9a-f]{64}$/.test(one);

const isAddress = (one) => typeof one === "string" && /^0x[0-9a-fA-F]{40}$/.test(one);

/** Rule 8.17.1. */
function isHeed(list) {
  if (!Array.isArray(list) || list.length > 16 || !list.every(isAddress)) return false;
  const lower = list.map((one) => one.toLowerCase());
  return lower.every((one, at) => !/^0x0*$/.test(one) && (at === 0 || lower[at - 1] < one));
}

/** Rule 9.6: that the fields which are there have their types; CONTENTS misses one that is not. */
function checkForm(json) {
  const valid = (condition, why) => require(condition, "malformed", why);
  const all = (names, test) => names.filter((one) => one in json).every((one) => test(json[one]));
  valid(all(HASHES, isHash) && all(NUMBERS, isNumber) && all(["path"], (path) => path.length <= 64 && path.every(isHash)), "a field");
  valid(all(["counts"], (counts) => Object.values(counts).every(isNumber)), "counts");
  valid(all(["reason"], (reason) => REASONS.includes(reason)), "a reason nobody knows");
  valid(all(["nonce"], (nonce) => /^0x([0-9a-f]{2}){0,32}$/.test(nonce)), "nonce");
  valid(all(["heed"], isHeed), "heed");
  valid(json.block && isNumber(json.block.number) && isHash(json.block.hash), "block");
  valid(json.network && isNumber(json.network.chain_id), "network");
  valid(/^[0-9a-f]{64}$/.test(json.node_key) && /^0x([0-9a-f]{2})*$/.test(json.signature), "key or signature");
}

/** Rule 9.9. */
function checkStatusPath(json) {
  const reason = BigInt(REASONS.indexOf(json.reason) + 1);
  const row = [unhex(json.license), unhex(json.item), unhex(json.grantee)];
  const leaf = pack([...row, json.purpose, BigInt(json.max_age_s), unhex(json.nonce), reason, BigInt(json.until), heedOf(json)]);
  checkPath(leaf, json.index, json.count, json.path.map(unhex), unhex(json.root));
}

/** Rule 9.3: the digest of entries [address, word, mask]. */
export function stateDigest(entries) {
  const total = new Uint16Array(1024);
  for (const [address, word, mask] of entries.filter((entry) => entry[2] > 0n)) {
    const shake = createHash("shake128", { outputLength: 2048 });
    const stream = shake.update(Buffer.concat([ascii("sayso state 1\0"), address, big(word), big(mask)])).digest();
    for (let at = 0; at < 1024; at++) total[at] += stream.readUInt16BE(2 * at);
  }
  return sha256(...Array.from(total, (one) => big(BigInt(one), 2)));
}
