// Signed revocations and the promises of nodes, kept on this device. They exist nowhere else until a node has
// them, so they are stored before they are sent.

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
  /** Seconds since the epoch. */
  madeAt: number;
  /** Whether it was ever sent to a node; false after "Sign and only save". */
  sent: boolean;
  promise: Acknowledgement | null;
  node: string;
}

const NAME = "takebacks";
let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("sayso", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(NAME, { keyPath: "digest" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = asked.onblocked = () => reject(asked.error);
  });
  opened.catch(() => (opened = null));
  return opened;
}

/** Whether the device has stored it for good; false where storage is switched off or full. */
export async function keep(one: Kept): Promise<boolean> {
  try {
    const task = (await database()).transaction(NAME, "readwrite", { durability: "strict" });
    task.objectStore(NAME).put(one);
    await new Promise<void>((resolve, reject) => {
      task.oncomplete = () => resolve();
      task.onerror = task.onabort = () => reject(task.error);
    });
    return true;
  } catch {
    return false;
  }
}

/** All that this device keeps, newest first. */
export async function allKept(): Promise<Kept[]> {
  try {
    const asked = (await database()).transaction(NAME).objectStore(NAME).getAll() as IDBRequest<Kept[]>;
    const found = await new Promise<Kept[]>((resolve, reject) => {
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    return found.sort((one, other) => other.madeAt - one.madeAt);
  } catch {
    return [];
  }
}
