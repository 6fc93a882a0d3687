// The verdict: section 8, over what was heard.

import { hex } from "./bytes.js";
import { mayUse } from "./chains.js";
import { isDisputed } from "./disputes.js";
import { digestOf, wordsOf } from "./messages.js";
import { isRevoked, scopeWord } from "./scopes.js";

export const REASONS = [
  "granted",
  "revoked",
  "expired",
  "not-yet-valid",
  "purpose-not-granted",
  "other-grantee",
  "incomplete",
  "unknown",
  "stale",
  "disputed",
  "withdrawn",
];

/** Everything that was heard: consents by license hash, bits by address and word. */
export class Known {
  constructor(envelopes = []) {
    this.licenses = new Map();
    this.bits = new Map();
    this.sublicenses = new Map(); // by digest
    this.disputes = new Map(); // by digest
    envelopes.forEach((one) => this.hear(one));
  }

  hear(envelope) {
    const { kind, message, items } = envelope;
    if (kind === "Consent") {
      this.licenses.set(digestOf(envelope), { consent: message, items: items.map(hex) });
      return;
    }
    const places = { Sublicense: this.sublicenses, Dispute: this.disputes };
    if (kind in places) {
      const digest = digestOf(envelope);
      places[kind].set(digest, { ...message, digest, names: items.map(hex) });
    }
    if (kind !== "Revocation") return;
    const own = this.bits.get(message.contributor) ?? new Map();
    const scopes = message.scopes.map((one) => [scopeWord(one), 1n]);
    for (const [word, mask] of [...wordsOf(message), ...scopes]) {
      own.set(word, (own.get(word) ?? 0n) | mask);
    }
    this.bits.set(message.contributor, own);
  }
}

/** Rules 8.1 to 8.8, with 8.18 directly after 8.2. */
export function verdict(known, license, item, query) {
  const held = known.licenses.get(license);
  if (!held?.items.includes(item)) return "unknown";
  if (isRevoked(known.bits, held, item, query)) return "revoked";
  if (isDisputed(known, held, item, query)) return "disputed";
  const terms = onItsTerms(known, license, query);
  if (terms !== "granted") return terms;
  for (const party of held.consent.parties) {
    const reason = party === held.consent.contributor ? "granted" : ofParty(known, party, held, item, query);
    if (reason !== "granted") return reason;
  }
  return "granted";
}

/** Rules 8.3 to 8.6. */
export function onItsTerms(known, license, query) {
  const { consent } = known.licenses.get(license);
  if (!(query.now >= consent.issuedAt)) return "not-yet-valid";
  if (!(query.now < consent.expiresAt)) return "expired";
  return mayUse(known, license, query);
}

/** Rule 8.7. */
function ofParty(known, party, held, item, query) {
  const theirs = [...known.licenses]
    .filter(
      ([license, { consent, items }]) =>
        consent.contributor === party &&
        consent.parties.join() === held.consent.parties.join() &&
        items.includes(item) &&
        onItsTerms(known, license, query) === "granted",
    )
    .map(([, one]) => one);
  if (theirs.length === 0) return "incomplete";
  const all = theirs.every((one) => isRevoked(known.bits, one, item, query));
  return all ? "revoked" : "granted";
}
