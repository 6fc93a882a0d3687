// Section 11: what this peer holds, and its answers to questions of sync. Sets are small: nothing is indexed.

import { big, hex, number, require, sha256, unhex } from "../bytes.js";
import { digestOf, readEnvelope, wordsOf } from "../messages.js";
import { pack } from "../packing.js";
import { scopeWord } from "../scopes.js";
import { CONSENTS, REVOCATIONS, levelOf, readQuestion } from "./questions.js";

const TAG = Buffer.from("sayso sync 1\0", "ascii");
const MODULUS = 1n << 256n;
const LISTED = 256;
const RANGE = 1024;
const ANSWER_BYTES = 4_194_304;

/** The messages that a peer holds, by digest; all of them verified before they came here. */
export class Holdings {
  constructor(network, heeded = []) {
    this.network = network;
    this.heeded = heeded; // 20 bytes each, ascending
    this.messages = new Map();
  }

  /** Keep a verified message; false if it was there. */
  add(bytes, envelope = readEnvelope(bytes, this.network)) {
    const digest = digestOf(envelope);
    if (this.messages.has(digest)) return false;
    this.messages.set(digest, { bytes, envelope });
    return true;
  }

  /** 11.2: id, place and carriers of every entry of a kind, ascending by id. */
  entries(kind) {
    const found = kind === CONSENTS ? this.#consents() : kind === REVOCATIONS ? this.#words() : [];
    return found.sort((one, other) => Buffer.compare(one.id, other.id));
  }

  #of(kind) {
    return [...this.messages].filter(([, { envelope }]) => envelope.kind === kind);
  }

  #consents() {
    return this.#of("Consent").map(([digest]) => {
      const id = unhex(digest);
      return { id, place: number(id.subarray(0, 8)), carriers: [id] };
    });
  }

  #words() {
    const words = new Map();
    for (const [digest, { envelope }] of this.#of("Revocation")) {
      const { contributor, scopes } = envelope.message;
      for (const [word, mask] of [...wordsOf(envelope.message), ...scopes.map((one) => [scopeWord(one), 1n])]) {
        const key = `${contributor} ${word}`;
        const one = words.get(key) ?? { address: unhex(contributor), word, mask: 0n, carriers: [] };
        if (mask & ~one.mask && !one.carriers.at(-1)?.equals(unhex(digest))) one.carriers.push(unhex(digest));
        one.mask |= mask;
        words.set(key, one);
      }
    }
    return [...words.values()].map(({ address, word, mask, carriers }) => ({
      id: sha256(TAG, address, big(word), big(mask)),
      place: number(sha256(TAG, address, big(word)).subarray(0, 8)),
      carriers,
    }));
  }

  /** The answer to a question, or a promise of it; `take` judges what is offered. */
  async answer(question, take) {
    const [what, ...rest] = readQuestion(question);
    const answers = { 1: this.#sums, 2: this.#lists, 3: this.#give, 4: this.#range, 5: this.#check, 7: this.#cells };
    if (what === 6n) return pack(Buffer.from(await Promise.all(rest[0].map(take))));
    if (what === 8n) return pack(this.heeded); // 11.14
    return pack(answers[what].apply(this, rest));
  }

  /** 11.4. */
  #sums(kind, salt, step, nodes) {
    const entries = this.entries(kind);
    const children = nodes.flatMap((node) =>
      Array.from({ length: 2 ** Number(step) }, (_, at) => (node << step) + BigInt(at)),
    );
    return Buffer.concat(children.map((node) => fingerprint(salt, within(entries, node))));
  }

  /** 11.5. */
  #lists(kind, salt, nodes) {
    const short = (bytes) => sha256(salt, bytes).subarray(0, 5);
    const entries = this.entries(kind);
    return nodes.map((node) => {
      const own = within(entries, node).sort((one, other) => (one.place < other.place ? -1 : 1));
      if (own.length > LISTED) return null;
      return Buffer.concat(own.flatMap(({ id, carriers }) =>
        kind !== REVOCATIONS ? [short(id)] : [short(id), Buffer.from([carriers.length - 1]), ...carriers.map(short)],
      ));
    });
  }

  /** 11.6. */
  #check(kind, salt, node) {
    return sha256(salt, ...within(this.entries(kind), node).map(({ id }) => id)).subarray(0, 16);
  }

  /** 11.13: of each node its count, and the 40 bits of its sum that follow the node's own. */
  #cells(kind, nodes) {
    const entries = this.entries(kind);
    return Buffer.concat(nodes.map((node) => {
      const own = within(entries, node);
      const sum = own.reduce((total, { id }) => (total + number(id)) % MODULUS, 0n);
      const bits = (sum >> (256n - levelOf(node) - 40n)) & ((1n << 40n) - 1n);
      return Buffer.concat([Buffer.from([own.length % 256]), big(bits, 5)]);
    }));
  }

  /** 11.7. */
  #give(kind, salt, nodes, ids) {
    if (ids.length === 0) {
      const entries = this.entries(kind);
      const parts = nodes.map((node) => within(entries, node)).filter((own) => own.length <= LISTED);
      const all = parts.flat().flatMap((one) => one.carriers);
      const names = [...new Set(all.map(hex))];
      return fitting(names.slice(0, RANGE).map((name) => [name, this.messages.get(name)]));
    }
    const wanted = new Set(ids.flatMap((one) => one.toString("hex").match(/.{10}/g) ?? []));
    const named = ([digest]) => wanted.has(sha256(salt, unhex(digest)).toString("hex").slice(0, 10));
    return fitting([...this.messages].filter(named));
  }

  /** 11.8. */
  #range(kind, node, after) {
    const own = within(this.entries(kind), node).filter(({ id }) => Buffer.compare(id, after) > 0);
    return fitting(own.slice(0, RANGE).map(({ id }) => [hex(id), this.messages.get(hex(id))]));
  }
}

/** 11.4: the fingerprint of some entries. */
export function fingerprint(salt, entries) {
  const sum = entries.reduce((total, { id }) => (total + number(id)) % MODULUS, 0n);
  return sha256(salt, big(sum), big(BigInt(entries.length), 8)).subarray(0, 5);
}

function within(entries, node) {
  const level = levelOf(node);
  return entries.filter(({ place }) => ((1n << level) | (place >> (64n - level))) === node);
}

function fitting(messages) {
  let size = 0;
  return messages.map(([, { bytes }]) => bytes).filter((bytes) => (size += bytes.length + 5) <= ANSWER_BYTES);
}


