// Small shared components.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { type Key, t } from "../i18n.js";
import { ApiError, type Status } from "../net/api.js";
import { WalletError, cancelWaiting } from "../net/wallet.js";
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

/** A reference to what takes the focus when it appears, so that nobody has to look for the news. */
export function useNews<T extends HTMLElement>(wanted: boolean) {
  const news = useRef<T>(null);
  useEffect(() => {
    if (wanted) news.current?.focus();
  }, []);
  return news;
}

/** The heading of a view that replaces another one after a step. */
export function Heading({ children }: { children: ComponentChildren }) {
  const news = useNews<HTMLHeadingElement>(true);
  return (
    <h1 ref={news} tabIndex={-1}>
      {children}
    </h1>
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

interface SayProps {
  kind: "good" | "bad" | "warn" | "note";
  id?: string;
  /** Takes the focus when it appears: it is the news after something that the person did. */
  focus?: boolean;
  children: ComponentChildren;
}

export function Say({ kind, id, focus, children }: SayProps) {
  const news = useNews<HTMLDivElement>(focus ?? false);
  return (
    <div class={`say ${kind}`} id={id} role={kind === "bad" ? "alert" : undefined} ref={news} tabIndex={focus ? -1 : undefined}>
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

/** Ends the wait for a wallet that stays silent. */
export function Cancel() {
  return (
    <button type="button" class="wide" onClick={cancelWaiting}>
      {t("cancel")}
    </button>
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
    if (error.reason === "cancelled") return t("cancelled");
    return error.reason === "refused" ? t("refused") : t("wallet_failed", { why: error.message });
  }
  if (error instanceof ApiError && error.code === "unreachable") return t("unreachable");
  return t("went_wrong", { why: error instanceof Error ? error.message : String(error) });
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
