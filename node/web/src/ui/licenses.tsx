// My licenses, newest first, with a search, and drawn a page at a time.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { purposeText, t, type Key } from "../i18n.js";
import { type Listed, type Revoked, licensesOf, onRevocation, revocationsOf } from "../net/api.js";
import { same } from "../protocol/bytes.js";
import { type Speaker, type Wish, reachOf, wishAll, wishLicense, wishPurpose, wishVia, whoText } from "../wish.js";
import { recall, recallLater, useApp, useChanges } from "./app.js";
import { Card } from "./card.js";
import { Look, Wallets } from "./home.js";
import { Address, Operators, Say, Trouble, explain, short } from "./parts.js";
import { TakeBack } from "./takeback.js";

const PAGE = 30;
const FEW = 3; // no search below this number
const FILTERS: Key[] = ["all", "active", "revoked", "expired"];

/** The licenses of an address, updated by this page, other tabs, other nodes and the chain. */
function useLicenses(address: string) {
  const [found, setFound] = useState<Listed[] | null>(null);
  const [whole, setWhole] = useState(false);
  const [error, setError] = useState("");
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((last) => last + 1);
  useChanges(again, []);
  useEffect(() => onRevocation(address, again), [address]);
  useEffect(() => {
    let wanted = true;
    void (async () => {
      const all: Listed[] = [];
      try {
        for await (const page of licensesOf(address)) {
          if (!wanted) return;
          all.push(...page);
          setFound((before) => patched(before ?? [], page)); // the newest first, so what is on the screen is right early
        }
        setFound(all);
        setWhole(true);
        setError("");
      } catch (problem) {
        if (wanted) setError(explain(problem));
      }
    })();
    return () => {
      wanted = false;
    };
  }, [address, turn]);
  return { found, whole, error, again };
}

/** A list with newer values of some entries; unknown ones are newer than all if any entry of the page is known. */
function patched(before: Listed[], page: Listed[]): Listed[] {
  const fresh = new Map(page.map((one) => [one.license, one]));
  const known = before.map((one) => {
    const now = fresh.get(one.license);
    fresh.delete(one.license);
    return now ?? one;
  });
  return fresh.size < page.length ? [...fresh.values(), ...known] : [...known, ...fresh.values()];
}

export function Licenses({ address }: { address: string }) {
  const { account } = useApp();
  const { found, whole, error, again } = useLicenses(address);
  const [wish, setWish] = useState<Wish | null>(null);
  const own = account !== null && same(account, address);
  const guards = account !== null && !own && (found ?? []).some((one) => same(one.consent.guardian, account));
  const speaker: Speaker | null =
    own || guards ? { signer: account, ward: own ? "" : address } : null;
  return (
    <section>
      <h1>{own ? t("nav_mine") : t("of_person", { address: short(address) })}</h1>
      {!own && !guards && <LookingAt address={address} />}
      {guards && <Say kind="good">{t("guardian_of", { address: short(address) })}</Say>}
      {own && (
        <p>
          <a href="#/taken">{t("taken_title")}</a>
        </p>
      )}
      {error && <Trouble error={error} again={again} />}
      {!found && !error && <p class="quiet" role="status">{t("loading")}</p>}
      {found && <List address={address} found={found} whole={whole} speaker={speaker} own={own} ask={setWish} />}
      {own && found && <ForSomebody />}
      {wish && <TakeBack wish={wish} close={() => setWish(null)} />}
    </section>
  );
}

/** The field for a guardian to enter their ward's address. */
function ForSomebody() {
  return (
    <details>
      <summary>{t("for_somebody")}</summary>
      <Look label={t("for_somebody_whom")} />
    </details>
  );
}

/** A note for a viewer without the wallet of the shown address. */
export function LookingAt({ address }: { address: string }) {
  const { account } = useApp();
  return (
    <Say kind="note">
      <p>
        {t("looking_at", { address: short(address) })}
        <span class="unseen">{address}</span>
      </p>
      {!account && <Wallets />}
    </Say>
  );
}

interface ListProps {
  address: string;
  found: Listed[];
  whole: boolean;
  speaker: Speaker | null;
  own: boolean;
  ask: (wish: Wish) => void;
}

