// Small shared components.

import { Component, type ComponentChildren } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";

import { whoText } from "../company.js";
import { type Key, isRightToLeft, t } from "../i18n.js";
import { ApiError, type Status, lastNode, othersOf } from "../net/api.js";
import { WalletError, cancelWaiting } from "../net/wallet.js";
import { NOBODY, same, short } from "../protocol/bytes.js";
import { Said } from "../said.js";
import { LyingNode } from "../signing.js";
import { AppContext } from "./app.js";

export function Address({ of }: { of: string }) {
  return (
    <code class="address" title={of}>
      <span aria-hidden="true">{short(of)}</span>
      <span class="unseen">{of}</span>
    </code>
  );
}

/** A company by its listed name, or as unknown, with its address in full for whoever wants it. */
export function Who({ of }: { of: string }) {
  if (same(of, NOBODY)) return <>{t("anyone")}</>;
  return (
    <span class="who" data-who={of} title={of}>
      {whoText(of)}
      <code class="unseen"> {of}</code>
    </span>
  );
}

/** The link to where the person came from; it points backwards in the person's language. */
export const Back = ({ to }: { to: string }) => (
  <a href={to}>
    {isRightToLeft() ? "→" : "←"} {t("back")}
  </a>
);

/** A reference to what takes the focus when it appears, so that nobody has to look for the news. */
function useNews<T extends HTMLElement>(wanted: boolean) {
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
    <div class={`say ${kind}`} id={id} role={kind === "bad" ? "alert" : undefined} ref={news} tabIndex={focus ? -1 : undefined} data-news={focus}>
      {kind !== "note" && <Icon name={kind} />}
      <div>{children}</div>
    </div>
  );
}

export const Loading = () => <p class="quiet" role="status">{t("loading")}</p>;

export interface News {
  kind: SayProps["kind"];
  text: string;
}

/** Sentences that a screen reader says as they come. */
export const Says = ({ all }: { all: News[] }) => (
  <div role="status">
    {all.map(({ kind, text }, at) => (
      <Say kind={kind} key={at}>
        {text}
      </Say>
    ))}
  </div>
);

/** Copies a text; pages by plain http have no clipboard. */
export function Copy({ text, label, wide }: { text: string; label: Key; wide?: boolean }) {
  const [copied, setCopied] = useState("");
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(text), () => setCopied(""));
  if (!("clipboard" in navigator)) return null;
  return (
    <button type="button" class={wide ? "wide" : undefined} onClick={copy}>
      {t(copied === text ? "copied" : label)}
    </button>
  );
}

/** Gives something to another app, on devices that can. */
export function Share({ what, label }: { what: ShareData; label: Key }) {
  if (!("share" in navigator)) return null;
  return (
    <button type="button" onClick={() => void navigator.share(what).catch(() => undefined)}>
      {t(label)}
    </button>
  );
}

/** The other nodes of the network, which serve the same page. */
export function Operators() {
  const others = othersOf(useContext(AppContext)?.node ?? lastNode());
  if (others.length === 0) return null;
  return (
    <p class="actions">
      <span class="quiet">{t("other_nodes")}</span>
      {others.map((one) => (
        <a class="button" key={one.node_key} href={`${one.url}/${location.hash}`} rel="noreferrer">
          {one.name}
        </a>
      ))}
    </p>
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
      <Operators />
    </Say>
  );
}

/** What cannot be drawn, because a node's answer has no sense, is an error, and not an empty page. */
export class Boundary extends Component<{ children: ComponentChildren }, { error: string }> {
  override state = { error: "" };
  static override getDerivedStateFromError = (problem: unknown) => ({ error: explain(problem) });
  override render() {
    return this.state.error ? <Trouble error={this.state.error} again={() => this.setState({ error: "" })} /> : this.props.children;
  }
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

/** A sentence for an error in the person's language; what a machine said is only the code behind it. */
export function explain(error: unknown): string {
  if (error instanceof LyingNode) return t("lying");
  if (error instanceof WalletError) {
    if (error.reason === "cancelled") return t("cancelled");
    return error.reason === "refused" ? t("refused") : t("wallet_failed", { why: error.code });
  }
  if (error instanceof ApiError) return refusalText(error.code);
  return error instanceof Said ? error.message : t("went_wrong", { why: error instanceof Error ? error.name : "?" });
}

const KNOWN: Record<string, Key> = {
  "not-found": "not_found",
  "node-busy": "too_busy",
  "no-room": "too_busy",
  "too-slow": "too_busy",
  "store-unusable": "node_broken",
  "clock-put-back": "node_broken",
  internal: "node_broken",
  unreadable: "node_broken",
};

export const refusalText = (code: string): string =>
  code === "unreachable" ? t("unreachable") : `${t(KNOWN[code] ?? "refused_by_node")} ${t("code", { code })}`;

interface SheetProps {
  title: string;
  /** Changes with each step; the heading then takes the focus, unless the step has news of its own. */
  stage: string;
  close: () => void;
  children: ComponentChildren;
}

/**
 * A window over the page: the browser keeps the focus in it. Escape closes it, and so does the browser's Back,
 * which would otherwise leave the page. It opens at its question, never on a button.
 */
export function Sheet({ title, stage, close, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const last = useRef(stage);
  last.current = stage;
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    const card = opener?.closest<HTMLElement>("[data-license]");
    const shown = dialog.current!;
    shown.showModal();
    history.pushState({ sheet: true }, "");
    // A new window may open before the browser has gone back from the entry of the last one.
    const back = () => !(history.state as { sheet?: boolean } | null)?.sheet && dialog.current?.close();
    window.addEventListener("popstate", back);
    return () => {
      window.removeEventListener("popstate", back);
      if ((history.state as { sheet?: boolean } | null)?.sheet) history.back();
      shown.close(); // what is below an open window cannot take the focus
      const places = [last.current === "ask" ? opener : null, card, opener, document.getElementById("content")];
      places.find((one) => one?.isConnected && one !== document.body)?.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    if (!dialog.current?.querySelector("[data-news]")) heading.current?.focus();
    if (dialog.current) dialog.current.scrollTop = 0;
  }, [stage, title]);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="sheet-title">
      <header>
        <h2 id="sheet-title" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="plain" aria-label={t("close")} onClick={() => dialog.current?.close()}>
          <Icon name="bad" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
