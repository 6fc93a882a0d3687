// Ethereum's tries (EIP-1186): what stands under a key, or that nothing does.

import { fromRlp, keccak256 } from "viem";

import { require } from "./bytes.js";

const EMPTY = keccak256("0x80");

/** What a trie holds under a key (hex), null if it is shown that nothing is there; refuses what is not shown. */
export function lookUp(root, key, nodes) {
  if (root === EMPTY) return null;
  const byHash = new Map(nodes.map((node) => [keccak256(node), node]));
  let [node, path] = [root, key.slice(2)];
  for (;;) {
    if (node === "0x") return null;
    if (!Array.isArray(node)) {
      require(byHash.has(node), "bad-proof", "a node is missing");
      node = rlp(byHash.get(node));
    }
    if (node.length === 17) {
      if (path === "") return node[16] === "0x" ? null : node[16];
      [node, path] = [node[parseInt(path[0], 16)], path.slice(1)];
      continue;
    }
    require(node.length === 2, "bad-proof", "neither a branch nor a leaf");
    const halves = node[0].slice(2);
    const part = halves.slice(parseInt(halves[0], 16) & 1 ? 1 : 2);
    const isLeaf = parseInt(halves[0], 16) >= 2;
    if (isLeaf ? path !== part : !path.startsWith(part)) return null;
    if (isLeaf) return node[1];
    [node, path] = [node[1], path.slice(part.length)];
  }
}

export function rlp(encoded) {
  try {
    return fromRlp(encoded, "hex");
  } catch (error) {
    return require(false, "bad-proof", error.message);
  }
}

/** Bytes as text. */
export function bytes(text) {
  require(typeof text === "string" && /^0x([0-9a-f]{2})*$/.test(text), "malformed", "0x and lower-case digits");
  return text;
}
