// Bytes, hashes and addresses as text (rules 1.2 and 1.3). Hashes are lower-case hexadecimal text.

import { sha256 } from "@noble/hashes/sha2";
import { keccak_256 } from "@noble/hashes/sha3";

export const NOBODY = "0x" + "00".repeat(20);
export const NO_HASH = "0x" + "00".repeat(32);

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hex(bytes: Uint8Array): string {
  let text = "0x";
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

export function unhex(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length - 2) / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16);
  return bytes;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function join(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A number as `size` big-endian bytes. */
export const big = (value: bigint, size = 32): Uint8Array =>
  unhex("0x" + value.toString(16).padStart(2 * size, "0"));

export const number = (bytes: Uint8Array): bigint => BigInt(hex(bytes));
export const keccak = (bytes: Uint8Array): Uint8Array => keccak_256(bytes);
export const sha = (...parts: Uint8Array[]): Uint8Array => sha256(join(...parts));

/** An address in the mixed case of EIP-55. */
export function checksummed(address: string): string {
  const plain = address.slice(2).toLowerCase();
  const hash = hex(keccak(utf8(plain))).slice(2);
  let text = "0x";
  for (let at = 0; at < plain.length; at++) {
    text += parseInt(hash[at]!, 16) >= 8 ? plain[at]!.toUpperCase() : plain[at];
  }
  return text;
}

/** Rule 1.2: all lower case, or the mixed case of EIP-55; null if it is neither. */
export function readAddress(text: string): string | null {
  const tidy = text.trim();
  if (!/^0x[0-9a-fA-F]{40}$/.test(tidy)) return null;
  const right = checksummed(tidy);
  return tidy === right || tidy === tidy.toLowerCase() ? right : null;
}

export const isHash = (text: string): boolean => /^0x[0-9a-f]{64}$/.test(text);
export const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** How a hash or an address begins and ends, for people to compare; never on two lines (UAX 14, word joiners). */
export const short = (text: string): string => `${text.slice(0, 6)}\u2060…\u2060${text.slice(-4)}`;
