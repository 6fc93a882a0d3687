// Scopes and permission words: rules 3.3, 3.6 and section 5.

import { encodeAbiParameters, keccak256, stringToHex } from "viem";

import { NOBODY, require } from "./bytes.js";

const SCOPE_FLAG = 1n << 247n;
const WORD = (1n << 248n) - 1n;
const PURPOSE = /^[a-z][a-z0-9-]{0,31}$/;
const LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const DOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})+$`);
const SUBJECT = /^(everything|via [^ ]+|(file|agreement) 0x[0-9a-f]{64}|to 0x[0-9a-f]{40})$/;
const OWN = /^(statement 0x[0-9a-f]{64}|statements|statements to 0x[0-9a-f]{40})$/;

export function checkPurpose(name) {
  require(PURPOSE.test(name), "invalid-purpose", name);
}

export function checkDomain(domain) {
  require(domain.length <= 100 && DOMAIN.test(domain), "invalid-scope", domain);
}

/** Rule 5.3: what everybody carries. */
export function checkCarried(scope) {
  require(/^[\x20-\x7e]{1,200}$/.test(scope), "invalid-scope", scope);
}

/** Rule 5.1: what may be made. */
export function checkScope(scope) {
  checkCarried(scope);
  require(!/(^| )to 0x0{40}( |$)/.test(scope), "invalid-scope", "to nobody");
  if (OWN.test(scope)) return;
  const [sentence, ...purpose] = scope.replace(/^ward 0x[0-9a-f]{40} /, "").split(" for ");
  require(SUBJECT.test(sentence), "invalid-scope", scope);
  if (sentence.startsWith("via ")) checkDomain(sentence.slice(4));
  if (purpose.length > 0) checkPurpose(purpose.join(" for "));
}

/** Rule 5.2. */
export function scopeWord(scope) {
  return (BigInt(keccak256(stringToHex(scope))) & WORD) | SCOPE_FLAG;
}

/** Rule 5.4, for the asker and the purpose of a query. */
export function scopesOver(consent, item, query, ward = "") {
  const subjects = [
    "everything",
    `agreement ${agreementOf(consent)}`,
    `file ${item}`,
    ...(consent.via === "" ? [] : [`via ${consent.via}`]),
    ...toEach(consent.grantee, query.grantee),
  ];
  return withPurpose(subjects, query, ward);
}

/** Rule 9.7.4: the scopes over every consent of somebody on this item. */
export const scopesOverAll = (item, query) =>
  withPurpose(["everything", `file ${item}`, ...toEach(query.grantee)], query);

const withPurpose = (subjects, { purpose }, ward = "") =>
  subjects.flatMap((one) => [`${ward}${one}`, `${ward}${one} for ${purpose}`]);

const toEach = (...people) => [...new Set(people)].filter((one) => one !== NOBODY).map((one) => `to ${one}`);

/** Rule 5.5. */
export function agreementOf(consent) {
  const types = ["address", "string", "bytes32", "string[]"].map((type) => ({ type }));
  const terms = [consent.grantee, consent.via, consent.content, consent.purposes];
  return keccak256(encodeAbiParameters(types, terms));
}

/** Rule 5.5: the first word of a consent. */
export const baseWord = (consent) => BigInt(agreementOf(consent)) & WORD & ~SCOPE_FLAG & ~63n;

/** Rule 8.5: whether the asker is another than the consent's grantee, which is not zero. */
export const needsChain = (consent, query) => ![NOBODY, query.grantee].includes(consent.grantee.toLowerCase());

/** Rule 8.2.6: the queries for which rule 8.2 is applied. */
export const queriesOf = (consent, query) =>
  needsChain(consent, query) ? [query, { ...query, purpose: "resale" }] : [query];

/** Rule 8.2: whether these messages' bits take back one item for the asker and purpose of a query. */
export const isRevoked = (bits, held, item, query) =>
  queriesOf(held.consent, query).some((one) => isRevokedFor(bits, held, item, one));

function isRevokedFor(bits, { consent, items }, item, query) {
  const { purpose } = query;
  const own = bits.get(consent.contributor.toLowerCase()) ?? new Map();
  const at = consent.purposes.indexOf(purpose);
  if (at >= 0) {
    const bit = BigInt(items.indexOf(item) * consent.purposes.length + at);
    const mask = own.get(baseWord(consent) + bit / 256n) ?? 0n;
    if ((mask >> bit % 256n) & 1n) return true;
  }
  const set = (known, ward) =>
    scopesOver(consent, item, query, ward).some((one) => (known.get(scopeWord(one)) ?? 0n) & 1n);
  if (set(own)) return true;
  if (consent.guardian === NOBODY) return false;
  const guardians = bits.get(consent.guardian.toLowerCase()) ?? new Map();
  return set(guardians, `ward ${consent.contributor.toLowerCase()} `);
}
