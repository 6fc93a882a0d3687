// Files as people know them: names, small pictures and salts, which never leave this device but in the files that the
// person saves. A salted item hash (rule 1.5.1) hides from whoever has the same file that it was licensed.

import { all, put, some } from "./database.js";
import { hex, join, sha, unhex } from "../protocol/bytes.js";
import type { SaltRow } from "./salts.js";

export interface Shelved {
  item: string;
  /** With the folders, as it was chosen. */
  name: string;
  /** The SHA-256 of the bytes; empty for a row of an imported file of salts, until the file itself was read here. */
  plain: string;
  /** 32 bytes as 0x text; empty if the item hash is the plain one. */
  salt: string;
  /** A small picture as a data URL; empty without one. */
  picture: string;
}

const SALT_BYTES = 32;
const SIDE = 96; // pixels of a small picture
const LARGEST = 30_000_000; // bytes of an image that is made small

/** SHA-256(salt . SHA-256(bytes)), from the plain hash. */
export const saltedItem = (salt: string, plain: string): string => hex(sha(join(unhex(salt), unhex(plain))));

export const newSalt = (): string => hex(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));

export const shelve = (files: Shelved[]): Promise<boolean> => put("files", files);

export const shelved = (items: string[]): Promise<Shelved[]> => some<Shelved>("files", items);

const AT_ONCE = 1_000; // rows that are tried before the page is drawn again

const baseName = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
const fits = (one: Shelved, plain: string): boolean => !one.plain && one.salt !== "" && saltedItem(one.salt, plain) === one.item;

/** The imported row whose salt is that of this file: those of the same name are tried first, then all. */
async function rowFor(rows: Shelved[], plain: string, name: string): Promise<Shelved | undefined> {
  const named = rows.filter((one) => baseName(one.name) === baseName(name)).find((one) => fits(one, plain));
  if (named) return named;
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const found = rows.slice(at, at + AT_ONCE).find((one) => fits(one, plain));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return undefined;
}

/** What this device knows of these files, imported rows included: a file gets no second salt because it is licensed elsewhere. */
export async function knownAs(files: { plain: string; name: string }[]): Promise<Shelved[]> {
  const wanted = new Set(files.map((one) => one.plain));
  const kept = await all<Shelved>("files");
  const known = kept.filter((one) => wanted.has(one.plain));
  const salted = new Set(known.filter((one) => one.salt).map((one) => one.plain));
  const rows = kept.filter((one) => !one.plain && one.salt);
  const found: Shelved[] = [];
  for (const { plain, name } of files) {
    if (salted.has(plain)) continue;
    const row = await rowFor(rows, plain, name);
    if (row) found.push({ ...row, plain });
  }
  if (found.length > 0) await shelve(found);
  return [...known, ...found];
}

/** What this device knows of one file, by its bytes alone: each imported salt is tried, and remembered if it fits. */
export async function foundAs(plain: string): Promise<Shelved[]> {
  const known = (await all<Shelved>("files")).filter((one) => one.plain === plain || fits(one, plain));
  const found = known.map((one) => ({ ...one, plain }));
  if (known.some((one) => !one.plain)) await shelve(found);
  return found;
}

/** Keeps the rows of a file of salts; what this device knows better stays. False where storage is switched off or full. */
export async function shelveRows(rows: SaltRow[]): Promise<boolean> {
  const known = new Set((await all<Shelved>("files")).map((one) => one.item));
  return shelve(rows.filter((one) => !known.has(one.item)).map((one) => ({ ...one, plain: "", picture: "" })));
}

/** A small picture of an image; empty for what is none, or where the browser cannot draw it. */
async function pictureOf(file: File): Promise<string> {
  if (!file.type.startsWith("image/") || file.size > LARGEST) return "";
  try {
    const image = await createImageBitmap(file, { resizeHeight: SIDE, resizeQuality: "low" });
    const width = Math.min(image.width, 2 * SIDE);
    const canvas = Object.assign(document.createElement("canvas"), { width, height: SIDE });
    canvas.getContext("2d")?.drawImage(image, (width - image.width) / 2, 0);
    image.close();
    return canvas.toDataURL("image/webp", 0.6);
  } catch {
    return "";
  }
}

const looks = new Map<string, string>(); // small pictures of this visit, by plain hash

/** Makes the small picture of a file, which is kept once the file is licensed. */
export async function noteLook(plain: string, file: File): Promise<void> {
  const picture = await pictureOf(file);
  if (picture) looks.set(plain, picture);
}

export const lookOf = (plain: string): string => looks.get(plain) ?? "";

/** The folder; empty for none. */
export const folderOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));
