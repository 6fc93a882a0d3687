// The state that all parts of the page share: node, wallet, person and view.

import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";

import type { NodeInfo } from "../net/api.js";
import type { Wallet } from "../net/wallet.js";
import type { Consent } from "../protocol/messages.js";

export interface App {
  node: NodeInfo;
  wallets: Wallet[];
  wallet: Wallet | null;
  /** The account that is open in the wallet; it signs. */
  account: string | null;
  /** The open accounts of the wallet, and the choice of another one. */
  accounts: string[];
  choose(account: string): void;
  /** The address whose licenses are shown: the account's, or a pasted address. */
  address: string | null;
  connect(wallet: Wallet): Promise<void>;
  disconnect(): void;
}

export const AppContext = createContext<App>(null as unknown as App);
export const useApp = (): App => useContext(AppContext);

/** Path and query after `#`, which browsers send to no server. */
export function useRoute(): { path: string; query: URLSearchParams } {
  const [hash, set] = useState(location.hash);
  useEffect(() => {
    const heard = () => set(location.hash);
    window.addEventListener("hashchange", heard);
    return () => window.removeEventListener("hashchange", heard);
  }, []);
  const [path, query] = hash.replace(/^#/, "").split("?");
  return { path: path || "/", query: new URLSearchParams(query ?? "") };
}

const PRINT = "print";

/** Whether the page is drawn for paper, which has room for everything and no buttons. */
export function usePrinting(): boolean {
  const [printing, set] = useState(() => matchMedia(PRINT).matches);
  useEffect(() => {
    const paper = matchMedia(PRINT);
    const heard = () => set(paper.matches);
    const [begin, end] = [() => set(true), () => set(false)]; // some browsers only tell one of both
    paper.addEventListener("change", heard);
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    return () => {
      paper.removeEventListener("change", heard);
      window.removeEventListener("beforeprint", begin);
      window.removeEventListener("afterprint", end);
    };
  }, []);
  return printing;
}

/** How many rows of a long list are shown: so many at first, as many more each time, and all of them on paper. */
export function useShown(page: number): { shown: number; more: () => void } {
  const [shown, set] = useState(page);
  return { shown: usePrinting() ? Infinity : shown, more: () => set(shown + page) };
}

/** Notifies listeners of changes, here or elsewhere. */
const changes = new EventTarget();

/** `whole` are licenses that a node has promised to refuse as a whole, so that nobody waits to see it. */
export const changed = (whole: Consent[] = []): boolean => changes.dispatchEvent(new CustomEvent("change", { detail: whole }));

export function useChanges(tell: (whole: Consent[]) => void, dependencies: unknown[]): void {
  useEffect(() => {
    const heard = (event: Event) => tell((event as CustomEvent<Consent[]>).detail);
    changes.addEventListener("change", heard);
    return () => changes.removeEventListener("change", heard);
  }, dependencies);
}

/** Notifies of what is signed and waits on this device, because its node did not take it now. */
export const waiting = (): boolean => changes.dispatchEvent(new Event("wait"));

export function useWaiting(tell: () => void): void {
  const heard = useRef(tell);
  heard.current = tell;
  useEffect(() => {
    const hear = () => heard.current();
    changes.addEventListener("wait", hear);
    return () => changes.removeEventListener("wait", hear);
  }, []);
}

export function saveFile(name: string, content: Uint8Array | string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What this tab remembers under a name, until it is closed. */
export function recall<T extends object>(name: string, otherwise: T): T {
  try {
    return { ...otherwise, ...(JSON.parse(sessionStorage.getItem(`sayso-${name}`) ?? "{}") as Partial<T>) };
  } catch {
    return otherwise;
  }
}

export function recallLater(name: string, value: object): void {
  try {
    sessionStorage.setItem(`sayso-${name}`, JSON.stringify(value));
  } catch {
    // Without storage, it is forgotten.
  }
}
