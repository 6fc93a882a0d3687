// The wallet signs what the page shows: the page builds the typed data and compares the node's with it. If
// they differ, the page does not ask the wallet.

import { ApiError, consentFields, revocationFields, typedDataOf } from "./net/api.js";
import { sign, type Wallet } from "./net/wallet.js";
import { type Consent, type Network, type Revocation, type TypedData, digestOf, typedData } from "./protocol/messages.js";

/** The node's typed data differ from what the page shows. */
export class LyingNode extends Error {}

export interface Signed<T> {
  message: T;
  /** Under which it was signed. */
  network: Network;
  digest: string;
  signature: string;
}

const prepared = new Map<string, Promise<void>>();

/** Compare with the node while the person still reads the question, so that the wallet is asked without a wait. */
export function prepareRevocation(one: Revocation, network: Network): void {
  const data = typedData(one, network);
  const digest = digestOf(data);
  if (prepared.has(digest)) return;
  const compared = compare(data, digest, () => typedDataOf("revocation", revocationFields(one)));
  prepared.set(digest, compared);
  compared.catch((error) => error instanceof LyingNode || prepared.delete(digest)); // what else failed is asked again
}

export async function signRevocation(wallet: Wallet, account: string, one: Revocation, network: Network) {
  const theirs = () => typedDataOf("revocation", revocationFields(one));
  return signMessage(wallet, account, one, network, theirs);
}

export async function signConsent(wallet: Wallet, account: string, one: Consent, items: string[], network: Network) {
  return signMessage(wallet, account, one, network, () => typedDataOf("consent", consentFields(one, items)));
}

async function signMessage<T extends Consent | Revocation>(
  wallet: Wallet,
  account: string,
  message: T,
  network: Network,
  theirs: () => Promise<{ digest: string; typed_data: TypedData }>,
): Promise<Signed<T>> {
  const data = typedData(message, network);
  const digest = digestOf(data);
  await (prepared.get(digest) ?? compare(data, digest, theirs));
  return { message, network, digest, signature: await sign(wallet, account, data) };
}

/** Throws LyingNode; a node that does not answer does not prevent signing. */
async function compare(
  ours: TypedData,
  digest: string,
  theirs: () => Promise<{ digest: string; typed_data: TypedData }>,
): Promise<void> {
  try {
    const given = await theirs();
    if (given.digest !== digest || tidy(given.typed_data) !== tidy(ours)) throw new LyingNode();
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "unreachable")) throw error;
  }
}

/** JSON whose text does not depend on the order of names. */
function tidy(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    one && typeof one === "object" && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
