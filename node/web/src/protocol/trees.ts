// Rule 4.1: the item tree, which binds the item hashes to a consent's `content`.

import { hex, sha, unhex } from "./bytes.js";

const ARITY = 32;

export function contentRoot(items: string[]): string {
  let nodes = items.map(unhex);
  for (let level = 0; level === 0 || nodes.length > 1; level++) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < nodes.length; at += ARITY) {
      next.push(sha(Uint8Array.of(1, level), ...nodes.slice(at, at + ARITY)));
    }
    nodes = next;
  }
  return hex(nodes[0]!);
}
