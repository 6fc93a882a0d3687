// A consent and a revocation, signed by viem; the sponsor's signature by Node's own Ed25519.

import { generateKeyPairSync, sign } from "node:crypto";

import { keccak256, stringToHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { NOBODY, ascii, big, hex, sha256, unhex } from "../bytes.js";
import { digestOf, readEnvelope, typedData } from "../messages.js";
import { noticeOf } from "../notices.js";
import { pack } from "../packing.js";
import { baseWord } from "../scopes.js";
import { wideRoot } from "../trees.js";

const ZERO = "0x" + "00".repeat(32);
const sponsor = generateKeyPairSync("ed25519");
const sponsorKey = sponsor.publicKey.export({ format: "der", type: "spki" }).subarray(-32);

// For tests only: whoever reads this file knows the keys.
const accountOf = (name) => privateKeyToAccount(keccak256(stringToHex(`peer test key ${name}`)));

/**
 * The envelope (6.2) of a consent of somebody's, sponsored by this peer, and what it is about.
 * Without sponsor it is for a node's own door (7.3).
 */
export async function makeConsent(name, network, now, { sponsored = true } = {}) {
  const account = accountOf(name);
  const contributor = account.address.toLowerCase();
  const items = [sha256(ascii(`${name}'s song`)), sha256(ascii(`${name}'s other song`))];
  const message = {
    notice: "",
    contributor,
    parties: [contributor],
    grantee: NOBODY,
    via: "peer.example",
    content: hex(wideRoot(items)),
    items: BigInt(items.length),
    purposes: ["evaluate", "train-ai"],
    terms: ZERO,
    termsUri: "",
    guardian: NOBODY,
    issuedAt: now - 3600n,
    expiresAt: now + 86_400n,
    recheckHours: 168n,
    removalDays: 30n,
  };
  message.notice = noticeOf("Consent", message);
  const unsigned = { kind: "Consent", message, network };
  const { signature, digest } = await signed(account, unsigned);
  const vouched = sign(null, Buffer.concat([ascii("sayso sponsor 1\0"), digest]), sponsor.privateKey);
  const struct = Object.entries(message).map(([field, value]) =>
    field === "parties" ? value.map(unhex) : HEXES.has(field) ? unhex(value) : value,
  );
  const place = [network.chainId, unhex(network.registry)];
  return envelopeOf([1n, 1n, struct, items, signature, place, sponsored ? [sponsorKey, vouched] : null], network);
}

/** The envelope of a revocation of the first permission of a consent, signed under any chain id (6.2.3). */
export async function makeRevocation(name, consent, network, chainId = network.chainId) {
  const account = accountOf(name);
  const contributor = account.address.toLowerCase();
  const notice = noticeOf("Revocation");
  const message = { notice, contributor, scopes: [], words: [baseWord(consent)], masks: [1n] };
  const signedUnder = { chainId, registry: network.registry };
  const { signature } = await signed(account, { kind: "Revocation", message, network: signedUnder });
  const place = [chainId, unhex(network.registry)];
  const struct = [notice, unhex(contributor), [], message.words.map((one) => big(one)), [big(1n)]];
  return envelopeOf([1n, 2n, struct, [], signature, place, null], network);
}

const HEXES = new Set(["contributor", "grantee", "content", "terms", "guardian"]);

async function signed(account, unsigned) {
  const signature = unhex(await account.signTypedData(typedData(unsigned)));
  return { signature, digest: unhex(digestOf(unsigned)) };
}

function envelopeOf(values, network) {
  const bytes = pack(values);
  const envelope = readEnvelope(bytes, network);
  return { bytes, envelope, digest: digestOf(envelope) };
}
