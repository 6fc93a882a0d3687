// What the page keeps on the device, in IndexedDB. Nothing of it is ever sent to a node but signed messages.

/** The stores, each with the name of its key. */
const STORES = {
  /** Signed revocations and promises (kept.ts). */
  takebacks: "digest",
  /** Names, pictures and salts of files (shelf.ts). */
  files: "item",
  /** The last list of licenses of an address. */
  lists: "address",
  /** Signed consents that no node has taken yet (grants.ts). */
  grants: "license",
} as const;
type StoreName = keyof typeof STORES;

const VERSION = 3;
let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("sayso", VERSION);
    asked.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) {
        if (!asked.result.objectStoreNames.contains(name)) asked.result.createObjectStore(name, { keyPath });
      }
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => (asked.result.close(), (opened = null)); // a newer page in another tab
      resolve(asked.result);
    };
    asked.onerror = asked.onblocked = () => reject(asked.error);
  });
  opened.catch(() => (opened = null));
  return opened;
}

/** Whether the device has stored them for good; false where storage is switched off or full. */
export async function put(name: StoreName, values: unknown[]): Promise<boolean> {
  try {
    const task = (await database()).transaction(name, "readwrite", { durability: "strict" });
    for (const one of values) task.objectStore(name).put(one);
    await new Promise<void>((resolve, reject) => {
      task.oncomplete = () => resolve();
      task.onerror = task.onabort = () => reject(task.error);
    });
    return true;
  } catch {
    return false;
  }
}

/** Forgets one; nothing happens where storage is switched off. */
export async function forget(name: StoreName, key: string): Promise<void> {
  try {
    const task = (await database()).transaction(name, "readwrite", { durability: "strict" });
    task.objectStore(name).delete(key);
    await new Promise<void>((resolve, reject) => {
      task.oncomplete = () => resolve();
      task.onerror = task.onabort = () => reject(task.error);
    });
  } catch {
    // There was nothing to forget.
  }
}

let last: Promise<unknown> = Promise.resolve();

/** Does one such work at a time, over all tabs where the browser can: so nothing is sent twice. */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  const turn = async (): Promise<T> => {
    let begun: Promise<T> | null = null;
    const mine = () => (begun = work());
    await navigator.locks?.request("sayso-sending", mine).catch(() => undefined); // refused where storage is
    return begun ?? work();
  };
  const mine = last.then(turn, turn);
  last = mine.catch(() => undefined);
  return mine;
}

const answered = <T>(asked: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

/** Everything of a store; nothing where storage is switched off. */
export async function all<T>(name: StoreName): Promise<T[]> {
  try {
    return await answered((await database()).transaction(name).objectStore(name).getAll() as IDBRequest<T[]>);
  } catch {
    return [];
  }
}

/** The values of some keys, where the device has them. */
export async function some<T>(name: StoreName, keys: string[]): Promise<T[]> {
  try {
    const store = (await database()).transaction(name).objectStore(name);
    const found = await Promise.all(keys.map((key) => answered(store.get(key) as IDBRequest<T | undefined>)));
    return found.filter((one): one is Awaited<T> & T => one !== undefined) as T[];
  } catch {
    return [];
  }
}
