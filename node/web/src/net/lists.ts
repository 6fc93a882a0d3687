// The last list of licenses of an address, for when its node does not answer.

import { put, some } from "./database.js";
import type { Listed } from "./api.js";

interface KeptList {
  address: string;
  consents: Listed[];
  /** Seconds since the epoch. */
  at: number;
}

const MOST = 5_000; // licenses that are kept

export const keepList = (address: string, consents: Listed[]): Promise<boolean> =>
  put("lists", [{ address: address.toLowerCase(), consents: consents.slice(0, MOST), at: Math.floor(Date.now() / 1000) }]);

export const lastList = async (address: string): Promise<KeptList | null> => (await some<KeptList>("lists", [address.toLowerCase()]))[0] ?? null;
