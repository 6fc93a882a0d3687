// Who may use a license besides its grantee: rules 3.12, 5.9, 7.17.1, 8.5 and 8.15.

import { NOBODY } from "./bytes.js";
import { needsChain, scopeWord } from "./scopes.js";

const NONE = "0x" + "00".repeat(32);
const DEPTH = 4;

/** Rule 7.17.1: the depth of a sublicense for a license; 0 if it does not meet the parent rule. */
export function depthOf(known, license, one, most = DEPTH) {
  if (!one?.names.includes(license) || most === 0) return 0;
  if (one.parent === NONE) return Number(one.signer === known.licenses.get(license).consent.grantee);
  const above = known.sublicenses.get(one.parent);
  const depth = above?.grantee === one.signer ? depthOf(known, license, above, most - 1) : 0;
  return depth && depth + 1;
}

/** Rule 8.15: the sublicenses of a license to a grantee that meet the rule, in rank. */
function ranked(known, license, grantee) {
  return [...known.sublicenses.values()]
    .filter((one) => one.grantee === grantee && depthOf(known, license, one) > 0)
    .sort((one, other) => {
      const deeper = depthOf(known, license, one) - depthOf(known, license, other);
      return deeper || Number(other.expiresAt - one.expiresAt) || (one.digest < other.digest ? -1 : 1);
    });
}

/** Rule 8.15.2. */
export function counting(known, license, grantee) {
  const seen = new Map();
  return ranked(known, license, grantee)
    .filter(({ digest }) => !known.isDisplaced?.(license, digest)) // 13.10.5
    .filter(({ signer }) => seen.set(signer, (seen.get(signer) ?? 0) + 1).get(signer) <= 16)
    .slice(0, 256);
}

const isSet = (known, who, scope) => ((known.bits.get(who)?.get(scopeWord(scope)) ?? 0n) & 1n) === 1n;

/** Rule 5.9. */
export const isWithdrawn = (known, { digest, signer, grantee }) =>
  [`statement ${digest}`, "statements", `statements to ${grantee}`].some((one) => isSet(known, signer, one));

/** Rule 8.5.4: whether contributor or guardian stop a holder. */
function isStopped(known, { contributor, guardian }, holder, purpose) {
  const scopes = ["", ` for ${purpose}`, " for resale"].map((end) => `to ${holder}${end}`);
  const wards = guardian === NOBODY ? [] : scopes.map((one) => `ward ${contributor} ${one}`);
  return (
    scopes.some((one) => isSet(known, contributor, one)) || wards.some((one) => isSet(known, guardian, one))
  );
}

/** Rule 8.5.4; `isSure` says of each sublicense whether it may be relied on. */
function isOpen(known, license, one, { purpose, now }, isSure = () => true) {
  if (!isSure(one)) return false;
  const { consent } = known.licenses.get(license);
  if (!counting(known, license, one.grantee).includes(one)) return false;
  if (now < one.issuedAt || now >= one.expiresAt || !one.purposes.includes(purpose)) return false;
  if (isWithdrawn(known, one)) return false;
  if ([one.signer, one.grantee].some((holder) => isStopped(known, consent, holder, purpose))) return false;
  const above = one.parent === NONE ? consent : known.sublicenses.get(one.parent);
  if (![purpose, "resale"].every((name) => above.purposes.includes(name))) return false;
  return above === consent || isOpen(known, license, above, { purpose, now }, isSure);
}

/** Rule 8.9: whether the asker needs no chain, or has one of sublicenses that are sure. */
export function isSurelyOpen(known, license, query, isSure) {
  if (!needsChain(known.licenses.get(license).consent, query)) return true;
  return ranked(known, license, query.grantee).some((one) => isOpen(known, license, one, query, isSure));
}

/** Rules 8.5 and 8.6. */
export function mayUse(known, license, query) {
  const { consent } = known.licenses.get(license);
  const through = needsChain(consent, query) ? ranked(known, license, query.grantee) : null;
  if (through?.length === 0) return "other-grantee";
  if (!consent.purposes.includes(query.purpose)) return "purpose-not-granted";
  if (through && !through.some((one) => isOpen(known, license, one, query))) return "withdrawn";
  return "granted";
}
