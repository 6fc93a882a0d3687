// SHA-256 of files, read in pieces by a worker, so that large files neither fill memory nor block the page.

import { sha256 } from "@noble/hashes/sha2";

import { hex } from "./protocol/bytes.js";

export interface Piece {
  id: number;
  done?: number;
  hash?: string;
  failed?: boolean;
}

const tell = (piece: Piece) => (self as unknown as Worker).postMessage(piece);

async function hash(id: number, file: File): Promise<void> {
  const state = sha256.create();
  const reader = file.stream().getReader();
  let [read, reported] = [0, 0];
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    state.update(part.value);
    read += part.value.length;
    if (read - reported > file.size / 50) {
      reported = read;
      tell({ id, done: read });
    }
  }
  tell({ id, hash: hex(state.digest()) });
}

let last: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<{ id: number; file: File }>) => {
  last = last.then(() => hash(data.id, data.file)).catch(() => tell({ id: data.id, failed: true }));
};
