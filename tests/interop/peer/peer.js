// A peer that shares no code with the nodes: libp2p in JavaScript, and docs/protocol.md.
//
//   node --experimental-websocket --import ./peer/polyfill.js peer/peer.js CHAIN_ID REGISTRY LISTEN [ADDRESS]
//
// It dials the node at ADDRESS, or without one waits for a node that dials it.
//
// Commands come as lines of JSON, events leave as lines of JSON. It ends with its standard input.

import { once } from "node:events";
import { createInterface } from "node:readline";

import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { gossipsub } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { webSockets } from "@libp2p/websockets";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";

import { readBundle } from "../bundles.js";
import { require } from "../bytes.js";
import { digestOf } from "../messages.js";
import { pack, unpack } from "../packing.js";
import { Holdings, fingerprint } from "./answers.js";
import { makeConsent, makeRevocation } from "./making.js";
import { CONSENTS, REVOCATIONS } from "./questions.js";

const [chainId, registry, listen, address] = process.argv.slice(2);
const network = { chainId: BigInt(chainId), registry };
const SYNC = "/sayso/sync/1"; // 11.1
const PEERS = "/sayso/peers/1"; // 14.1
const NAME = `/sayso/1/${chainId}/${registry}`; // 7.10
const TOPICS = { Consent: `${NAME}/consents`, Revocation: `${NAME}/revocations` };
const holdings = new Holdings(network);
const now = () => BigInt(Math.floor(Date.now() / 1000));
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const node = await createLibp2p({
  addresses: { listen: [listen] },
  transports: [tcp(), webSockets()], // 7.16
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: {
    identify: identify(),
    ping: ping(),
    pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, globalSignaturePolicy: "StrictSign" }),
  },
});

/** Section 7: what is heard is checked like everything else, and told to who started us. */
node.services.pubsub.addEventListener("message", async ({ detail }) => {
  try {
    await take(Buffer.from(detail.data), detail.topic.split("/").at(-1), "heard");
  } catch (error) {
    tell({ event: "refused", code: error.code ?? String(error) });
  }
});

async function take(bundle, topic, event) {
  const envelopes = await readBundle(bundle, topic, network, now());
  unpack(bundle).forEach((bytes, at) => {
    holdings.add(bytes, envelopes[at]);
    tell({ event, digest: digestOf(envelopes[at]) });
  });
}

/** 11.9: 0 for what we have now, 1 for what we decline. */
const topicOf = (bytes) => (bytes[2] === 1 ? "consents" : "revocations"); // 6.2: after version 1
const offered = (bytes) => take(pack([bytes]), topicOf(bytes), "offered").then(() => 0, () => 1);

await node.handle(SYNC, async (stream) => {
  try {
    await write(stream, await holdings.answer(await read(stream), offered));
    await stream.close();
  } catch (error) {
    stream.abort(error);
  }
});

/** 11.1: one message, after its length. */
async function read(stream) {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream) {
    bytes = Buffer.concat([bytes, chunk.subarray()]);
    const end = bytes.findIndex((byte) => byte < 0x80);
    if (end < 0) continue;
    const length = bytes.subarray(0, end + 1).reduce((sum, byte, at) => sum + (byte & 0x7f) * 2 ** (7 * at), 0);
    if (bytes.length >= end + 1 + length) return bytes.subarray(end + 1, end + 1 + length);
  }
  return require(false, "malformed", "the stream ended within a message");
}

async function write(stream, bytes) {
  const head = [];
  let length = bytes.length;
  for (; length >= 0x80; length = Math.floor(length / 128)) head.push((length & 0x7f) | 0x80);
  if (!stream.send(Buffer.from([...head, length, ...bytes]))) await stream.onDrain();
}

async function ask(protocol, question) {
  const stream = await node.dialProtocol(other, protocol);
  await write(stream, pack(question));
  const answer = await read(stream);
  await stream.close();
  return unpack(answer);
}

/** 11.4, from the other side: whether the node has in all what we have. */
async function compare() {
  const salt = Buffer.alloc(16, 7);
  const root = Buffer.from([1]);
  const equal = async (kind) => {
    const theirs = await ask(SYNC, [1n, kind, salt, 1n, root]);
    const half = (bit) => holdings.entries(kind).filter(({ place }) => place >> 63n === bit);
    return theirs.equals(Buffer.concat([0n, 1n].map((bit) => fingerprint(salt, half(bit)))));
  };
  return (await equal(CONSENTS)) && (await equal(REVOCATIONS));
}

/** A message at the door of a node: what it says of it. */
async function handIn(url, { bytes }) {
  const headers = { "Content-Type": "application/msgpack" };
  const answer = await fetch(`${url}/v1/messages`, { method: "POST", headers, body: pack([bytes]) });
  const { results } = await answer.json();
  return { http: answer.status, ...results[0] };
}

const mine = new Map(); // what was made last, by name
const COMMANDS = {
  /** Make a consent and its revocation; `publish` them, or keep them for sync to find. */
  async make({ name, publish }) {
    const consent = await makeConsent(name, network, now());
    const revocation = await makeRevocation(name, consent.envelope.message, network);
    for (const { bytes, envelope } of [consent, revocation]) {
      holdings.add(bytes, envelope);
      if (publish) await node.services.pubsub.publish(TOPICS[envelope.kind], pack([bytes]));
    }
    tell({ event: "made", consent: consent.digest, revocation: revocation.digest });
  },
  /** Make a consent and hand it in at the door of a node, which is to sponsor it. */
  async consent({ name, url }) {
    const consent = await makeConsent(name, network, now(), { sponsored: false });
    mine.set(name, consent);
    tell({ event: "consented", ...(await handIn(url, consent)) });
  },
  /** Publish a revocation of that consent among peers. */
  async revoke({ name }) {
    const consent = mine.get(name);
    const revocation = await makeRevocation(name, consent.envelope.message, network);
    mine.set(name, revocation);
    holdings.add(revocation.bytes, revocation.envelope);
    await node.services.pubsub.publish(TOPICS.Revocation, pack([revocation.bytes]));
    const { contributor, words } = revocation.envelope.message;
    tell({ event: "revoked", digest: revocation.digest, contributor, word: `0x${words[0].toString(16)}` });
  },
  /** Ask a node to promise what it heard. */
  async promise({ name, url }) {
    tell({ event: "promised", ...(await handIn(url, mine.get(name))) });
  },
  async compare() {
    tell({ event: "compared", equal: await compare() });
  },
  async peers() {
    tell({ event: "peers", told: await ask(PEERS, [NAME, node.getMultiaddrs().map(String)]) });
  },
};

Object.values(TOPICS).forEach((topic) => node.services.pubsub.subscribe(topic));
if (address) await node.dial(multiaddr(address));
else tell({ event: "listening", address: String(node.getMultiaddrs()[0]) });
while (!node.getPeers().length) await once(node, "peer:connect");
const [other] = node.getPeers();
await node.services.ping.ping(other);
tell({ event: "ready", peer: node.peerId.toString() });
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...values } = JSON.parse(line);
  await COMMANDS[command](values).catch((error) => tell({ event: "failed", command, why: String(error.stack) }));
}
await node.stop();
