// Rule 6: envelopes and bundles in canonical msgpack, so that signed messages can be saved as a file that
// every node accepts. Bundles from elsewhere are submitted unchanged.

import { big, join, unhex, utf8 } from "./bytes.js";
import type { Consent, Network, Revocation } from "./messages.js";

type Value = null | number | string | Uint8Array | Value[];

/** The canonical bytes of a value (6.1). */
export function pack(value: Value): Uint8Array {
  if (value === null) return Uint8Array.of(0xc0);
  if (typeof value === "number") return integer(value);
  if (typeof value === "string") {
    const bytes = utf8(value);
    const head = bytes.length < 32 ? Uint8Array.of(0xa0 + bytes.length) : sized(bytes.length, [0xd9, 0xda, 0xdb]);
    return join(head, bytes);
  }
  if (value instanceof Uint8Array) return join(sized(value.length, [0xc4, 0xc5, 0xc6]), value);
  const head = value.length < 16 ? Uint8Array.of(0x90 + value.length) : sized(value.length, [0, 0xdc, 0xdd]);
  return join(head, ...value.map(pack));
}

function integer(value: number): Uint8Array {
  if (value < 0x80) return Uint8Array.of(value);
  const size = value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x100000000 ? 4 : 8;
  const first = { 1: 0xcc, 2: 0xcd, 4: 0xce, 8: 0xcf }[size];
  return join(Uint8Array.of(first), big(BigInt(value), size));
}

/** A length in one, two or four bytes after its type byte; a type 0 does not exist. */
function sized(length: number, forms: [number, number, number]): Uint8Array {
  if (length < 0x100 && forms[0]) return Uint8Array.of(forms[0], length);
  if (length < 0x10000) return join(Uint8Array.of(forms[1]), big(BigInt(length), 2));
  return join(Uint8Array.of(forms[2]), big(BigInt(length), 4));
}

const words = (values: string[]): Value[] => values.map((one) => big(BigInt(one)));
const place = (network: Network): Value => [network.chain_id, unhex(network.registry)];

/** `network` is the one under which it was signed (6.2.5). */
export function revocationEnvelope(one: Revocation, signature: string, network: Network): Uint8Array {
  const struct: Value = [one.notice, unhex(one.contributor), one.scopes, words(one.words), words(one.masks)];
  return pack([1, 2, struct, [], unhex(signature), place(network), null]);
}

export function consentEnvelope(one: Consent, items: string[], signature: string, network: Network): Uint8Array {
  const struct: Value = [
    one.notice,
    unhex(one.contributor),
    one.parties.map(unhex),
    unhex(one.grantee),
    one.via,
    unhex(one.content),
    one.items,
    one.purposes,
    unhex(one.terms),
    one.termsUri,
    unhex(one.guardian),
    one.issuedAt,
    one.expiresAt,
    one.recheckHours,
    one.removalDays,
  ];
  return pack([1, 1, struct, items.map(unhex), unhex(signature), place(network), null]);
}

/** Rule 7.1: a bundle, the form of transport and of .sayso files. */
export const bundle = (envelopes: Uint8Array[]): Uint8Array => pack(envelopes);
