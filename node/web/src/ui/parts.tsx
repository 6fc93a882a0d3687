// Small shared components.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { type Key, t } from "../i18n.js";
import { ApiError, type Status } from "../net/api.js";
import { hashFile } from "../net/hashing.js";
import { WalletError } from "../net/wallet.js";
import { LyingNode } from "../signing.js";

export const short = (text: string): string => `${text.slice(0, 6)}…${text.slice(-4)}`;

export function Address({ of }: { of: string }) {
  return (
    <code class="address" title={of}>
      <span aria-hidden="true">{short(of)}</span>
      <span class="unseen">{of}</span>
    </code>
  );
}

const ICONS: Record<string, string> = {
  good: "M4 10.5 8.2 14.5 16 6",
  bad: "M5 5 15 15 M15 5 5 15",
  warn: "M10 4.5V11.5 M10 15.2V15.4",
  wait: "M10 2.6a7.4 7.4 0 1 0 .01 0 M10 6.2V10.2L12.8 11.8",
};

export function Icon({ name }: { name: string }) {
  return (
    <svg class={`icon ${name}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

export function Say({ kind, children }: { kind: "good" | "bad" | "warn" | "note"; children: ComponentChildren }) {
  return (
    <div class={`say ${kind}`} role={kind === "bad" ? "alert" : undefined}>
      {kind !== "note" && <Icon name={kind} />}
      <div>{children}</div>
    </div>
  );
}

/** An error with a button to try again. */
export function Trouble({ error, again }: { error: string; again: () => void }) {
  return (
    <Say kind="bad">
      {error}{" "}
      <button type="button" onClick={again}>
        {t("again")}
      </button>
    </Say>
  );
}

export function Pill({ status, partly }: { status: Status; partly?: string }) {
  const names: Record<Status, Key> = { active: "active", revoked: "revoked", expired: "expired", "not-yet-valid": "soon" };
  const kind = status === "active" && partly ? "partly" : status;
  return <span class={`pill ${kind}`}>{status === "active" && partly ? partly : t(names[status])}</span>;
}

/** The text of an error. */
export function explain(error: unknown): string {
  if (error instanceof LyingNode) return t("lying");
  if (error instanceof WalletError) {
    return error.reason === "refused" ? t("refused") : t("wallet_failed", { why: error.message });
  }
  if (error instanceof ApiError && error.code === "unreachable") return t("unreachable");
  return t("went_wrong", { why: error instanceof Error ? error.message : String(error) });
}

export interface Hashed {
  name: string;
  item: string;
}

/** A place to drop files, which hashes them in the browser. */
export function FileDrop({ many, label, take }: { many: boolean; label: string; take: (files: Hashed[]) => void }) {
  const [busy, setBusy] = useState("");
  const [failed, setFailed] = useState<string[]>([]);
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  async function hashAll(files: File[]) {
    setFailed([]);
    for (const file of many ? files : files.slice(0, 1)) {
      const tell = (done: number) => {
        const percent = file.size ? Math.round((100 * done) / file.size) : 100;
        setBusy(t("hashing", { name: file.name, percent }));
      };
      tell(0);
      await hashFile(file, tell).then(
        (item) => take([{ name: file.webkitRelativePath || file.name, item }]),
        () => setFailed((others) => [...others, file.name]),
      );
    }
    setBusy("");
  }

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void hashAll([...(event.dataTransfer?.files ?? [])]);
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
            void hashAll([...(input.current?.files ?? [])]);
            input.current!.value = "";
          }}
        />
      </label>
      <p class="quiet" role="status">
        {busy}
      </p>
      {failed.map((name) => (
        <Say kind="bad" key={name}>
          {t("unreadable", { name })}
        </Say>
      ))}
    </div>
  );
}

/** A window over the page: the browser keeps the focus in it, and Escape closes it. */
export function Sheet({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="sheet-title">
      <header>
        <h2 id="sheet-title">{title}</h2>
        <button type="button" class="plain" aria-label={t("close")} onClick={() => dialog.current?.close()}>
          <Icon name="bad" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
