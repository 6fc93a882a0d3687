// The signed fields of each kind of message (4.2, 4.3, 4.8): read from an envelope (6.2.1), shown to a wallet.

import { getAddress } from "viem";

import { hex, number, require } from "./bytes.js";

const fields = (text) => text.split(",").map((one) => one.split(" ")).map(([type, name]) => ({ name, type }));
const STATED = "string notice,address signer,bytes32 content,uint32 count,";

export const DOMAIN = fields("string name,string version,uint256 chainId,address verifyingContract");
export const TYPES = {
  Consent: fields(
    "string notice,address contributor,address[] parties,address grantee,string via,bytes32 content," +
      "uint32 items,string[] purposes,bytes32 terms,string termsUri,address guardian,uint64 issuedAt," +
      "uint64 expiresAt,uint16 recheckHours,uint16 removalDays",
  ),
  Revocation: fields("string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks"),
  Sublicense: fields(
    STATED + "bytes32 parent,address grantee,string[] purposes,bytes32 terms,string termsUri,uint64 issuedAt,uint64 expiresAt",
  ),
  Use: fields(STATED + "string purpose,string run,bytes32 record,uint64 usedAt"),
  Removal: fields(STATED + "uint64 asOfBlock,bytes32 record"),
  Dispute: fields(STATED + "string subject,string code,uint64 issuedAt,uint64 expiresAt"),
};
export const KINDS = Object.keys(TYPES); // their numbers in envelopes are 1 to 6

/** The code of a message of a kind that breaks a rule of section 3. */
export const codeOf = (kind) => ({ Consent: "invalid-consent", Revocation: "invalid-revocation" })[kind] ?? "invalid-statement";

/** The message in the struct of an envelope, by the names of its fields. */
export function readStruct(kind, struct) {
  const types = TYPES[kind];
  require(Array.isArray(struct) && struct.length === types.length, "malformed", `${types.length} fields`);
  return Object.fromEntries(types.map(({ name, type }, at) => [name, readField(type, struct[at], codeOf(kind))]));
}

function readField(type, value, code) {
  if (type.endsWith("[]")) {
    require(Array.isArray(value), "malformed", "a field has another type");
    return value.map((one) => readField(type.slice(0, -2), one, code));
  }
  if (type === "string") return typed(value, typeof value === "string");
  if (type === "address") return hex(sized(value, 20, code));
  if (type === "bytes32") return hex(sized(value, 32, code));
  if (type === "uint248" || type === "uint256") return number(sized(value, 32, "malformed"));
  return typed(value, typeof value === "bigint");
}

/** Bytes of a length; `code` is that of another length, another type is always malformed. */
export function sized(value, size, code) {
  require(typed(value, Buffer.isBuffer(value)).length === size, code, `${size} bytes`);
  return value;
}

export function typed(value, isRight) {
  require(isRight, "malformed", "a field has another type");
  return value;
}

/** A message as the JSON that a wallet is given (4.3.3). */
export const shown = (kind, message) =>
  Object.fromEntries(TYPES[kind].map(({ name, type }) => [name, shownAs(type, message[name])]));

function shownAs(type, value) {
  if (type.endsWith("[]")) return value.map((one) => shownAs(type.slice(0, -2), one));
  if (type === "address") return getAddress(value);
  if (type === "uint248" || type === "uint256") return String(value);
  return typeof value === "bigint" ? Number(value) : value;
}
