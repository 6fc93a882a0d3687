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

interface Compared {
  network: Network;
  data: TypedData;
  digest: string;
}
type Theirs = Promise<{ digest: string; typed_data: TypedData }>;

const prepared = new WeakMap<Revocation, Promise<Compared>>();

/** Compare with the node before the question is drawn and read, so that the wallet is asked without a wait. */
export function prepareRevocation(one: Revocation, network: Network): Promise<Compared> {
  const before = prepared.get(one);
  if (before) return before;
  const compared = compare(one, network, typedDataOf("revocation", revocationFields(one)));
  prepared.set(one, compared);
  compared.catch((error) => error instanceof LyingNode || prepared.delete(one)); // what else failed is asked again
  return compared;
}

export async function signRevocation(wallet: Wallet, account: string, message: Revocation, network: Network): Promise<Signed<Revocation>> {
  const { data, ...signed } = await prepareRevocation(message, network);
  return { ...signed, message, signature: await sign(wallet, account, data) };
}

export async function signConsent(wallet: Wallet, account: string, message: Consent, items: string[], network: Network): Promise<Signed<Consent>> {
  const { data, ...signed } = await compare(message, network, typedDataOf("consent", consentFields(message, items)));
  return { ...signed, message, signature: await sign(wallet, account, data) };
}

/** Throws LyingNode; a node that does not answer does not prevent signing. */
async function compare(message: Consent | Revocation, network: Network, theirs: Theirs): Promise<Compared> {
  const data = typedData(message, network);
  const digest = digestOf(data); // while the node's is on its way
  try {
    const given = await theirs;
    if (given.digest !== digest || tidy(given.typed_data) !== tidy(data)) throw new LyingNode();
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "unreachable")) throw error;
  }
  return { network, data, digest };
}

/** JSON whose text does not depend on the order of names. */
function tidy(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    one && typeof one === "object" && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
