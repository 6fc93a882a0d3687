// Scopes, and the words and masks of permissions: section 5.

import { NOBODY, big, hex, join, keccak, number, same, unhex, utf8 } from "./bytes.js";
import type { Consent, Revocation } from "./messages.js";

const FLAG = 1n << 247n;
const WORD = (1n << 248n) - 1n;
const LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const DOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})+$`);

export const isPurpose = (name: string): boolean => /^[a-z][a-z0-9-]{0,31}$/.test(name);
export const isDomain = (name: string): boolean => name.length <= 100 && DOMAIN.test(name);

/** Rule 5.1; `ward` is the address for which a guardian acts. */
export function scopeText(subject: string, purpose = "", ward = ""): string {
  return (ward && `ward ${ward.toLowerCase()} `) + subject + (purpose && ` for ${purpose}`);
}

/** Rule 5.2. */
export const scopeWord = (scope: string): bigint => (number(keccak(utf8(scope))) & WORD) | FLAG;

type Agreed = Pick<Consent, "grantee" | "via" | "content" | "purposes">;

const agreements = new WeakMap<Agreed, string>(); // a card that is drawn again hashes nothing again

/** Rule 5.5: the hash of Solidity's abi.encode(address, string, bytes32, string[]), which renewals share. */
export function agreementOf(one: Agreed): string {
  const known = agreements.get(one);
  if (known) return known;
  const via = abiString(one.via);
  const purposes = abiStrings(one.purposes);
  const head = [big(BigInt(one.grantee)), big(128n), unhex(one.content), big(128n + BigInt(via.length))];
  const made = hex(keccak(join(...head, via, purposes)));
  agreements.set(one, made);
  return made;
}

/** Rule 5.5: the first word of a consent. */
export const baseWord = (one: Agreed): bigint => BigInt(agreementOf(one)) & WORD & ~FLAG & ~63n;

function abiString(text: string): Uint8Array {
  const bytes = utf8(text);
  return join(big(BigInt(bytes.length)), bytes, new Uint8Array((32 - (bytes.length % 32)) % 32));
}

export function abiStrings(texts: string[]): Uint8Array {
  const tails = texts.map(abiString);
  let at = 32 * texts.length;
  const heads = tails.map((tail) => {
    at += tail.length;
    return big(BigInt(at - tail.length));
  });
  return join(big(BigInt(texts.length)), ...heads, ...tails);
}

/** Words and masks of some items of a license, by position, for some of its purposes. */
export function masksOf(one: Consent, positions: number[], purposes: string[]): [bigint, bigint][] {
  const base = baseWord(one);
  const width = one.purposes.length;
  const masks = new Map<bigint, bigint>();
  const columns = purposes.map((name) => one.purposes.indexOf(name)).filter((at) => at >= 0);
  for (const item of positions) {
    for (const column of columns) {
      const bit = item * width + column;
      const word = base + BigInt(bit >> 8);
      masks.set(word, (masks.get(word) ?? 0n) | (1n << BigInt(bit & 255)));
    }
  }
  return [...masks].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Whether a node's `revoked_masks` contain a permission. */
export const isSet = (masks: bigint[], width: number, item: number, purpose: number): boolean => {
  const bit = item * width + purpose;
  return Boolean(((masks[bit >> 8] ?? 0n) >> BigInt(bit & 255)) & 1n);
};

/** All words and masks of a revocation, including those of its scopes (5.6). */
export function bitsOf(one: Revocation): [bigint, bigint][] {
  const words = one.words.map((word, at): [bigint, bigint] => [BigInt(word), BigInt(one.masks[at]!)]);
  return [...one.scopes.map((scope): [bigint, bigint] => [scopeWord(scope), 1n]), ...words];
}

/** The parts of a scope (5.1): its subject, and what follows ` for `, if anything does. */
export function partsOf(scope: string): { ward: string; subject: string; purpose: string } {
  const ward = /^ward (0x[0-9a-f]{40}) /.exec(scope)?.[1] ?? "";
  const [subject, ...rest] = scope.replace(/^ward 0x[0-9a-f]{40} /, "").split(" for ");
  return { ward, subject: subject!, purpose: rest.join(" for ") };
}

/** How many permissions of a license a scope covers for its grantee; `file` scopes are not counted here. */
export function reached(scope: string, signer: string, one: Consent): number {
  const { ward, subject, purpose } = partsOf(scope);
  const speaks = ward
    ? same(ward, one.contributor) && same(signer, one.guardian) && !same(signer, NOBODY)
    : same(signer, one.contributor);
  if (!speaks) return 0;
  const covers =
    subject === "everything" ||
    subject === `via ${one.via}` ||
    (subject === `to ${one.grantee.toLowerCase()}` && !same(one.grantee, NOBODY)) ||
    (subject.startsWith("agreement ") && subject === `agreement ${agreementOf(one)}`); // hashed only if asked
  if (!covers) return 0;
  if (!purpose) return one.items * one.purposes.length;
  return one.purposes.includes(purpose) ? one.items : 0;
}
