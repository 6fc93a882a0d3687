// Rule 6.1: canonical msgpack. Text is a string, bytes are a Buffer, integers are BigInt, nil is null.

import { Refused, big, number, require } from "./bytes.js";

const DEPTH = 8;
const ELEMENTS = 1024;
const INTEGERS = { 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 };
const SIGNED = { 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 }; // of a number that is not negative: a longer form
const TEXTS = { 0xd9: 1, 0xda: 2, 0xdb: 4 };
const BYTES = { 0xc4: 1, 0xc5: 2, 0xc6: 4 };
const ARRAYS = { 0xdc: 2, 0xdd: 4 };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Read the one value that these bytes are; refuses `malformed` and `not-canonical`. */
export function unpack(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  require(reader.at === bytes.length, "malformed", "something follows the value");
  require(pack(value).equals(bytes), "not-canonical", "a shorter form says the same");
  return value;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(size) {
    require(this.at + size <= this.bytes.length, "malformed", "truncated");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  count(size) {
    return Number(number(this.take(size)));
  }

  value(depth) {
    const [first] = this.take(1);
    if (first <= 0x7f) return BigInt(first);
    if (first === 0xc0) return null;
    if (first in INTEGERS) return number(this.take(INTEGERS[first]));
    if (first in SIGNED) return this.unsigned(this.take(SIGNED[first]));
    if (first in BYTES) return this.take(this.count(BYTES[first]));
    if (first in TEXTS) return this.text(this.count(TEXTS[first]));
    if (first >= 0xa0 && first <= 0xbf) return this.text(first & 0x1f);
    if (first in ARRAYS) return this.array(this.count(ARRAYS[first]), depth);
    if (first >= 0x90 && first <= 0x9f) return this.array(first & 0x0f, depth);
    throw new Refused("malformed", `no type begins with ${first}`);
  }

  unsigned(bytes) {
    require(bytes[0] < 0x80, "malformed", "a negative number");
    return number(bytes);
  }

  text(size) {
    try {
      return utf8.decode(this.take(size));
    } catch (error) {
      throw error instanceof Refused ? error : new Refused("malformed", "text is not UTF-8");
    }
  }

  array(count, depth) {
    require(depth < DEPTH && count <= ELEMENTS, "malformed", "an array is too deep or too long");
    return Array.from({ length: count }, () => this.value(depth + 1));
  }
}

/** The canonical bytes of a value. */
export function pack(value) {
  if (value === null) return Buffer.from([0xc0]);
  if (typeof value === "bigint") return integer(value);
  if (typeof value === "string") return text(Buffer.from(value, "utf8"));
  if (Array.isArray(value)) {
    const head = headed(value.length, { 15: 0x90 }, ARRAYS);
    return Buffer.concat([head, ...value.map(pack)]);
  }
  return Buffer.concat([headed(value.length, {}, BYTES), value]);
}

function integer(value) {
  if (value <= 0x7fn) return Buffer.from([Number(value)]);
  const [first, size] = Object.entries(INTEGERS).find(([, size]) => value < 1n << BigInt(8 * size));
  return Buffer.concat([Buffer.from([Number(first)]), big(value, size)]);
}

function text(bytes) {
  return Buffer.concat([headed(bytes.length, { 31: 0xa0 }, TEXTS), bytes]);
}

/** The first bytes of something with a length: the short form where there is one and it fits. */
function headed(length, short, long) {
  for (const [limit, first] of Object.entries(short)) {
    if (length <= Number(limit)) return Buffer.from([first + length]);
  }
  const [first, size] = Object.entries(long).find(([, size]) => length < 2 ** (8 * size));
  return Buffer.concat([Buffer.from([Number(first)]), big(BigInt(length), size)]);
}
