// Ed25519 as rule 4.5.2 has it, for browsers whose crypto.subtle lacks it and for pages by plain http: without the
// cofactor, with canonical encodings, and without points of small order. It only verifies, so it has no secrets.

import { sha512 } from "@noble/hashes/sha2";

import { join } from "./bytes.js";

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** A point in extended coordinates (RFC 8032, 5.1.4): x = X/Z, y = Y/Z, T = XY/Z. */
type Point = [bigint, bigint, bigint, bigint];
const ZERO: Point = [0n, 1n, 1n, 0n];

function mod(value: bigint, by = P): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function add([x, y, z, t]: Point, [u, v, w, s]: Point): Point {
  const [a, b, c, d] = [mod((y - x) * (v - u)), mod((y + x) * (v + u)), mod(2n * t * s * D), mod(2n * z * w)];
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

const twice = (point: Point): Point => add(point, point);

/** The sum of both products, in the time of one. */
function both(scalar: bigint, point: Point, other: bigint, second: Point): Point {
  const steps = [ZERO, point, second, add(point, second)];
  let total = ZERO;
  for (let bit = 252n; bit >= 0n; bit--) {
    total = twice(total);
    const at = Number((scalar >> bit) & 1n) + 2 * Number((other >> bit) & 1n);
    if (at > 0) total = add(total, steps[at]!);
  }
  return total;
}

const little = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** The point of 32 bytes; null if they are not the canonical form of one (RFC 8032, 5.1.3). */
function decoded(bytes: Uint8Array): Point | null {
  const sign = BigInt(bytes[31]! >> 7);
  const y = little(bytes) & (2n ** 255n - 1n);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x - square) !== 0n || (x === 0n && sign === 1n)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

const equal = ([x, y, z]: Point, [u, v, w]: Point): boolean => mod(x * w - u * z) === 0n && mod(y * w - v * z) === 0n;
const isSmall = (point: Point): boolean => equal(twice(twice(twice(point))), ZERO);

const Y = mod(4n * power(5n, P - 2n));
const BASE = decoded(Uint8Array.from({ length: 32 }, (_, at) => Number((Y >> BigInt(8 * at)) & 255n)))!;

/** Whether `key` signed `message`. */
export function isSignedBy(key: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  const [first, scalar] = [signature.slice(0, 32), little(signature.slice(32))];
  const [point, nonce] = [decoded(key), decoded(first)];
  if (!point || !nonce || scalar >= ORDER || isSmall(point) || isSmall(nonce)) return false;
  const challenge = mod(little(sha512(join(first, key, message))), ORDER);
  const [u, v, w, s] = point;
  return equal(both(scalar, BASE, challenge, [-u, v, w, -s]), nonce);
}
