// Call data for the registry, and EIP-681 links.

import { big, hex, join, keccak, utf8 } from "./bytes.js";
import type { Revocation } from "./messages.js";
import { abiStrings, bitsOf } from "./words.js";

const selector = (signature: string): Uint8Array => keccak(utf8(signature)).slice(0, 4);

function numbers(values: bigint[]): Uint8Array {
  return join(big(BigInt(values.length)), ...values.map((one) => big(one)));
}

/** The cheapest call that sets these bits for its sender. */
export function callData(one: Revocation): string {
  if (one.scopes.length > 0 && one.words.length === 0) {
    return hex(join(selector("revokeScopes(string[])"), big(32n), abiStrings(one.scopes)));
  }
  const pairs = bitsOf(one);
  if (pairs.length === 1) {
    const [word, mask] = pairs[0]!;
    return hex(join(selector("revoke(uint248,uint256)"), big(word), big(mask)));
  }
  const words = numbers(pairs.map(([word]) => word));
  const masks = numbers(pairs.map(([, mask]) => mask));
  const heads = [big(64n), big(64n + BigInt(words.length))];
  return hex(join(selector("revokeMany(uint248[],uint256[])"), ...heads, words, masks));
}

/** EIP-681 requests for a wallet on another phone, one for each word, because EIP-681 has no lists. */
export function paymentLinks(one: Revocation, registry: string, chainId: number): string[] {
  return bitsOf(one).map(
    ([word, mask]) => `ethereum:${registry}@${chainId}/revoke?uint248=${word}&uint256=${mask}`,
  );
}
