// Files of salts among chosen files: their rows are kept on this device, and the files themselves are neither looked
// for nor licensed. Every other file goes to the reading below.

import { useState } from "preact/hooks";

import { type SaltRow, isSalts, readSalts } from "../net/salts.js";
import { shelveRows } from "../net/shelf.js";
import { t } from "../i18n.js";
import type { Found, Reading } from "./files.js";
import { type News, explain } from "./parts.js";

/** `took` is told the rows of each file, once they are kept, and says what came of it. */
export function useSalts(reading: Reading, took: (rows: SaltRow[]) => News | Promise<News>): { said: News[]; reading: Reading } {
  const [said, setSaid] = useState<News[]>([]);
  const take = async (file: File): Promise<News> => {
    try {
      const rows = await readSalts(file);
      const kept = await shelveRows(rows);
      const told = await took(rows);
      return kept ? told : { kind: "warn", text: `${told.text} ${t("salts_unkept")}` };
    } catch (problem) {
      return { kind: "bad", text: explain(problem) };
    }
  };
  const sift = async (files: File[]): Promise<File[]> => {
    setSaid([]);
    const rest: File[] = [];
    for (const file of files) {
      if (!(await isSalts(file))) rest.push(file);
      else {
        const told = await take(file);
        setSaid((before) => [...before, told]);
      }
    }
    return rest;
  };
  const readFound = (found: Promise<Found>) => reading.readFound(found.then(async ({ files, failed }) => ({ files: await sift(files), failed })));
  return { said, reading: { ...reading, readFound, read: (files) => void readFound(Promise.resolve({ files, failed: [] })) } };
}
