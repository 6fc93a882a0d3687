// Envelopes and signatures: 4.2 to 4.5, and 6.2. `readEnvelope` is all that needs no clock and no chain.

import { getAddress, hashTypedData, recoverAddress } from "viem";

import { ascii, hex, number, require, unhex } from "./bytes.js";
import { DOMAIN, KINDS, TYPES, readStruct, shown, sized, typed } from "./fields.js";
import { unpack } from "./packing.js";
import { checkMessage } from "./rules.js";
import { checkNodeSignature } from "./statements.js";
import { readWalletProof } from "./wallets.js";

const HALF = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Who signs a message of any kind. */
export const signerOf = (message) => message.signer ?? message.contributor;

/** Whether a kind is a statement (3.11). */
const isStatement = (kind) => kind !== "Consent" && kind !== "Revocation";

/** Rules 4.4.16 and 4.8.4: whether only the chain can judge the signature of an envelope. */
export const travelsAlone = ({ kind, signature }) =>
  signature.length > 65 || (isStatement(kind) && signature.length === 0);

/**
 * Read an envelope (6.2) for a network {chainId, registry}; its signatures are still to be checked. The
 * network in what it returns is the one that it was signed under.
 */
export function readEnvelope(bytes, network) {
  require(bytes.length <= 65_536, "too-large", "an envelope has at most 65,536 bytes");
  const envelope = listOf(unpack(bytes), 7);
  const [version, number, struct, items, signature, place, sponsor] = envelope;
  const kind = KINDS[Number(typed(number, typeof number === "bigint")) - 1];
  require(version === 1n && kind !== undefined, "malformed", "version or kind");
  const message = readStruct(kind, struct);
  typed(items, Array.isArray(items) && items.every(Buffer.isBuffer));
  typed(signature, Buffer.isBuffer(signature));
  const isSponsor = (one) => kind !== "Revocation" && listOf(one, 2).every(Buffer.isBuffer);
  require(sponsor === null || isSponsor(sponsor), "malformed", "sponsor");
  checkMessage(kind, message, items);
  return { kind, message, items, signature, sponsor, network: readNetwork(kind, place, network) };
}

function listOf(value, length) {
  require(Array.isArray(value) && value.length === length, "malformed", `an array of ${length}`);
  return value;
}

/** Rules 1.1 and 6.2.3: all but a revocation name our network, a revocation any chain id with our registry. */
function readNetwork(kind, place, ours) {
  const [chainId, address] = listOf(place, 2);
  const registry = hex(sized(address, 20, "malformed"));
  require(chainId >= 1n && chainId < 1n << 53n, "malformed", "a chain id");
  const here = registry === ours.registry && (kind === "Revocation" || chainId === ours.chainId);
  require(here, "wrong-network", `${chainId}, ${registry}`);
  return { chainId, registry };
}

/** What a wallet is given (4.2, 4.3, 4.8), as its JSON; `network` is the one to sign under. */
export function typedData({ kind, message, network }) {
  const place = { chainId: Number(network.chainId), verifyingContract: getAddress(network.registry) };
  return {
    types: { EIP712Domain: DOMAIN, [kind]: TYPES[kind] },
    primaryType: kind,
    domain: { name: "Sayso", version: "1", ...place },
    message: shown(kind, message),
  };
}

export const digestOf = (envelope) => hashTypedData(typedData(envelope));

/** Rules 4.4, 4.5 and 4.8: who signed. */
export async function checkSignatures(envelope) {
  const { kind, message, signature, sponsor } = envelope;
  const digest = digestOf(envelope);
  if (sponsor) checkNodeSignature(sponsor[0], ascii("sayso sponsor 1\0"), unhex(digest), sponsor[1]);
  if (signature.length > 65 && !isStatement(kind)) readWalletProof(signature);
  const isClaim = isStatement(kind) ? signature.length === 0 : signature.length > 65;
  require(!isClaim, "unsupported", "only the chain can say");
  const low = signature.length === 65 && number(signature.subarray(32, 64)) <= HALF;
  require(low && [27, 28].includes(signature[64]), "bad-signature", "not in the one form");
  const signer = await recoverAddress({ hash: digest, signature: hex(signature) }).catch(() => "");
  require(signer.toLowerCase() === signerOf(message), "bad-signature", "another signer");
}

/** The bits that a revocation sets (3.9, 5.6), scopes left out. */
export function wordsOf(revocation) {
  return revocation.words.map((word, at) => [word, revocation.masks[at]]);
}
