// Scopes, and the words and masks of permissions: section 5.

import { NOBODY, big, join, keccak, number, same, unhex, utf8 } from "./bytes.js";
import type { Consent, Revocation } from "./messages.js";

const FLAG = 1n << 247n;
const WORD = (1n << 248n) - 1n;
const FULL = (1n << 256n) - 1n;
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

/** Rule 5.5: the first word of a consent, from Solidity's abi.encode(address, string, bytes32, string[]). */
export function baseWord(one: Pick<Consent, "grantee" | "via" | "content" | "purposes">): bigint {
  const via = abiString(one.via);
  const purposes = abiStrings(one.purposes);
  const head = [big(BigInt(one.grantee)), big(128n), unhex(one.content), big(128n + BigInt(via.length))];
  return number(keccak(join(...head, via, purposes))) & WORD & ~FLAG & ~63n;
}

export function abiString(text: string): Uint8Array {
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

/** Words and masks of some items (by position) for some purposes; the whole license if neither is named. */
export function masksOf(one: Consent, positions: number[] | null, purposes: string[] | null): [bigint, bigint][] {
  const base = baseWord(one);
  const width = one.purposes.length;
  if (!positions && !purposes) {
    const words = Math.ceil((one.items * width) / 256); // rule 5.8: all 256 bits of each
    return Array.from({ length: words }, (_, at) => [base + BigInt(at), FULL]);
  }
  const masks = new Map<bigint, bigint>();
  const columns = (purposes ?? one.purposes).map((name) => one.purposes.indexOf(name)).filter((at) => at >= 0);
  for (const item of positions ?? Array.from({ length: one.items }, (_, at) => at)) {
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

/** How many permissions of a license a scope covers; `file` scopes are not counted here. */
export function reached(scope: string, signer: string, one: Consent): number {
  const ward = /^ward (0x[0-9a-f]{40}) /.exec(scope)?.[1];
  const speaks = ward
    ? same(ward, one.contributor) && same(signer, one.guardian) && !same(signer, NOBODY)
    : same(signer, one.contributor);
  const [subject, purpose] = scope.replace(/^ward 0x[0-9a-f]{40} /, "").split(" for ");
  const covers = subject === "everything" || subject === `via ${one.via}`;
  if (!speaks || !covers) return 0;
  if (!purpose) return one.items * one.purposes.length;
  return one.purposes.includes(purpose) ? one.items : 0;
}
