// The two messages: sections 3, 4 and 6. `readEnvelope` is everything that needs no clock and no chain.

import { getAddress, hashTypedData, recoverAddress } from "viem";

import { Refused, ascii, hex, number, require, unhex } from "./bytes.js";
import { unpack } from "./packing.js";
import { checkCarried, checkDomain, checkPurpose } from "./scopes.js";
import { checkNodeSignature } from "./statements.js";
import { wideRoot } from "./trees.js";
import { readWalletProof } from "./wallets.js";

const NOBODY = "0x" + "00".repeat(20);
const HALF = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const REVOKING =
  "I take back what is listed here, now and for ever, wherever my signature counts. This cannot be undone.";
const fields = (text) => text.split(",").map((one) => one.split(" ")).map(([type, name]) => ({ name, type }));
const TYPES = {
  domain: fields("string name,string version,uint256 chainId,address verifyingContract"),
  Consent: fields(
    "string notice,address contributor,address[] parties,address grantee,string via,bytes32 content," +
      "uint32 items,string[] purposes,bytes32 terms,string termsUri,address guardian,uint64 issuedAt," +
      "uint64 expiresAt,uint16 recheckHours,uint16 removalDays",
  ),
  Revocation: fields("string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks"),
};

/**
 * Read an envelope (6.2) for a network {chainId, registry}; its signatures are still to be checked. The
 * network in what it returns is the one that it was signed under.
 */
export function readEnvelope(bytes, network) {
  require(bytes.length <= 65_536, "too-large", "an envelope has at most 65,536 bytes");
  const envelope = ofTypes(unpack(bytes), ["int", "int", "array", "array", "bytes", "array", "any"]);
  const [version, kind, struct, items, signature, place, sponsor] = envelope;
  require(version === 1n && (kind === 1n || kind === 2n), "malformed", "version or kind");
  const hashes = items.map((one) => sized(one, 32));
  const read = kind === 1n ? readConsent : readRevocation;
  const message = read(struct, hashes, sponsor);
  const signedUnder = readNetwork(kind, place, network);
  const name = kind === 1n ? "Consent" : "Revocation";
  return { kind: name, message, items: hashes, signature, sponsor, network: signedUnder };
}

/** Rules 1.1 and 6.2.3: a consent names our network, a revocation any chain id with our registry. */
function readNetwork(kind, place, ours) {
  const [chainId, registry] = ofTypes(place, ["int", "registry"]);
  require(chainId >= 1n && chainId < 1n << 53n, "malformed", "a chain id");
  const here = registry === ours.registry && (kind === 2n || chainId === ours.chainId);
  require(here, "wrong-network", `${chainId}, ${registry}`);
  return { chainId, registry };
}

function readConsent(struct, items, sponsor) {
  const kinds = ["text", "address", "array", "address", "text", "hash", "int", "array"];
  const values = ofTypes(struct, [...kinds, "hash", "text", "address", "int", "int", "int", "int"]);
  const names = TYPES.Consent.map(({ name }) => name);
  const consent = Object.fromEntries(names.map((name, at) => [name, values[at]]));
  consent.parties = consent.parties.map((one) => address(one));
  consent.purposes.forEach((one) => require(typeof one === "string", "malformed", "a purpose is text"));
  require(sponsor === null || ofTypes(sponsor, ["key", "signature"]), "malformed", "sponsor");
  checkConsent(consent);
  checkItems(consent, items);
  require(consent.notice === noticeOf(consent), "invalid-consent", "another notice");
  return consent;
}

