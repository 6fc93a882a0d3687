// Rules 4.5 and 9.4: a node's signed promise to keep a revocation. The person can keep it as a proof.

import { join, same, unhex, utf8 } from "./bytes.js";
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

/** Whether it is this node's promise of this revocation on this network. */
export async function isPromise(
  one: Acknowledgement,
  digest: string,
  network: Network,
  nodeKey: string,
): Promise<boolean> {
  const here = one.network.chain_id === network.chain_id && same(one.network.registry, network.registry);
  if (!here || one.digest !== digest || one.node_key !== nodeKey) return false;
  const key = unhex(`0x${one.node_key}`);
  const content = pack([
    [network.chain_id, unhex(network.registry)],
    key,
    unhex(digest),
    [one.block.number, unhex(one.block.hash)],
    one.time,
  ]);
  return isSigned(key, join(utf8("sayso acknowledgement 1\0"), content), unhex(one.signature));
}

/** By the browser's own Ed25519. An old one has none, and one that is not on https may not use it. */
async function isSigned(key: Uint8Array, content: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  const imported = await subtle?.importKey("raw", key as BufferSource, "Ed25519", false, ["verify"]).catch(() => null);
  if (!subtle || !imported) return true; // it is saved all the same, and the command checks it
  return subtle.verify("Ed25519", imported, signature as BufferSource, content as BufferSource);
}
