// In which transactions a revocation came to the chain (section 10): Ethereum's tries, read again.

import { keccak256, recoverTransactionAddress, toRlp } from "viem";

import { big, hex, number, require, unhex } from "./bytes.js";
import { digestOf, readEnvelope, wordsOf } from "./messages.js";
import { scopeWord } from "./scopes.js";
import { bytes, lookUp, rlp } from "./tries.js";

const REVOKED = keccak256(Buffer.from("Revoked(address,uint248,uint256)"));
const UNSIGNED = { 0x7e: [8, 1], 0x65: [8, 1], 0x66: [8, 2], 0x68: [12, 2] }; // fields, and the sender's place
const [TRANSACTIONS, RECEIPTS, HEIGHT, TIME, LEAST_FIELDS] = [4, 5, 8, 11, 15];

/** What is proved of blocks whose hashes are trusted; bits as [word, mask] in their order. */
export async function checkReceiptProof(proof, network, trusted) {
  require(proof.type === "sayso-receipt-proof-1", "malformed", "not a receipt proof");
  const { chain_id, registry } = proof.network;
  const isOurs = BigInt(chain_id) === network.chainId && registry.toLowerCase() === network.registry;
  require(isOurs, "wrong-network", "of another network");
  const envelope = readEnvelope(unhex(bytes(proof.envelope)), network);
  const isIt = envelope.kind === "Revocation" && digestOf(envelope) === proof.digest;
  require(isIt, "bad-proof", "another revocation");
  require(Array.isArray(proof.landings), "malformed", "no list of transactions");
  const missing = bitsOf(envelope.message);
  const found = [];
  for (const said of proof.landings) {
    const one = await landing(said, network, envelope.message.contributor, missing, trusted);
    const last = found.at(-1);
    const follows = !last || last.number < one.number || (last.number === one.number && last.index < one.index);
    require(follows, "bad-proof", "not in their order");
    found.push(one);
  }
  require([...missing.values()].every((mask) => mask === 0n), "bad-proof", "not every bit is shown");
  return found;
}

async function landing(said, network, contributor, missing, trusted) {
  const header = bytes(said.block?.header);
  require(trusted.includes(keccak256(header)), "bad-proof", "the header of no block that was named");
  const fields = rlp(header);
  require(Array.isArray(fields) && fields.length >= LEAST_FIELDS, "bad-proof", "no header");
  const isStated = said.block.number === Number(BigInt(fields[HEIGHT])) && said.block.hash === keccak256(header);
  require(isStated, "bad-proof", "another block is stated");
  require(Number.isInteger(said.index) && said.index >= 0, "malformed", "the place is a number");
  const key = toRlp(said.index ? hex(unhexNumber(said.index)) : "0x");
  const transaction = under(fields[TRANSACTIONS], key, said.transaction.map(bytes));
  const receipt = under(fields[RECEIPTS], key, said.receipt.map(bytes));
  const bits = newBits(logs(receipt), network.registry, contributor, missing);
  require(bits.length > 0, "bad-proof", "it set nothing that was left");
  return {
    number: Number(BigInt(fields[HEIGHT])),
    time: Number(BigInt(fields[TIME])),
    index: said.index,
    transaction: keccak256(transaction),
    ...(await senderOf(transaction)),
    bits,
  };
}

/** Who sent a transaction: who signed it, or whom a rollup names that carries it out without a signature. */
async function senderOf(transaction) {
  const kind = parseInt(transaction.slice(2, 4), 16);
  if (kind in UNSIGNED) {
    const fields = rlp("0x" + transaction.slice(4));
    const [count, place] = UNSIGNED[kind];
    require(fields.length === count && fields[place].length === 42, "bad-proof", "not the fields of its kind");
    return { sender: fields[place], signed: false };
  }
  require(kind >= 0xc0 || (kind >= 1 && kind <= 4), "bad-proof", "of an unknown kind");
  const sender = await recoverTransactionAddress({ serializedTransaction: transaction });
  return { sender: sender.toLowerCase(), signed: true };
}

/** The bits of the contributor that the events set; they are taken out of what is missing. */
function newBits(events, registry, contributor, missing) {
  const set = new Map();
  for (const [address, topics, data] of events) {
    const isHers = topics.length === 2 && topics[0] === REVOKED && topics[1] === hex(big(BigInt(contributor)));
    if (address !== registry || !isHers || data.length !== 130) continue;
    const [word, bits] = [number(unhex(data).subarray(0, 32)), number(unhex(data).subarray(32))];
    set.set(word, (set.get(word) ?? 0n) | bits);
  }
  const found = [];
  for (const [word, mask] of missing) {
    const now = (set.get(word) ?? 0n) & mask;
    if (now) found.push([hex(big(word)), hex(big(now))]);
    missing.set(word, mask & ~now);
  }
  return found.sort();
}

function logs(receipt) {
  const fields = rlp(BigInt(receipt.slice(0, 4)) >= 0xc0n ? receipt : "0x" + receipt.slice(4));
  const most = receipt.startsWith("0x7e") ? 6 : 4; // a deposit's has its nonce and a version
  const isReceipt = fields.length >= 4 && fields.length <= most;
  require(isReceipt && fields[0] === "0x01", "bad-proof", "it took no effect");
  return fields[3];
}

function under(root, key, nodes) {
  const found = lookUp(root, key, nodes);
  require(found !== null, "bad-proof", "nothing stands there");
  return found;
}

function bitsOf(revocation) {
  const bits = new Map(revocation.scopes.map((scope) => [scopeWord(scope), 1n]));
  for (const [word, mask] of wordsOf(revocation)) bits.set(word, (bits.get(word) ?? 0n) | mask);
  return bits;
}

const unhexNumber = (value) => big(BigInt(value), value < 256 ? 1 : 2);
