// Signatures of contract wallets (rule 4.4). Nodes read 65 bytes as the signature of a plain key, so the 65
// bytes of a contract wallet are sent in the form of ERC-6492.

import { big, hex, join, unhex } from "./bytes.js";

const MARK = unhex("0x" + "6492".repeat(16));
const NO_FACTORY = big(0n);
const KEYS_SIGNATURE = 65;

/** The signature of a deployed contract wallet, in the form of messages. */
export function walletSignature(signature: string): string {
  const bytes = unhex(signature);
  if (bytes.length > KEYS_SIGNATURE) return signature;
  const padding = new Uint8Array((32 - (bytes.length % 32)) % 32);
  const deployment = big(0n); // empty
  const heads = [NO_FACTORY, big(96n), big(128n)];
  return hex(join(...heads, deployment, big(BigInt(bytes.length)), bytes, padding, MARK));
}

/** Whether code makes an account a contract wallet; one that only delegates (EIP-7702) still signs by its key. */
export const isWalletCode = (code: string): boolean => code.length > 2 && !code.toLowerCase().startsWith("0xef0100");
