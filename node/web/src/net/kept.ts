// Signed revocations and the promises of nodes, kept on this device. They exist nowhere else until a node has
// them, so they are stored before they are sent.

import { all, put, some } from "./database.js";
import type { Acknowledgement } from "../protocol/promise.js";
import type { Network, Revocation } from "../protocol/messages.js";

export interface Kept {
  digest: string;
  message: Revocation;
  /** Under which it was signed; other networks with the same registry accept it, too. */
  network: Network;
  signature: string;
  /** What it takes back, in the words of the person's language at that time. */
  what: string;
  ward: string;
  /** The addresses that were licensed, as far as the page knew; absent in what older pages kept. */
  companies?: string[];
  /** Seconds since the epoch. */
  madeAt: number;
  /** Whether it was ever sent to a node; false after "Sign and only save". */
  sent: boolean;
  /** Whether the page sends it by itself as soon as the node answers: the person wanted it sent, and it was not. */
  queued?: boolean;
  promise: Acknowledgement | null;
  node: string;
}

/** Whether the device has stored it for good. */
export const keep = (one: Kept): Promise<boolean> => put("takebacks", [one]);

/** What this device keeps of it now. */
export const keptOf = async (digest: string): Promise<Kept | null> => (await some<Kept>("takebacks", [digest]))[0] ?? null;

/** All that this device keeps, newest first. */
export const allKept = async (): Promise<Kept[]> => (await all<Kept>("takebacks")).sort((one, other) => other.madeAt - one.madeAt);
