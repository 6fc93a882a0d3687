// The trees of rules 4.1, 4.7 and 9.2.

import { ascii, big, require, sha256 } from "./bytes.js";

const ARITY = 32;

/** Rules 4.1 and 9.2: 32 leaves or nodes make one node, until there is one. */
export function wideRoot(leaves, tag = 1) {
  let nodes = leaves;
  for (let level = 0; level === 0 || nodes.length > 1; level++) {
    const groups = Math.ceil(nodes.length / ARITY);
    nodes = Array.from({ length: groups }, (_, at) =>
      sha256(Buffer.from([tag, level]), ...nodes.slice(at * ARITY, (at + 1) * ARITY)),
    );
  }
  return nodes[0];
}

export const resultsRoot = (leaves) => wideRoot(leaves, 2);

const leafHash = (data) => sha256(Buffer.from([0]), data);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);

/** RFC 9162, section 2.1.1, as it is written there: by splitting. */
export function binaryRoot(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leafHash(leaves[0]);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(binaryRoot(leaves.slice(0, split)), binaryRoot(leaves.slice(split)));
}

/** RFC 9162, section 2.1.3.2; refuses `bad-proof`. */
export function checkPath(leaf, index, count, path, root) {
  require(index >= 0 && index < count, "bad-proof", "there is no such leaf");
  let [fn, sn, node] = [index, count - 1, leafHash(leaf)];
  for (const step of path) {
    require(sn !== 0, "bad-proof", "the path is too long");
    if (fn % 2 === 1 || fn === sn) {
      node = nodeHash(step, node);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else {
      node = nodeHash(node, step);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  require(sn === 0 && node.equals(root), "bad-proof", "the path leads elsewhere");
}

/** Rule 9.2: that one row got one reason; `path` holds the other children of each node, joined. */
export function checkRow(row, reason, index, count, path, root) {
  require(index >= 0 && index < count && path.length > 0, "bad-proof", "there is no such row");
  let [node, at, width] = [Buffer.concat([row, Buffer.from([reason])]), index, count];
  path.forEach((others, level) => {
    const first = at - (at % ARITY);
    const size = (Math.min(ARITY, width - first) - 1) * node.length;
    require(others.length === size, "bad-proof", "the path does not fit the number of rows");
    const cut = (at - first) * node.length;
    node = sha256(Buffer.from([2, level]), others.subarray(0, cut), node, others.subarray(cut));
    [at, width] = [Math.floor(at / ARITY), Math.ceil(width / ARITY)];
  });
  require(width === 1 && node.equals(root), "bad-proof", "the path leads elsewhere");
}

/** Rule 10.1. */
export function batchRoot(nodeKey, count, tree) {
  return sha256(ascii("sayso batch 1\0"), nodeKey, big(BigInt(count), 8), tree);
}
