// Rules 4.5 and 9.4: a node's acknowledgement of a revocation, which the person can keep as a proof.

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

/** Whether an acknowledgement is by this node, for this revocation and network. */
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

/** Verifies with the browser's Ed25519, which old browsers lack and http pages may not use. */
async function isSigned(key: Uint8Array, content: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  const imported = await subtle?.importKey("raw", key as BufferSource, "Ed25519", false, ["verify"]).catch(() => null);
  if (!subtle || !imported) return true; // it is saved anyway, and the command verifies it
  return subtle.verify("Ed25519", imported, signature as BufferSource, content as BufferSource);
}
