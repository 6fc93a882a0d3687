// Disputes, and which rows they stop: rules 3.15, 8.17 and 8.18.

import { hashTypedData } from "viem";

import { hex } from "./bytes.js";
import { unpack } from "./packing.js";
import { scopeWord } from "./scopes.js";

const NAMES = "notice signer content count subject code issuedAt expiresAt".split(" ");
const KINDS = "string address bytes32 uint32 string string uint64 uint64".split(" ");
const FIELDS = NAMES.map((name, at) => ({ name, type: KINDS[at] }));
const DISPUTE = 6n;

/** A dispute of which the node has checked form and signature, from its envelope; null for other kinds. */
export function readDispute(bytes, { chainId, registry }) {
  const [, kind, struct, items] = unpack(bytes);
  if (kind !== DISPUTE) return null;
  const message = Object.fromEntries(struct.map((one, at) => [NAMES[at], Buffer.isBuffer(one) ? hex(one) : one]));
  const domain = { name: "Sayso", version: "1", chainId, verifyingContract: registry };
  const digest = hashTypedData({ domain, types: { Dispute: FIELDS }, primaryType: "Dispute", message });
  return { ...message, digest, names: items.map(hex) };
}

/** Rule 8.18: whether an open dispute of a heeded address is over the file or over a party. */
export function isDisputed(known, { consent }, item, { heed, now }) {
  const parties = consent.parties.map((one) => "0x" + "00".repeat(12) + one.slice(2));
  const about = { files: [item], contributors: parties };
  return [...known.disputes.values()].some(
    (one) =>
      (heed ?? []).includes(one.signer) &&
      now >= one.issuedAt &&
      now < one.expiresAt &&
      about[one.subject].some((name) => one.names.includes(name)) &&
      !isWithdrawn(known, one),
  );
}

/** Rule 5.9. */
const isWithdrawn = (known, { digest, signer }) =>
  [`statement ${digest}`, "statements"].some((one) => (known.bits.get(signer)?.get(scopeWord(one)) ?? 0n) & 1n);
