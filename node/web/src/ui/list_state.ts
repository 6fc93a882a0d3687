// What a list of licenses is made of: the node's entries, what was revoked, and where the person stood in it.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Key } from "../i18n.js";
import { ApiError, type Listed, type Revoked, licensesOf, onRevocation, revocationsOf } from "../net/api.js";
import { allKept } from "../net/kept.js";
import { keepList, lastList } from "../net/lists.js";
import type { Consent } from "../protocol/messages.js";
import { recall, recallLater, useApp, useChanges } from "./app.js";
import { explain } from "./parts.js";

export const PAGE = 30;
const SOON_MS = 500;

/** The licenses of an address, updated by this page, other tabs, other nodes and the chain. */
export function useLicenses(address: string) {
  const [found, setFound] = useState<Listed[] | null>(null);
  const [whole, setWhole] = useState(false);
  const [error, setError] = useState("");
  const [keptAt, setKeptAt] = useState<number | null>(null); // of a list of this device, because the node does not answer
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((last) => last + 1);
  const timer = useRef(0);
  // A take-back is told by this page and by the node, several times: the list is asked for once, after the news.
  const soon = () => void (timer.current ||= window.setTimeout(() => ((timer.current = 0), again()), SOON_MS));
  useEffect(() => () => clearTimeout(timer.current), []);
  useChanges((whole) => {
    if (whole.length > 0) setFound((before) => before && takenBack(before, whole));
    soon();
  }, []);
  useEffect(() => onRevocation(address, soon), [address]);
  useEffect(() => {
    let wanted = true;
    void (async () => {
      const all: Listed[] = [];
      try {
        for await (const page of licensesOf(address)) {
          if (!wanted) return;
          all.push(...page);
          // The newest come first, so what is on the screen is right early; the rest of a first load is drawn once.
          setFound((before) => (before && turn === 0 ? before : patched(before ?? [], page)));
        }
        if (!wanted) return;
        setFound(all);
        setWhole(true);
        setKeptAt(null);
        setError("");
        whenIdle(() => void keepList(address, all));
      } catch (problem) {
        if (!wanted) return;
        const last = await lastList(address);
        if (last) {
          setFound((before) => before ?? last.consents);
          setWhole(true);
          setKeptAt(last.at);
        }
        setError(last && problem instanceof ApiError && problem.code === "unreachable" ? "" : explain(problem));
      }
    })();
    return () => {
      wanted = false;
    };
  }, [address, turn]);
  return { found, whole, error, keptAt, again };
}

/** Later, when nobody waits for anything: thousands of entries take a phone a moment to store. */
const whenIdle = (work: () => void): void => void ("requestIdleCallback" in window ? requestIdleCallback(work, { timeout: 2_000 }) : setTimeout(work, 500));

/** The list after a node's promise to refuse these licenses as a whole. */
function takenBack(before: Listed[], whole: Consent[]): Listed[] {
  const notices = new Map<string, Set<string>>(); // by content, which is short: a list may have thousands of entries
  for (const { content, notice } of whole) notices.set(content, (notices.get(content) ?? new Set()).add(notice));
  const isOne = ({ content, notice }: Consent) => notices.get(content)?.has(notice);
  return before.map((one) => (isOne(one.consent) ? { ...one, status: "revoked", revoked_permissions: one.permissions } : one));
}

/** The list with newer values of some entries; the same list if nothing changed, which draws nothing. */
function patched(before: Listed[], page: Listed[]): Listed[] {
  const fresh = new Map(page.map((one) => [one.license, one]));
  let moved = false;
  const known = before.map((one) => {
    const now = fresh.get(one.license);
    if (!now) return one;
    fresh.delete(one.license);
    const equal = now.status === one.status && now.revoked_permissions === one.revoked_permissions && now.anchor_block === one.anchor_block;
    moved ||= !equal;
    return equal ? one : now;
  });
  if (fresh.size === 0) return moved ? known : before;
  return fresh.size < page.length ? [...fresh.values(), ...known] : [...known, ...fresh.values()];
}

/** The revocations of the address, and of which this device keeps a proof, once a license is revoked in part or as a whole. */
export function useTakenOf(address: string, found: Listed[]): { taken: Revoked[]; proofs: ReadonlySet<string> } {
  const { node } = useApp();
  const [taken, setTaken] = useState<Revoked[]>([]);
  const [proofs, setProofs] = useState<ReadonlySet<string>>(new Set());
  const gone = found.reduce((sum, one) => sum + one.revoked_permissions, 0);
  useEffect(() => {
    if (gone === 0) return;
    revocationsOf(address, node.network).then(setTaken, () => undefined);
    void allKept().then((all) => setProofs(new Set(all.filter((one) => one.promise && one.signature).map((one) => one.digest))));
  }, [address, gone]);
  return { taken, proofs };
}

export interface View {
  search: string;
  filter: Key;
  shown: number;
  /** How far down the page stood, in pixels. */
  at: number;
}

/** What was searched and where the page stood, as long as the tab is open: a look at a license loses nothing. */
export function useKeptView(address: string, whole: boolean): [View, (some: Partial<View>) => void] {
  const name = `list-${address}`;
  const [view, set] = useState<View>(() => recall(name, { search: "", filter: "all", shown: PAGE, at: 0 }));
  const last = useRef(view);
  useLayoutEffect(() => {
    const keep = () => recallLater(name, { ...last.current, at: window.scrollY });
    window.addEventListener("pagehide", keep);
    return () => {
      window.removeEventListener("pagehide", keep);
      keep();
    };
  }, []);
  useEffect(() => {
    if (whole && view.at > 0) requestAnimationFrame(() => window.scrollTo(0, view.at));
  }, [whole]);
  return [view, (some) => set((last.current = { ...last.current, ...some }))];
}
