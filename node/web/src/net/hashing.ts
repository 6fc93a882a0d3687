// Item hashes of files, which stay in the browser.

import type { Piece } from "../hashing.worker.js";

declare const WORKER: string; // its path, inserted by build.mjs

let worker: Worker | null = null;
let last = 0;
const waiting = new Map<number, (piece: Piece) => void>();

function start(): Worker {
  const made = new Worker(WORKER);
  made.onmessage = ({ data }: MessageEvent<Piece>) => waiting.get(data.id)?.(data);
  made.onerror = () => {
    for (const [id, tell] of waiting) tell({ id, failed: true });
    worker = null;
  };
  return made;
}

/** The SHA-256 of a file as 0x text (rule 1.5); `tell` is called with the number of bytes that are done. */
export function hashFile(file: File, tell: (done: number) => void): Promise<string> {
  worker ??= start();
  const id = ++last;
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ done, hash, failed }) => {
      if (done !== undefined) tell(done);
      if (hash) resolve(hash);
      if (failed) reject(new Error(file.name));
      if (hash || failed) waiting.delete(id);
    });
    worker!.postMessage({ id, file });
  });
}
