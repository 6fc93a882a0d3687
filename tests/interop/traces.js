// Where a license went: section 15, over kept messages and what a chain says.

import { NOBODY } from "./bytes.js";
import { counting, depthOf, isWithdrawn as isTakenBack } from "./chains.js";
import { isWithdrawn } from "./disputes.js";
import { digestOf, wordsOf } from "./messages.js";
import { isRevoked, scopeWord } from "./scopes.js";
import { Known } from "./verdict.js";

const DAY_S = 86_400;
const JUDGED = 256; // removals of a holder
const SHOWN = 64; // disputes of a license
const digests = new WeakMap(); // of envelopes, computed once

/** Kept messages, and a chain {events, batches, times, final}, whose events set bits at once. */
export class Told extends Known {
  constructor(envelopes, chain) {
    super();
    this.messages = new Map();
    this.chain = chain;
    envelopes.forEach((one) => this.keep(one));
    chain.events.forEach((one) => addBits(this.bits, one.contributor, [[one.word, one.bits]]));
  }

  keep(envelope) {
    this.hear(envelope);
    if (!digests.has(envelope)) digests.set(envelope, digestOf(envelope));
    this.messages.set(digests.get(envelope), envelope);
  }

  /** The statements of a kind by somebody that name a hash, by ascending digest. */
  statedOn(name, kind, signer) {
    return [...this.messages]
      .filter(([, { kind: its, message, items }]) => its === kind && message.signer === signer && items.some((one) => one.equals(name)))
      .map(([digest, { message }]) => ({ ...message, digest }))
      .sort((one, other) => (one.digest < other.digest ? -1 : 1));
  }
}

function addBits(bits, who, some) {
  const own = bits.get(who) ?? new Map();
  for (const [word, mask] of some) own.set(word, (own.get(word) ?? 0n) | mask);
  bits.set(who, own);
}

/** Rule 15.1: all holders of a license, by ascending address. */
export function holdersOf(told, license) {
  const { consent } = told.licenses.get(license);
  const passed = [...told.sublicenses.values()].filter((one) => depthOf(told, license, one) > 0);
  const all = new Set([consent.grantee, ...passed.map(({ grantee }) => grantee)]);
  all.delete(NOBODY);
  return [...all].sort().map((one) => holder(told, license, one));
}

function holder(told, license, address) {
  const { consent } = told.licenses.get(license);
  const passed = counting(told, license, address);
  const said = (kind) => statedBy(told, [license, ...passed.map(({ digest }) => digest)], kind, address);
  const purposes = passed.flatMap((one) => one.purposes);
  if (address === consent.grantee) purposes.push(...consent.purposes);
  const uses = said("Use").sort((one, other) => (one.digest < other.digest ? -1 : 1));
  const removals = said("Removal").slice(0, JUDGED);
  return {
    address,
    sublicenses: passed.map((one) => ({ digest: one.digest, withdrawn: isTakenBack(told, one) })),
    uses: uses.map((one) => ({ digest: one.digest, withdrawn: Boolean(isWithdrawn(told, one)) })),
    lines: landings(told, license, address, purposes).map((one) => line(told, consent, one, removals)),
  };
}

/** Rules 15.1.1 and 15.1.4: what somebody stated about the first of some hashes, then about the next. */
function statedBy(told, names, kind, signer) {
  const found = names.flatMap((name) => told.statedOn(Buffer.from(name.slice(2), "hex"), kind, signer));
  return [...new Map(found.map((one) => [one.digest, one])).values()];
}

/** Rule 15.3: by which final block permissions became revoked for a holder; null for no block. */
function landings(told, license, grantee, purposes) {
  const { chain, licenses } = told;
  const held = licenses.get(license);
  let left = held.consent.purposes
    .filter((purpose) => purposes.includes(purpose))
    .flatMap((purpose) => held.items.map((item) => [item, purpose]));
  const blocks = [...chain.events, ...chain.batches].map(({ block }) => block).filter((one) => isFinal(chain, one));
  const found = [];
  for (const block of [...[...new Set(blocks)].sort((one, other) => one - other), null]) {
    const bits = block === null ? told.bits : bitsBy(told, block);
    const isNow = ([item, purpose]) => isRevoked(bits, held, item, { grantee, purpose });
    const pairs = left.filter(isNow);
    left = left.filter((one) => !pairs.includes(one));
    if (pairs.length > 0) found.push({ block, pairs });
  }
  return found;
}

const isFinal = ({ final }, block) => final !== null && block <= final;

/** Rule 15.3.1: the bits that events and anchored revocations had set by a block. */
function bitsBy({ chain, messages }, last) {
  const bits = new Map();
  for (const { block, contributor, word, bits: mask } of chain.events) {
    if (block <= last) addBits(bits, contributor, [[word, mask]]);
  }
  for (const { block, digests } of chain.batches) {
    for (const digest of block <= last ? digests : []) {
      const { kind, message } = messages.get(digest) ?? {};
      if (kind !== "Revocation") continue;
      addBits(bits, message.contributor, [...wordsOf(message), ...message.scopes.map((one) => [scopeWord(one), 1n])]);
    }
  }
  return bits;
}

/** Rules 15.4 and 15.5: one landing of a holder. */
function line(told, consent, { block, pairs }, removals) {
  const { times, final } = told.chain;
  const confirming = removals
    .map((one) => ({ ...one, anchored: firstAnchor(told.chain, one.digest) }))
    .filter((one) => one.anchored !== null && block !== null && !isWithdrawn(told, one))
    .filter(({ asOfBlock, anchored }) => asOfBlock >= BigInt(block) && asOfBlock <= BigInt(anchored))
    .sort((one, other) => one.anchored - other.anchored || (one.digest < other.digest ? -1 : 1))[0];
  const due = times[block] === undefined ? null : times[block] + Number(consent.removalDays) * DAY_S;
  const isKnown = due !== null && times[final] !== undefined;
  const open = isKnown ? (times[final] > due ? "late" : "due") : "undated";
  return {
    landing: block,
    items: new Set(pairs.map(([item]) => item)).size,
    permissions: pairs.length,
    purposes: [...new Set(pairs.map(([, purpose]) => purpose))].sort(),
    due,
    standing: confirming ? "confirmed" : open,
    removal: confirming?.digest ?? null,
    confirmed: times[confirming?.anchored] ?? null,
  };
}

/** The block of the first anchor of a message, if it is final; else null. */
function firstAnchor(chain, digest) {
  const blocks = chain.batches.filter((one) => one.digests.includes(digest) && isFinal(chain, one.block));
  return blocks.length > 0 ? Math.min(...blocks.map(({ block }) => block)) : null;
}

/** Rule 15.6: the kept disputes over a file or a party of a license, by ascending digest. */
export function disputesOf(told, license) {
  const { consent, items } = told.licenses.get(license);
  const people = consent.parties.map((one) => "0x" + "00".repeat(12) + one.slice(2));
  const about = { files: items, contributors: people };
  return [...told.disputes.values()]
    .filter((one) => about[one.subject].some((name) => one.names.includes(name)))
    .sort((one, other) => (one.digest < other.digest ? -1 : 1))
    .slice(0, SHOWN)
    .map((one) => ({ digest: one.digest, withdrawn: Boolean(isWithdrawn(told, one)) }));
}