/** Rules 3.1 to 3.6. */
function checkConsent(one) {
  const valid = (condition, why) => require(condition, "invalid-consent", why);
  valid(one.contributor !== NOBODY, "no contributor");
  valid(one.parties.length >= 1 && one.parties.length <= 16 && ascending(one.parties), "parties");
  valid(one.parties.includes(one.contributor), "the contributor is no party");
  valid(one.items >= 1n && one.items <= 1024n, "items");
  valid(one.purposes.length >= 1 && one.purposes.length <= 16 && ascending(one.purposes), "purposes");
  one.purposes.forEach(checkPurpose);
  const length = one.expiresAt - one.issuedAt;
  valid(length > 0n && length <= 315_619_200n && one.expiresAt <= 253_402_300_799n, "times");
  valid(one.recheckHours >= 1n && one.recheckHours <= 8_760n, "recheckHours");
  valid(one.removalDays >= 1n && one.removalDays <= 365n, "removalDays");
  valid(one.termsUri === "" || /^https:\/\/[!-~]+$/.test(one.termsUri), "termsUri");
  valid(!/[?#]/.test(one.termsUri) && one.termsUri.length <= 2048, "termsUri");
  if (one.via !== "") checkDomain(one.via);
}

/** Rule 3.7. */
function checkItems(consent, items) {
  const all = items.map(hex);
  require(BigInt(items.length) === consent.items, "invalid-consent", "the number of items");
  require(new Set(all).size === all.length, "invalid-consent", "an item occurs twice");
  require(hex(wideRoot(items)) === consent.content, "invalid-consent", "other items than `content`");
}

function readRevocation(struct, items, sponsor) {
  const [notice, contributor, scopes, words, masks] = ofTypes(struct, ["text", "address", "array", "array", "array"]);
  require(items.length === 0 && sponsor === null, "malformed", "a revocation has none");
  const valid = (condition, why) => require(condition, "invalid-revocation", why);
  const numbers = [words, masks].map((some) => some.map((one) => number(sized(one, 32))));
  valid(notice === REVOKING, "another notice");
  valid(contributor !== NOBODY, "no contributor");
  valid(scopes.length <= 16 && words.length <= 64 && scopes.length + words.length > 0, "how many");
  valid(words.length === masks.length, "words and masks");
  valid(numbers[0].every((word) => word < 1n << 247n), "a scope's word");
  valid(numbers[1].every((mask) => mask > 0n), "an empty mask");
  for (const scope of scopes) {
    require(typeof scope === "string", "malformed", "a scope is text");
    checkCarried(scope);
  }
  return { notice, contributor, scopes, words: numbers[0], masks: numbers[1] };
}

/** Rule 4.6. */
export function noticeOf(one) {
  const date = (time) => new Date(Number(time) * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
  const others = one.parties.filter((party) => party !== one.contributor).map((party) => getAddress(party));
  return [
    `I allow use of ${one.items === 1n ? "1 item" : `${one.items} items`} of mine for ${one.purposes.join(", ")}`,
    ` until ${date(one.expiresAt)} by ${one.grantee === NOBODY ? "ANYONE" : getAddress(one.grantee)}`,
    one.via && `, through ${one.via}`,
    `; to be rechecked every ${one.recheckHours === 1n ? "hour" : `${one.recheckHours} hours`}`,
    `; removed within ${one.removalDays === 1n ? "1 day" : `${one.removalDays} days`} of revocation`,
    `; from ${date(one.issuedAt)}`,
    others.length && `; together with ${others.join(", ")}`,
    one.guardian !== NOBODY && `; ${getAddress(one.guardian)} may revoke it too`,
    ". I can revoke at any time.",
  ]
    .filter(Boolean)
    .join("");
}

/** What a wallet is given (4.2, 4.3), as its JSON; `network` is the one to sign under. */
export function typedData({ kind, message, network }) {
  const place = { chainId: Number(network.chainId), verifyingContract: getAddress(network.registry) };
  const shown = Object.entries(message).map(([name, value]) => [name, shownAs(name, value)]);
  return {
    types: { EIP712Domain: TYPES.domain, [kind]: TYPES[kind] },
    primaryType: kind,
    domain: { name: "Sayso", version: "1", ...place },
    message: Object.fromEntries(shown),
  };
}

function shownAs(name, value) {
  if (name === "words" || name === "masks") return value.map(String);
  if (typeof value === "bigint") return Number(value);
  if (name === "parties") return value.map((one) => getAddress(one));
  return ["contributor", "grantee", "guardian"].includes(name) ? getAddress(value) : value;
}

export const digestOf = (envelope) => hashTypedData(typedData(envelope));

/** Rules 4.4 and 4.5: who signed. */
export async function checkSignatures(envelope) {
  const { message, signature, sponsor } = envelope;
  const digest = digestOf(envelope);
  if (sponsor) checkNodeSignature(sponsor[0], ascii("sayso sponsor 1\0"), unhex(digest), sponsor[1]);
  if (signature.length > 65) {
    readWalletProof(signature);
    throw new Refused("unsupported", "only the chain can say");
  }
  const low = signature.length === 65 && number(signature.subarray(32, 64)) <= HALF;
  require(low && [27, 28].includes(signature[64]), "bad-signature", "not in the one form");
  const signer = await recoverAddress({ hash: digest, signature: hex(signature) }).catch(() => "");
  require(signer.toLowerCase() === message.contributor, "bad-signature", "another signer");
}

/** The bits that a revocation sets (3.9, 5.6), scopes left out. */
export function wordsOf(revocation) {
  return revocation.words.map((word, at) => [word, revocation.masks[at]]);
}

const ascending = (values) => values.every((one, at) => at === 0 || values[at - 1] < one);

function ofTypes(values, kinds) {
  require(Array.isArray(values) && values.length === kinds.length, "malformed", `${kinds.length} fields`);
  return values.map((value, at) => READERS[kinds[at]](value));
}

function sized(value, size, code = "malformed") {
  require(Buffer.isBuffer(value) && value.length === size, code, `${size} bytes`);
  return value;
}

function address(value) {
  require(Buffer.isBuffer(value), "malformed", "an address is bytes");
  return hex(sized(value, 20, "invalid-consent"));
}

const typed = (test) => (value) => (require(test(value), "malformed", "a field has another type"), value);
const READERS = {
  any: (value) => value,
  int: typed((value) => typeof value === "bigint"),
  text: typed((value) => typeof value === "string"),
  bytes: typed(Buffer.isBuffer),
  array: typed(Array.isArray),
  address,
  registry: (value) => hex(sized(value, 20)),
  hash: (value) => hex(sized(value, 32)),
  key: (value) => sized(value, 32),
  signature: (value) => sized(value, 64),
};
