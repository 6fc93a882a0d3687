// Rules 4.5 and 9.4: a node's acknowledgement of a revocation, which the person can keep as a proof.

import { big, hex, join, number, same, unhex, utf8 } from "./bytes.js";
import { isSignedBy } from "./ed25519.js"; // at once: loaded later, it would hold up the news that something is taken back
import { pack } from "./envelope.js";
import type { Network } from "./messages.js";

export interface Acknowledgement {
  type: string;
  network: Network;
  node_key: string;
  digest: string;
  block: { number: number; hash: string };
  time: number;
  signature: string;
}

/** Whether an acknowledgement is by this node, for this revocation and network. */
export function isPromise(
  one: Acknowledgement,
  digest: string,
  network: Network,
  nodeKey: string,
): boolean {
  const here = one.network.chain_id === network.chain_id && same(one.network.registry, network.registry);
  if (!here || one.digest !== digest || one.node_key !== nodeKey) return false;
  return isSigned(one);
}

/** Whether its node signed it; computed by the page itself, because many browsers and pages by plain http cannot. */
export function isSigned(one: Acknowledgement): boolean {
  const key = unhex(`0x${one.node_key}`);
  const content = pack([
    [one.network.chain_id, unhex(one.network.registry)],
    key,
    unhex(one.digest),
    [one.block.number, unhex(one.block.hash)],
    one.time,
  ]);
  const signed = join(utf8("sayso acknowledgement 1\0"), content);
  return isSignedBy(key, unhex(one.signature), signed);
}

// What the code of a printed proof carries: the fields in order, numbers in 8 bytes.
const SIZES = [8, 20, 32, 32, 8, 32, 8, 64];
const LENGTH = SIZES.reduce((sum, one) => sum + one, 0);

/** An acknowledgement as the text of a link (base64url). */
export function proofText(one: Acknowledgement): string {
  const { network, node_key, digest, block, time, signature } = one;
  const parts = [big(BigInt(network.chain_id), 8), unhex(network.registry), unhex(`0x${node_key}`), unhex(digest)];
  const bytes = join(...parts, big(BigInt(block.number), 8), unhex(block.hash), big(BigInt(time), 8), unhex(signature));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The acknowledgement of such a text; null if it is none. */
export function readProof(text: string): Acknowledgement | null {
  if (!/^[A-Za-z0-9_-]{272}$/.test(text)) return null;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  if (bytes.length !== LENGTH) return null;
  let at = 0;
  const [chain, registry, key, digest, block, hash, time, signature] = SIZES.map((size) => bytes.slice(at, (at += size))) as [
    Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array,
  ];
  return {
    type: "acknowledgement",
    network: { chain_id: Number(number(chain)), registry: hex(registry) },
    node_key: hex(key).slice(2),
    digest: hex(digest),
    block: { number: Number(number(block)), hash: hex(hash) },
    time: Number(number(time)),
    signature: hex(signature),
  };
}
