// Rule 4.6: the sentence that a wallet shows first, of each kind of message.

import { getAddress } from "viem";

import { NOBODY } from "./bytes.js";

const REVOKING =
  "I take back what is listed here, now and for ever, wherever my signature counts. This cannot be undone.";
const DISPUTED = {
  files: ["file that shows me", "files that show me"],
  contributors: ["contributor who licenses what is not theirs", "contributors who license what is not theirs"],
};
const date = (time) => new Date(Number(time) * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
const counted = (count, one, many = `${one}s`) => `${count} ${count === 1n ? one : many}`;
const held = (count) => counted(count, "license or sublicense", "licenses or sublicenses");

const NOTICES = {
  Consent(one) {
    const others = one.parties.filter((party) => party !== one.contributor).map((party) => getAddress(party));
    return [
      `I allow use of ${counted(one.items, "item")} of mine for ${one.purposes.join(", ")}`,
      ` until ${date(one.expiresAt)} by ${one.grantee === NOBODY ? "ANYONE" : getAddress(one.grantee)}`,
      one.via && `, through ${one.via}`,
      `; to be rechecked every ${one.recheckHours === 1n ? "hour" : `${one.recheckHours} hours`}`,
      `; removed within ${counted(one.removalDays, "day")} of revocation`,
      `; from ${date(one.issuedAt)}`,
      others.length && `; together with ${others.join(", ")}`,
      one.guardian !== NOBODY && `; ${getAddress(one.guardian)} may revoke it too`,
      ". I can revoke at any time.",
    ]
      .filter(Boolean)
      .join("");
  },
  Revocation: () => REVOKING,
  Sublicense({ count, purposes, grantee, issuedAt, expiresAt }) {
    const what = `I pass on ${counted(count, "license")} for ${purposes.join(", ")}`;
    return `${what} until ${date(expiresAt)} to ${getAddress(grantee)}, from ${date(issuedAt)}. I can withdraw this.`;
  },
  Use: ({ count, purpose, run, usedAt }) =>
    `I used data of ${held(count)} for ${purpose} at ${date(usedAt)}${run && `, in run ${run}`}.`,
  Removal: ({ count, asOfBlock }) =>
    `I removed from all I hold what is revoked of ${held(count)}, as of block ${asOfBlock}.`,
  Dispute({ count, subject, code, issuedAt, expiresAt }) {
    const what = counted(count, ...DISPUTED[subject]);
    return `I dispute ${what} (${code}) until ${date(expiresAt)}, from ${date(issuedAt)}. I can withdraw this.`;
  },
};

export const noticeOf = (kind, message) => NOTICES[kind](message);
