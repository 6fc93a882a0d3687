// Choosing files, which the browser hashes one after another. They wait in one queue, however often somebody
// drops more, so that the page always knows how many are still unread.

import { useRef, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { hashFile } from "../net/hashing.js";
import { noteLook } from "../net/shelf.js";
import { Say } from "./parts.js";

export interface Hashed {
  name: string;
  item: string;
  /** The SHA-256 of its bytes, and the salt of its item hash; absent for hashes without a file here. */
  plain?: string;
  salt?: string;
}

const BATCH = 50; // hashes that are taken at once, so that thousands do not draw the page thousands of times
const EVERY_MS = 100;

/** What was found in a dropped folder. */
export interface Found {
  files: File[];
  /** The names of what could not be opened. */
  failed: string[];
}

export interface Reading {
  /** Whether anything is still read, or still looked for in a dropped folder. */
  busy: boolean;
  /** Files that were read, of all that were chosen since the queue was last empty. */
  done: number;
  total: number;
  failed: string[];
  said: string;
  read: (files: File[]) => void;
  readFound: (found: Promise<Found>) => Promise<void>;
  leaveOut: () => void;
}

export function useReading(take: (files: Hashed[]) => void | Promise<void>): Reading {
  const queue = useRef<File[]>([]);
  const walks = useRef(0); // folders that are looked through
  const state = useRef({ busy: false, done: 0, total: 0, said: "", timer: 0 });
  const [failed, setFailed] = useState<string[]>([]);
  const [, draw] = useState(0);
  const taking = useRef(take);
  taking.current = take;

  const show = () => {
    state.current.timer ||= window.setTimeout(() => {
      state.current.timer = 0;
      draw((turn) => turn + 1);
    }, EVERY_MS);
  };
  async function run() {
    const found: Hashed[] = [];
    const flush = async () => found.length > 0 && (await taking.current(found.splice(0)));
    for (let file = queue.current.shift(); file; file = queue.current.shift()) {
      const { name, size } = file;
      const tell = (done: number) => {
        state.current.said = t("hashing", { name, percent: size ? Math.round((100 * done) / size) : 100 });
        show();
      };
      tell(0);
      await hashFile(file, tell).then(
        (item) => (found.push({ name: pathOf(file!), item, plain: item }), noteLook(item, file!)),
        () => setFailed((others) => [...others, name]),
      );
      state.current.done++;
      if (found.length >= BATCH) await flush();
    }
    await flush(); // only then nothing is read any more
    Object.assign(state.current, { busy: false, done: 0, total: 0, said: "" });
    draw((turn) => turn + 1);
  }
  const read = (files: File[]) => {
    if (files.length === 0) return;
    queue.current.push(...files);
    state.current.total += files.length;
    if (!state.current.busy) {
      setFailed([]);
      state.current.busy = true;
      void run();
    }
    draw((turn) => turn + 1);
  };
  const readFound = async (found: Promise<Found>) => {
    walks.current++;
    draw((turn) => turn + 1);
    const { files, failed } = await found;
    walks.current--;
    read(files);
    if (failed.length > 0) setFailed((others) => [...others, ...failed]);
  };
  const { busy, done, total, said } = state.current;
  return { busy: busy || walks.current > 0, done, total, said, failed, read, readFound, leaveOut: () => setFailed([]) };
}

const paths = new WeakMap<File, string>();

/** The name of a file with the folders in which it was chosen. */
const pathOf = (file: File): string => paths.get(file) ?? (file.webkitRelativePath || file.name);

const entriesOf = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> => new Promise((resolve, reject) => reader.readEntries(resolve, reject));

/** The files of what was dropped, those in folders too; what cannot be opened is named, and hides nothing else. */
async function filesIn(entries: FileSystemEntry[]): Promise<Found> {
  const found: Found = { files: [], failed: [] };
  const waiting = [...entries];
  for (const entry of waiting) {
    const name = entry.fullPath.replace(/^\//, "");
    try {
      if (entry.isFile) {
        const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
        paths.set(file, name);
        found.files.push(file);
      } else {
        const reader = (entry as FileSystemDirectoryEntry).createReader();
        for (let some = await entriesOf(reader); some.length > 0; some = await entriesOf(reader)) waiting.push(...some); // the loop comes to them
      }
    } catch {
      found.failed.push(name);
    }
  }
  return found;
}

interface FileDropProps {
  many: boolean;
  label: string;
  reading: Reading;
}

/** A place to drop files, or to choose them. */
export function FileDrop({ many, label, reading }: FileDropProps) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { busy, done, total, said, failed } = reading;
  const folder = useRef<HTMLInputElement>(null);
  const read = (files: Iterable<File> | null | undefined) => reading.read([...(files ?? [])].slice(0, many ? undefined : 1));
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const entries = [...(event.dataTransfer?.items ?? [])].map((one) => one.webkitGetAsEntry?.()).filter((one) => one != null);
    if (!many || !entries.some((one) => one.isDirectory)) return read(event.dataTransfer?.files);
    void reading.readFound(filesIn(entries));
  };
  return (
    <div
      class={`drop ${over ? "over" : ""}`}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <p>{label}</p>
      <label class="button">
        {t("choose")}
        <input
          ref={input}
          class="unseen"
          type="file"
          multiple={many}
          onChange={() => {
            read(input.current?.files);
            input.current!.value = "";
          }}
        />
      </label>
      {many && (
        <label class="button">
          {t("choose_folder")}
          <input
            ref={(made) => {
              made?.setAttribute("webkitdirectory", "");
              folder.current = made;
            }}
            class="unseen"
            type="file"
            onChange={() => {
              read(folder.current?.files);
              folder.current!.value = "";
            }}
          />
        </label>
      )}
      <p class="quiet" role="status">
        {busy && total > 1 && `${t("reading", { k: done, n: total })} `}
        {busy && said}
      </p>
      {failed.length > 0 && (
        <Say kind="bad">
          {failed.map((name) => (
            <p key={name}>{t("unreadable", { name })}</p>
          ))}
          {many && (
            <button type="button" onClick={reading.leaveOut}>
              {t("leave_out")}
            </button>
          )}
        </Say>
      )}
    </div>
  );
}
