// Files of salts, as the page and `sayso grant --salted` save them: a JSON object {"file", "item", "salt"} on each
// line. They may come from a stranger, so their size and each line are bounded before anything is parsed.

import { t } from "../i18n.js";
import { Said } from "../said.js";

export interface SaltRow {
  item: string;
  /** With the folders, as whoever saved it named it. */
  name: string;
  /** 32 bytes as 0x text. */
  salt: string;
}

const LARGEST_MB = 4; // more than 20,000 rows
const LINE_LETTERS = 65_536; // paths have at most 4,096 bytes, each six in JSON at worst
const HASH = /^0x[0-9a-f]{64}$/;

/** A row; null for any other line. */
function rowOf(line: string): SaltRow | null {
  if (line.length > LINE_LETTERS) return null;
  try {
    const { file, item, salt } = JSON.parse(line) as Record<string, unknown>;
    const right = [item, salt].every((one) => typeof one === "string" && HASH.test(one)) && typeof file === "string";
    return right ? { item: item as string, name: file as string, salt: salt as string } : null;
  } catch {
    return null;
  }
}

/** Whether a chosen file is one of salts: by its name, or by how it begins. */
export async function isSalts(file: File): Promise<boolean> {
  if (file.name.toLowerCase().endsWith(".salts.jsonl")) return true;
  if ((await file.slice(0, 1).text().catch(() => "")) !== "{") return false; // of thousands, most need no closer look
  const [first = ""] = (await file.slice(0, LINE_LETTERS).text().catch(() => "")).split("\n");
  return rowOf(first) !== null;
}

/** All rows, or an error that names the first wrong line. */
export async function readSalts(file: File): Promise<SaltRow[]> {
  const { name } = file;
  if (file.size > LARGEST_MB * 1_000_000) throw new Said(t("salts_large", { name, n: LARGEST_MB }));
  const lines = (await file.text().catch(() => Promise.reject(new Said(t("unreadable", { name }))))).split("\n");
  return lines.flatMap((line, at) => {
    if (line.trim() === "") return [];
    const row = rowOf(line);
    if (!row) throw new Said(t("salts_bad", { name, n: at + 1 }));
    return [row];
  });
}
