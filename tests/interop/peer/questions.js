// Section 11: the requests of sync, which a responder refuses or reads.

import { require } from "../bytes.js";
import { unpack } from "../packing.js";

export const [CONSENTS, REVOCATIONS, STATEMENTS] = [1n, 2n, 3n];
const [NODES, WANTED, SHORT, DEEPEST, CELLS] = [1024, 1024, 5, 63n, 23n];
const FIELDS = { 1: 5, 2: 4, 3: 5, 4: 4, 5: 4, 6: 2, 7: 3, 8: 1 };
const KINDS = [CONSENTS, REVOCATIONS, STATEMENTS];

/** A request as an array, with the numbers of its nodes for their bytes; refuses any other. */
export function readQuestion(bytes) {
  require(bytes.length <= 1_048_576, "too-large", "a request has at most 1 MiB");
  const question = unpack(bytes);
  valid(Array.isArray(question), "a request is an array");
  const [what, ...rest] = question;
  valid(what in FIELDS && question.length === FIELDS[what], "no such request");
  return [what, ...READERS[what](...rest)];
}

const READERS = {
  /** 11.4. */
  1(kind, salt, step, packed) {
    checkHead(kind, salt);
    const nodes = readNodes(packed);
    valid(step >= 1n && step <= 4n && levelOf(nodes[0]) + step <= DEEPEST, "a step of 1 to 4, to level 63");
    return [kind, salt, step, nodes];
  },
  /** 11.5. */
  2(kind, salt, packed) {
    checkHead(kind, salt);
    return [kind, salt, readNodes(packed)];
  },
  /** 11.7. */
  3(kind, salt, packed, ids) {
    checkHead(kind, salt);
    const nodes = readNodes(packed);
    valid(Array.isArray(ids) && ids.every(Buffer.isBuffer), "short ids are bytes");
    const fits = ids.length === nodes.length && ids.every((one) => one.length > 0 && one.length % SHORT === 0);
    valid(ids.length === 0 || fits, "short ids for each node");
    valid(ids.reduce((sum, one) => sum + one.length, 0) <= WANTED * SHORT, "at most 1,024 messages");
    return [kind, salt, nodes, ids];
  },
  /** 11.8. */
  4(kind, node, after) {
    valid(kind === CONSENTS || kind === STATEMENTS, "revocations have no ranges");
    checkNode(node);
    valid(Buffer.isBuffer(after) && [0, 32].includes(after.length), "a digest has 32 bytes");
    return [kind, node, after];
  },
  /** 11.6. */
  5(kind, salt, node) {
    checkHead(kind, salt);
    checkNode(node);
    return [kind, salt, node];
  },
  /** 11.14. */
  8() {
    return [];
  },
  /** 11.9. */
  6(envelopes) {
    valid(Array.isArray(envelopes) && envelopes.length > 0 && envelopes.every(Buffer.isBuffer), "an offer");
    return [envelopes];
  },
  /** 11.13. */
  7(kind, packed) {
    valid(kind === CONSENTS || kind === STATEMENTS, "revocations have no cells");
    const nodes = readNodes(packed);
    valid(levelOf(nodes[0]) <= CELLS, "cells down to level 23");
    return [kind, nodes];
  },
};

/** 11.3: the nodes in a request. */
function readNodes(bytes) {
  valid(Buffer.isBuffer(bytes), "nodes are bytes");
  const nodes = [];
  let [difference, shift] = [0n, 0n];
  for (const byte of bytes) {
    difference |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte & 0x80) {
      valid(shift <= 64n, "a node below 2^64");
      continue;
    }
    require(byte !== 0, "not-canonical", "not ascending, or not in the shortest form");
    nodes.push((nodes.at(-1) ?? 0n) + difference);
    [difference, shift] = [0n, 0n];
  }
  valid(shift === 0n && nodes.length > 0, "at least one node");
  require(nodes.length <= NODES, "too-large", "at most 1,024 nodes");
  const isOneLevel = levelOf(nodes[0]) === levelOf(nodes.at(-1));
  valid(isOneLevel && levelOf(nodes[0]) <= DEEPEST, "nodes of one level");
  return nodes;
}

export function levelOf(node) {
  return BigInt(node.toString(2).length - 1);
}

function checkHead(kind, salt) {
  valid(KINDS.includes(kind) && Buffer.isBuffer(salt) && salt.length === 16, "kind and salt");
}

const checkNode = (node) => valid(typeof node === "bigint" && node >= 1n, "nodes are numbered from 1");

function valid(condition, why) {
  require(condition, "malformed", why);
}
