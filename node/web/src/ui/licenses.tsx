// My licenses, grouped by marketplace and grantee, with a search, and drawn a page at a time.

import { useEffect, useMemo, useState } from "preact/hooks";

import { purposeText, t, type Key } from "../i18n.js";
import { type Listed, licensesOf, onRevocation } from "../net/api.js";
import { same } from "../protocol/bytes.js";
import { type Speaker, type Wish, wishAll, wishLicense, wishPurpose, wishVia, whoText } from "../wish.js";
import { useApp, useChanges } from "./app.js";
import { Card } from "./card.js";
import { Look, Wallets } from "./home.js";
import { Address, Say, Trouble, explain, short } from "./parts.js";
import { TakeBack } from "./takeback.js";

const PAGE = 30;
const FEW = 3; // no search below this number
const FILTERS: Key[] = ["all", "active", "revoked", "expired"];

/** The licenses of an address, updated by this page, other tabs, other nodes and the chain. */
function useLicenses(address: string) {
  const [found, setFound] = useState<Listed[] | null>(null);
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
          if (turn === 0) setFound([...all]);
        }
        setFound(all);
        setError("");
      } catch (problem) {
        if (wanted) setError(explain(problem));
      }
    })();
    return () => {
      wanted = false;
    };
  }, [address, turn]);
  return { found, error, again };
}

export function Licenses({ address }: { address: string }) {
  const { account } = useApp();
  const { found, error, again } = useLicenses(address);
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
      {error && (
        <Trouble error={error} again={again} />
      )}
      {!found && !error && <p class="quiet" role="status">{t("loading")}</p>}
      {found && <List found={found} speaker={speaker} own={own} ask={setWish} />}
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
  found: Listed[];
  speaker: Speaker | null;
  own: boolean;
  ask: (wish: Wish) => void;
}

function List({ found, speaker, own, ask }: ListProps) {
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState<Key>("all");
  const [shown, setShown] = useState(PAGE);
  const matching = useMemo(() => found.filter((one) => matches(one, search, filter)), [found, search, filter]);
  const groups = useMemo(() => grouped(matching.slice(0, shown)), [matching, shown]);
  if (found.length === 0) {
    return (
      <>
        <Say kind="note">
          <strong>{t("nothing")}</strong>
          <p>{t("nothing_hint")}</p>
        </Say>
        {speaker && <Everywhere found={found} speaker={speaker} ask={ask} />}
      </>
    );
  }
  return (
    <>
      <p class="lead" role="status">{t("found", { n: found.length })}</p>
      {found.length > FEW && <Tools search={setSearch} filter={setFilter} />}
      {matching.length === 0 && <p>{t("no_match")}</p>}
      {[...groups].map(([via, grantees]) => (
        <section class="group" key={via}>
          <header>
            <h2>{via ? t("through", { via }) : t("direct")}</h2>
            {via && speaker && isLive(found, via) && (
              <button type="button" onClick={() => ask(wishVia(speaker, found, via))}>
                {t("take_back_via", { via })}
              </button>
            )}
          </header>
          {[...grantees].map(([grantee, cards]) => (
            <section key={grantee}>
              <h3>{/^0x0+$/.test(grantee) ? whoText(grantee) : <Address of={grantee} />}</h3>
              {cards.map((one) => (
                <Card key={one.license} one={one} takeBack={own ? () => ask(wishLicense(one.consent)) : null} />
              ))}
            </section>
          ))}
        </section>
      ))}
      {matching.length > shown && (
        <button type="button" class="wide" onClick={() => setShown(shown + PAGE)}>
          {t("more", { n: Math.min(PAGE, matching.length - shown) })}
        </button>
      )}
      {speaker && <Everywhere found={found} speaker={speaker} ask={ask} />}
    </>
  );
}

function Tools({ search, filter }: { search: (text: string) => void; filter: (one: Key) => void }) {
  return (
    <div class="tools">
      <label>
        <span>{t("search")}</span>
        <input type="search" placeholder={t("search_hint")} onInput={(event) => search(event.currentTarget.value)} />
      </label>
      <label>
        <span>{t("filter")}</span>
        <select onChange={(event) => filter(event.currentTarget.value as Key)}>
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

/** The widest revocations, last on the page so that nobody taps them by accident. */
function Everywhere({ found, speaker, ask }: { found: Listed[]; speaker: Speaker; ask: (wish: Wish) => void }) {
  const purposes = useMemo(() => [...new Set(found.flatMap((one) => one.consent.purposes))].sort(), [found]);
  const names = [...new Set([...purposes, "likeness-synthesis"])].sort();
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

const isLive = (found: Listed[], via: string): boolean =>
  found.some((one) => one.consent.via === via && one.status !== "revoked" && one.status !== "expired");

function matches(one: Listed, search: string, filter: Key): boolean {
  if (filter !== "all" && filter !== one.status && !(filter === "active" && one.status === "not-yet-valid")) return false;
  const { via, grantee, purposes } = one.consent;
  const text = [via, grantee, one.license, ...purposes, ...purposes.map(purposeText)].join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Groups by marketplace and grantee, with active licenses first and the newest first. */
function grouped(found: Listed[]): Map<string, Map<string, Listed[]>> {
  const groups = new Map<string, Map<string, Listed[]>>();
  for (const one of found) {
    const { via, grantee } = one.consent;
    const group = groups.get(via) ?? new Map<string, Listed[]>();
    groups.set(via, group.set(grantee, [...(group.get(grantee) ?? []), one]));
  }
  return groups;
}
