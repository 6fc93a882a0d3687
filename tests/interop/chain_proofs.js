// What the registry's storage says of one permission after one block: rules 10.5 to 10.7.

import { keccak256 } from "viem";

import { NOBODY, big, hex, require, unhex } from "./bytes.js";
import { checkAnchor } from "./evidence.js";
import { digestOf, readEnvelope } from "./messages.js";
import { baseWord, needsChain, scopeWord, scopesOver } from "./scopes.js";
import { bytes, lookUp, rlp } from "./tries.js";
import { readAddress, readHash } from "./trust.js";

const [STATE, HEIGHT, TIME] = [3, 8, 11];
const slotOf = (key, slot) => keccak256(Buffer.concat([key, slot]));
const padded = (value) => big(BigInt(value));

/** What a proof shows, for a network and the hash of a block that is trusted. */
export function checkChainProof(proof, network, blockHash) {
  require(proof.type === "sayso-chain-proof-1", "malformed", "no chain proof");
  const isOurs = BigInt(proof.network.chain_id) === network.chainId && readAddress(proof.network.registry) === network.registry;
  require(isOurs, "wrong-network", "of another network");
  const held = readEnvelope(unhex(bytes(proof.envelope)), network);
  const isIt = held.kind === "Consent" && digestOf(held) === proof.license;
  require(isIt, "bad-proof", "another license");
  const query = { grantee: readAddress(proof.grantee), purpose: proof.purpose };
  const wanted = placesOf(held, hex(readHash(proof.item)), query);
  const header = rlp(bytes(proof.block.header));
  const { number, hash } = proof.block;
  const isStated = keccak256(proof.block.header) === blockHash && hash === blockHash && BigInt(number) === BigInt(header[HEIGHT]);
  require(isStated, "bad-proof", "another block");
  const storage = storageOf(proof.account, header[STATE], network.registry);
  require(typeof proof.places === "object", "malformed", "no list");
  require(proof.places.length === wanted.length, "bad-proof", "not every place");
  const found = wanted.map((place, at) => isSet(storage, place, proof.places[at]));
  return {
    number,
    time: Number(BigInt(header[TIME])),
    revoked_by: wanted.filter((_, at) => found[at]).map(({ scope }) => scope ?? ""),
    anchored_in: proof.anchor?.batch ? anchoredIn(storage, proof) : checkNoBatch(storage, proof.anchor),
  };
}

/** Rule 10.6: the words, in order. */
function placesOf({ message, items }, item, query) {
  const [at, purposeAt] = [items.map(hex).indexOf(item), message.purposes.indexOf(query.purpose)];
  require(at >= 0 && purposeAt >= 0, "bad-proof", "no such item or purpose");
  require(query.grantee !== NOBODY || message.grantee === NOBODY, "bad-proof", "not for anyone");
  const resale = needsChain(message, query) && query.purpose !== "resale";
  const isNew = ({ scope }) => scope === null || scope.endsWith(" for resale");
  const further = resale ? placesFor(message, at, item, { ...query, purpose: "resale" }).filter(isNew) : [];
  return [...placesFor(message, at, item, query), ...further];
}

function placesFor(consent, at, item, query) {
  const { contributor, guardian, purposes } = consent;
  const place = purposes.indexOf(query.purpose);
  const bit = BigInt(at * purposes.length + place);
  const own = { address: contributor, word: baseWord(consent) + bit / 256n, bit: Number(bit % 256n), scope: null };
  const scopes = (address, ward) =>
    scopesOver(consent, item, query, ward).map((scope) => ({ address, word: scopeWord(scope), bit: 0, scope }));
  return [
    ...(place >= 0 ? [own] : []),
    ...scopes(contributor, ""),
    ...(guardian === NOBODY ? [] : scopes(guardian, `ward ${contributor} `)),
  ];
}

/** Rule 10.7.4: the storage root of the registry's account, which the proof has to state as it is. */
function storageOf(account, state, registry) {
  const found = lookUp(state, keccak256(registry), account.account_proof.map(bytes));
  require(found !== null, "bad-proof", "no registry");
  const [nonce, balance, storage, code] = rlp(found);
  const same = quantity(account.nonce) === number(nonce) && quantity(account.balance) === number(balance);
  const isStated = same && account.storage_hash === storage && account.code_hash === code;
  require(isStated, "bad-proof", "another account is stated");
  return storage;
}

/** Rules 10.7.5 to 10.7.7. */
function isSet(storage, { address, word, bit, scope }, stated) {
  const isIt = readAddress(stated.address) === address && stated.word === String(word) && stated.bit === bit;
  require(isIt && stated.scope === scope, "bad-proof", "another place");
  const slot = slotOf(big(word), unhex(slotOf(padded(address), padded(1))));
  return (valueIn(storage, slot, stated) >> BigInt(bit)) & 1n;
}

function valueIn(storage, slot, stated) {
  const found = lookUp(storage, keccak256(slot), stated.proof.map(bytes));
  const value = found === null ? 0n : number(rlp(found));
  require(stated.slot === slot && quantity(stated.value) === value, "bad-proof", "another slot or value");
  return value;
}

/** Rules 10.5 and 10.7.8: number and time of the block in which the license's batch was anchored. */
function anchoredIn(storage, { license, anchor }) {
  const value = valueIn(storage, slotOf(readHash(anchor.root), padded(0)), anchor);
  const { sponsor, ...batch } = anchor.batch;
  checkAnchor({ license, root: anchor.root, node_key: sponsor, ...batch });
  require(value > 0n, "bad-proof", "it is not anchored");
  return [Number((value >> 48n) & ((1n << 48n) - 1n)), Number(value & ((1n << 48n) - 1n))];
}

function checkNoBatch(storage, anchor) {
  if (anchor) valueIn(storage, slotOf(readHash(anchor.root), padded(0)), anchor);
  return null;
}

const number = (text) => (text === "0x" ? 0n : BigInt(text));

/** Rule 10.6.2. */
function quantity(text) {
  require(/^0x(0|[1-9a-f][0-9a-f]{0,63})$/.test(text), "malformed", "a number with leading zeros");
  return BigInt(text);
}
