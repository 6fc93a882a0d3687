// Bytes and refusals: what the other files share. Numbers are BigInt, hashes are lower-case hex text.

import { createHash } from "node:crypto";

export const NOBODY = "0x" + "00".repeat(20);

/** Thrown for whatever the protocol refuses; `code` is one of appendix A. */
export class Refused extends Error {
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

export function require(condition, code, message) {
  if (!condition) throw new Refused(code, message);
}

export const unhex = (text) => Buffer.from(text.slice(2), "hex");
export const hex = (bytes) => "0x" + Buffer.from(bytes).toString("hex");
export const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
export const ascii = (text) => Buffer.from(text, "ascii");

/** A number as `size` big-endian bytes. */
export const big = (value, size = 32) => Buffer.from(value.toString(16).padStart(2 * size, "0"), "hex");
export const number = (bytes) => BigInt(hex(bytes));
