// What a wish still covers, as a person counts it: each file and each purpose once, and nothing that was taken back
// earlier.

import type { Listed } from "./net/api.js";
import type { Consent } from "./protocol/messages.js";
import { isSet } from "./protocol/words.js";

/** A license, or a part of it. */
export interface Covered {
  license: string;
  consent: Consent;
  /** The positions of its files; null for all of them. */
  at: number[] | null;
  purposes: string[];
  /** How many of its permissions were taken back earlier. */
  gone: number;
  /** Which those are, where the node has said it. */
  masks: bigint[] | null;
}

interface Count {
  files: number;
  purposes: number;
  licenses: number;
  /** Whether something is counted of which nobody has said yet whether it was taken back earlier. */
  unsure: boolean;
}

type Held = Pick<Listed, "license" | "consent" | "revoked_permissions"> & { revoked_masks?: string[] };

export const coveredOf = (one: Held, purposes = one.consent.purposes, at: number[] | null = null): Covered => ({
  license: one.license,
  consent: one.consent,
  at,
  purposes,
  gone: one.revoked_permissions,
  masks: one.revoked_masks?.map(BigInt) ?? null,
});

/** Licenses with the same content root are about the same files. `known` adds masks that were asked for later. */
export function countOf(covered: Covered[], known: ReadonlyMap<string, bigint[]> = new Map()): Count {
  const files = new Map<string, number | Set<number>>(); // all of a content root, or these
  const purposes = new Set<string>();
  let [licenses, unsure] = [0, false];
  for (const one of covered) {
    const masks = one.masks ?? known.get(one.license) ?? null;
    unsure ||= one.gone > 0 && !masks;
    const left = leftOf(one, one.gone > 0 ? (masks ?? []) : []);
    if (left.purposes.length === 0) continue;
    licenses++;
    for (const name of left.purposes) purposes.add(name);
    const before = files.get(one.consent.content);
    if (typeof before === "number") continue;
    files.set(one.consent.content, left.files ? new Set([...(before ?? []), ...left.files]) : one.consent.items);
  }
  const sum = [...files.values()].reduce<number>((total, some) => total + (typeof some === "number" ? some : some.size), 0);
  return { files: sum, purposes: purposes.size, licenses, unsure };
}

/** The files and purposes of which something is left; `files` is null for all of them. */
function leftOf({ consent, at, purposes }: Covered, masks: bigint[]): { files: number[] | null; purposes: string[] } {
  if (masks.length === 0) return { files: at, purposes };
  const width = consent.purposes.length;
  const isLeft = (item: number, name: string) => !isSet(masks, width, item, consent.purposes.indexOf(name));
  const all = at ?? Array.from({ length: consent.items }, (_, item) => item);
  const files = all.filter((item) => purposes.some((name) => isLeft(item, name)));
  return { files, purposes: purposes.filter((name) => files.some((item) => isLeft(item, name))) };
}
