// My licenses, newest first, with a search, and drawn a page at a time.

import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { day, language, purposeText, t, type Key } from "../i18n.js";
import type { Dated } from "../calendar.js";
import { whoText } from "../company.js";
import type { Listed } from "../net/api.js";
import { same, short } from "../protocol/bytes.js";
import { agreementOf } from "../protocol/words.js";
import { SaveDates } from "./calendar.js";
import { type Speaker, type Wish, isLive, reaches, wishAll, wishLicense, wishPurpose, wishVia } from "../wish.js";
import { useApp, usePrinting } from "./app.js";
import { Card, isTrue, sentenceOf } from "./card.js";
import { Wards } from "./guarding.js";
import { Look, Wallets } from "./home.js";
import { PAGE, type View, useKeptView, useLicenses, useTakenOf } from "./list_state.js";
import { Loading, Operators, Pill, Say, Trouble } from "./parts.js";
import { TakeBack } from "./takeback.js";
import { Unsent } from "./waiting.js";

const FIRST = 6; // cards that a phone shows before anything is scrolled
const FEW = 3; // no search below this number
const FILTERS: Key[] = ["all", "active", "revoked", "expired"];

export function Licenses({ address }: { address: string }) {
  const { account } = useApp();
  const { found, whole, error, keptAt, again } = useLicenses(address);
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
      {own && <Unsent address={address} />}
      {keptAt !== null && <Say kind="warn">{t("kept_list", { date: day(keptAt) })}</Say>}
      {error && <Trouble error={error} again={again} />}
      {!found && !error && <Loading />}
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
      <Wards />
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
  const [view, setView] = useKeptView(address, whole);
  const { search, filter, shown } = view;
  const matching = useMemo(() => found.filter((one) => matches(one, search, filter)), [found, search, filter]);
  const drawn = useFirstFew(shown);
  const printing = usePrinting();
  const runs = useMemo(() => runsOf(printing ? [] : matching.slice(0, drawn)), [matching, drawn, printing]);
  const vias = useMemo(() => {
    const seen = new Set<string>();
    for (const one of speaker && whole ? found : []) {
      const { via } = one.consent;
      if (via && !seen.has(via) && reaches(speaker!, [one], `via ${via}`)) seen.add(via);
    }
    return seen;
  }, [found, whole, speaker?.signer, speaker?.ward]);
  const { taken, proofs } = useTakenOf(address, found);
  const known = useMemo(() => new WeakMap<Listed, VNode>(), [taken, proofs, own, ask, language]);
  /** The same as before as long as its license is the same: a slow phone draws one again, and not dozens. */
  const cardOf = (one: Listed) => {
    if (!known.has(one)) known.set(one, <Card key={one.license} one={one} taken={taken} proofs={proofs} takeBack={own ? () => ask(wishLicense(one)) : null} />);
    return known.get(one);
  };
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
    if (!speaker || !offered.delete(via)) return null;
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
        {runs.map(({ via, cards }) => (
          <section class="group" key={cards[0]!.license}>
            <header>
              <h2>{via ? t("through", { via }) : t("direct")}</h2>
              {viaButton(via)}
            </header>
            {cards.map(cardOf)}
          </section>
        ))}
      </div>
      {printing && <OnPaper of={matching} />}
      {matching.length > shown && (
        <button type="button" class="wide" onClick={more}>
          {t("more", { n: Math.min(PAGE, matching.length - shown) })}
        </button>
      )}
      {whole && found.some(isLive) && <SaveDates dates={() => datesOf(found)} />}
      {speaker && whole && <Everywhere found={found} speaker={speaker} ask={ask} />}
    </>
  );
}

/** Every license that matches, as a line of a table: thousands of cards would be a book. */
function OnPaper({ of }: { of: Listed[] }) {
  const { node } = useApp();
  return (
    <table class="paper">
      <tbody>
        {of.map((one) => (
          <tr key={one.license}>
            {isTrue(one, node.network) ? (
              <>
                <td>
                  <Pill status={one.status} partly={one.revoked_permissions > 0 ? t("partly_some") : undefined} />
                </td>
                <td>{sentenceOf(one)}</td>
                <td>{t("signed_on", { date: day(one.consent.issuedAt) })}</td>
                <td>{t("agreement_id", { id: short(agreementOf(one.consent)) })}</td>
              </>
            ) : (
              <td colSpan={4}>
                {t("untrue")} <code>{short(one.license)}</code>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** When each license that is in force ends. */
const datesOf = (found: Listed[]): Dated[] =>
  found.filter(isLive).map(({ license, consent }) => ({
    id: license,
    at: consent.expiresAt,
    what: t("cal_ends", { who: whoText(consent.grantee), items: t("items", { n: consent.items }) }),
  }));

/** A few cards at first, and all that are wanted once those stand on the screen. */
function useFirstFew(shown: number): number {
  const [all, setAll] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setTimeout(() => setAll(true)));
    return () => cancelAnimationFrame(frame);
  }, []);
  return all ? shown : Math.min(FIRST, shown);
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
    return all.filter((one) => reaches(speaker, found, "everything", one));
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
  if (search === "") return true;
  const { via, grantee, purposes } = one.consent;
  const text = [via, grantee, whoText(grantee), one.license, ...purposes, ...purposes.map(purposeText)].join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

interface Run {
  via: string;
  cards: Listed[];
}

/** Neighbours with the same marketplace; the order stays, so more are only ever added below. */
function runsOf(found: Listed[]): Run[] {
  const runs: Run[] = [];
  for (const one of found) {
    const { via } = one.consent;
    const last = runs.at(-1);
    if (last && last.via === via) last.cards.push(one);
    else runs.push({ via, cards: [one] });
  }
  return runs;
}
