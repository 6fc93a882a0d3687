// Disputes, and which rows they stop: rules 3.15, 8.17 and 8.18.

import { scopeWord } from "./scopes.js";

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
export const isWithdrawn = (known, { digest, signer }) =>
  [`statement ${digest}`, "statements"].some((one) => (known.bits.get(signer)?.get(scopeWord(one)) ?? 0n) & 1n);