function List({ address, found, whole, speaker, own, ask }: ListProps) {
  const [view, setView] = useKeptView(address);
  const { search, filter, shown } = view;
  const matching = useMemo(() => found.filter((one) => matches(one, search, filter)), [found, search, filter]);
  const runs = useMemo(() => runsOf(matching.slice(0, shown)), [matching, shown]);
  const vias = useMemo(() => {
    const reach = (one: Listed) => speaker && reachOf(speaker, [one], `via ${one.consent.via}`).permissions > 0;
    return new Set(found.filter(reach).map((one) => one.consent.via));
  }, [found, speaker?.signer, speaker?.ward]);
  const taken = useTakenOf(address, found);
  const list = useRef<HTMLDivElement>(null);
  const more = () => {
    const first = list.current?.querySelectorAll("[data-license]").length ?? 0;
    setView({ shown: shown + PAGE });
    requestAnimationFrame(() => list.current?.querySelectorAll<HTMLElement>("[data-license]")[first]?.focus());
  };
  if (found.length === 0) {
    return (
      <Say kind="note">
        <strong>{t("nothing")}</strong>
        <p>{t("nothing_hint")}</p>
        <Operators />
      </Say>
    );
  }
  const offered = new Set(vias); // each marketplace once, where it comes first
  const viaButton = (via: string) => {
    if (!via || !speaker || !whole || !offered.delete(via)) return null;
    return (
      <button type="button" onClick={() => ask(wishVia(speaker, found, via))}>
        {t("take_back_via", { via })}
      </button>
    );
  };
  return (
    <>
      <p class="lead" role="status">{whole ? t("found", { n: found.length }) : t("loading")}</p>
      {found.length > FEW && <Tools view={view} set={setView} />}
      {matching.length === 0 && <p>{t("no_match")}</p>}
      <div ref={list}>
        {runs.map(({ via, grantee, cards }) => (
          <section class="group" key={cards[0]!.license}>
            <header>
              <h2>{via ? t("through", { via }) : t("direct")}</h2>
              {viaButton(via)}
            </header>
            <h3>{/^0x0+$/.test(grantee) ? whoText(grantee) : <Address of={grantee} />}</h3>
            {cards.map((one) => (
              <Card key={one.license} one={one} taken={taken} takeBack={own ? () => ask(wishLicense(one.consent)) : null} />
            ))}
          </section>
        ))}
      </div>
      {matching.length > shown && (
        <button type="button" class="wide" onClick={more}>
          {t("more", { n: Math.min(PAGE, matching.length - shown) })}
        </button>
      )}
      {speaker && whole && <Everywhere found={found} speaker={speaker} ask={ask} />}
    </>
  );
}

/** The revocations of the address, once a license is revoked in part or as a whole. */
function useTakenOf(address: string, found: Listed[]): Revoked[] {
  const { node } = useApp();
  const [taken, setTaken] = useState<Revoked[]>([]);
  const gone = found.reduce((sum, one) => sum + one.revoked_permissions, 0);
  useEffect(() => {
    if (gone > 0) revocationsOf(address, node.network).then(setTaken, () => undefined);
  }, [address, gone]);
  return taken;
}

interface View {
  search: string;
  filter: Key;
  shown: number;
}

/** What was searched and how far it was shown, as long as the tab is open: a look at a license loses nothing. */
function useKeptView(address: string): [View, (some: Partial<View>) => void] {
  const name = `list-${address}`;
  const [view, set] = useState<View>(() => recall(name, { search: "", filter: "all", shown: PAGE }));
  const change = (some: Partial<View>) => {
    const next = { ...view, ...some };
    recallLater(name, next);
    set(next);
  };
  return [view, change];
}

function Tools({ view, set }: { view: View; set: (some: Partial<View>) => void }) {
  return (
    <div class="tools">
      <label>
        <span>{t("search")}</span>
        <input type="search" placeholder={t("search_hint")} value={view.search} onInput={(event) => set({ search: event.currentTarget.value })} />
      </label>
      <label>
        <span>{t("filter")}</span>
        <select value={view.filter} onChange={(event) => set({ filter: event.currentTarget.value as Key })}>
          {FILTERS.map((one) => (
            <option key={one} value={one}>
              {t(one)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** The widest revocations, last on the page so that nobody taps them by accident; only what reaches something. */
function Everywhere({ found, speaker, ask }: { found: Listed[]; speaker: Speaker; ask: (wish: Wish) => void }) {
  const names = useMemo(() => {
    const all = [...new Set(found.flatMap((one) => one.consent.purposes))].sort();
    return all.filter((one) => reachOf(speaker, found, "everything", one).permissions > 0);
  }, [found, speaker.signer, speaker.ward]);
  if (names.length === 0) return null;
  return (
    <section class="everywhere panel">
      <label>
        <span>{t("take_back_purpose")}</span>
        <select
          value=""
          onChange={(event) => {
            const purpose = event.currentTarget.value;
            event.currentTarget.value = "";
            if (purpose) ask(wishPurpose(speaker, found, purpose));
          }}
        >
          <option value="">{t("choose_purpose")}</option>
          {names.map((one) => (
            <option key={one} value={one}>
              {purposeText(one)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="danger wide" onClick={() => ask(wishAll(speaker, found))}>
        {t("take_back_all")}
      </button>
    </section>
  );
}

function matches(one: Listed, search: string, filter: Key): boolean {
  if (filter !== "all" && filter !== one.status && !(filter === "active" && one.status === "not-yet-valid")) return false;
  const { via, grantee, purposes } = one.consent;
  const text = [via, grantee, one.license, ...purposes, ...purposes.map(purposeText)].join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

interface Run {
  via: string;
  grantee: string;
  cards: Listed[];
}

/** Neighbours with the same marketplace and grantee; the order stays, so more are only ever added below. */
function runsOf(found: Listed[]): Run[] {
  const runs: Run[] = [];
  for (const one of found) {
    const { via, grantee } = one.consent;
    const last = runs.at(-1);
    if (last && last.via === via && last.grantee === grantee) last.cards.push(one);
    else runs.push({ via, grantee, cards: [one] });
  }
  return runs;
}
