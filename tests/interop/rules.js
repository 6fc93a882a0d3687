// Section 3: which messages are valid. Everything here depends on the message alone.

import { NOBODY, hex, require } from "./bytes.js";
import { codeOf, sized } from "./fields.js";
import { noticeOf } from "./notices.js";
import { checkCarried, checkDomain, checkPurpose } from "./scopes.js";
import { wideRoot } from "./trees.js";

const LATEST = 253_402_300_799n;
const TEN_YEARS = 315_619_200n;
const DISPUTED = 31_622_400n;
const ascending = (values) => values.every((one, at) => at === 0 || values[at - 1] < one);

/** That a message with these hashes beside it keeps the rules of its kind. */
export function checkMessage(kind, message, items) {
  const valid = (condition, why) => require(condition, codeOf(kind), why);
  if (kind === "Revocation") require(items.length === 0, "malformed", "a revocation has no items");
  const hashes = items.map((one) => hex(sized(one, 32, codeOf(kind)))); // 3.7.2, 3.11.4
  CHECKS[kind](message, valid, hashes);
  valid(message.notice === noticeOf(kind, message), "another notice"); // 3.10
}

/** Rules 3.1 to 3.7. */
function checkConsent(one, valid, hashes) {
  valid(one.contributor !== NOBODY, "no contributor");
  valid(one.parties.length >= 1 && one.parties.length <= 16 && ascending(one.parties), "parties");
  valid(one.parties.includes(one.contributor), "the contributor is no party");
  valid(one.items >= 1n && one.items <= 1024n, "items");
  checkTerms(one, valid);
  valid(one.recheckHours >= 1n && one.recheckHours <= 8_760n, "recheckHours");
  valid(one.removalDays >= 1n && one.removalDays <= 365n, "removalDays");
  if (one.via !== "") checkDomain(one.via);
  valid(BigInt(hashes.length) === one.items, "the number of items");
  valid(new Set(hashes).size === hashes.length, "an item occurs twice");
  valid(rootOf(hashes) === one.content, "other items than `content`");
}

/** Rules 3.3 to 3.5. */
function checkTerms(one, valid) {
  valid(one.purposes.length >= 1 && one.purposes.length <= 16 && ascending(one.purposes), "purposes");
  one.purposes.forEach(checkPurpose);
  checkSpan(one, valid, TEN_YEARS);
  valid(one.termsUri === "" || /^https:\/\/[!-~]+$/.test(one.termsUri), "termsUri");
  valid(!/[?#]/.test(one.termsUri) && one.termsUri.length <= 2048, "termsUri");
}

function checkSpan({ issuedAt, expiresAt }, valid, longest) {
  const length = expiresAt - issuedAt;
  valid(length > 0n && length <= longest && expiresAt <= LATEST, "times");
}

/** Rules 3.8 and 3.9. */
function checkRevocation({ contributor, scopes, words, masks }, valid) {
  valid(contributor !== NOBODY, "no contributor");
  valid(scopes.length <= 16 && words.length <= 64 && scopes.length + words.length > 0, "how many");
  valid(words.length === masks.length, "words and masks");
  valid(words.every((word) => word < 1n << 247n), "a scope's word");
  valid(masks.every((mask) => mask > 0n), "an empty mask");
  scopes.forEach(checkCarried);
}

/** Rule 3.11. */
function checkCommon({ signer, count, content }, valid, hashes) {
  valid(signer !== NOBODY, "no signer");
  valid(count >= 1n && count <= 1024n && BigInt(hashes.length) === count, "the number of hashes");
  valid(ascending(hashes), "hashes out of order");
  valid(rootOf(hashes) === content, "other hashes than `content`");
}

const rootOf = (hashes) => hex(wideRoot(hashes.map((one) => Buffer.from(one.slice(2), "hex"))));

const CHECKS = {
  Consent: checkConsent,
  Revocation: checkRevocation,
  /** Rule 3.12. */
  Sublicense(one, valid, hashes) {
    checkCommon(one, valid, hashes);
    valid(one.grantee !== NOBODY && one.grantee !== one.signer, "grantee");
    checkTerms(one, valid);
  },
  /** Rule 3.13. */
  Use(one, valid, hashes) {
    checkCommon(one, valid, hashes);
    checkPurpose(one.purpose);
    valid(/^[A-Za-z0-9._-]{0,64}$/.test(one.run), "run");
    valid(one.usedAt <= LATEST, "usedAt");
  },
  /** Rule 3.14. */
  Removal(one, valid, hashes) {
    checkCommon(one, valid, hashes);
    valid(one.asOfBlock < 1n << 53n, "asOfBlock");
  },
  /** Rule 3.15. */
  Dispute(one, valid, hashes) {
    checkCommon(one, valid, hashes);
    valid(["files", "contributors"].includes(one.subject), "subject");
    const people = hashes.every((hash) => hash.startsWith("0x" + "00".repeat(12)) && BigInt(hash) > 0n);
    valid(one.subject === "files" || people, "a contributor");
    valid(/^[a-z][a-z0-9-]{0,31}$/.test(one.code), "code");
    checkSpan(one, valid, DISPUTED);
  },
};
