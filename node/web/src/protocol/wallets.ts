// Signatures as wallets give them, in the form of rule 4.4. Nodes read 65 bytes as the signature of a plain
// key, so the 65 bytes of a contract wallet are sent in the form of ERC-6492.

import { big, hex, join, number, unhex } from "./bytes.js";

const MARK = unhex("0x" + "6492".repeat(16));
const NO_FACTORY = big(0n);
const KEYS_SIGNATURE = 65;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; // of secp256k1
const Y_IS_ODD = 1n << 255n; // the first bit of the second half (EIP-2098)

/** The form of rule 4.4 of what a wallet gave; what is neither a key's nor a contract's stays as it is. */
export function inForm(given: string, isContract: boolean): string {
  const text = "0x" + given.trim().toLowerCase().replace(/^0x/, "");
  return isContract ? walletSignature(text) : (keysSignature(unhex(text)) ?? text);
}

/** r, s and v of a key's signature: s in the lower half, v of 27 or 28 for all that is written in its place. */
function keysSignature(given: Uint8Array): string | null {
  if (given.length < 64 || given.length > 72) return null;
  let s = number(given.slice(32, 64));
  let odd: boolean;
  if (given.length === 64) {
    odd = s >= Y_IS_ODD;
    s %= Y_IS_ODD;
  } else {
    const v = number(given.slice(64));
    const plain = [0n, 1n, 27n, 28n, 31n, 32n].indexOf(v); // v, v + 4; else with a chain id (EIP-155)
    if (v < 35n && plain < 0) return null;
    odd = v < 35n ? plain % 2 === 1 : v % 2n === 0n;
  }
  if (s > ORDER / 2n && s < ORDER) {
    s = ORDER - s;
    odd = !odd;
  }
  return hex(join(given.slice(0, 32), big(s), Uint8Array.of(odd ? 28 : 27)));
}

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
