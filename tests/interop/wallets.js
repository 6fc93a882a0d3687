// Rule 4.4: signatures of contract wallets, as far as they can be read without the chain.

import { decodeAbiParameters, encodeAbiParameters } from "viem";

import { NOBODY, hex, require } from "./bytes.js";

const MARK = "6492".repeat(16);
const PROOF = ["address", "bytes", "bytes"].map((type) => ({ type }));

/** What a contract wallet is to be asked, from a signature of more than 65 bytes. */
export function readWalletProof(signature) {
  require(signature.length <= 8192, "too-large", "a wallet's signature has at most 8,192 bytes");
  const text = hex(signature);
  if (!text.endsWith(MARK)) return { factory: NOBODY, deployment: "0x", signature_of_wallet: text };
  const [factory, deployment, own] = decoded(text.slice(0, -64));
  require(factory !== NOBODY || deployment === "0x", "bad-signature", "nobody deploys something");
  return { factory: factory.toLowerCase(), deployment, signature_of_wallet: own };
}

function decoded(text) {
  try {
    const values = decodeAbiParameters(PROOF, text);
    if (encodeAbiParameters(PROOF, values) === text) return values;
  } catch {
    // said below
  }
  return require(false, "bad-signature", "not the canonical form of ERC-6492");
}
