// One license with its files: find a file by its hash or by dropping it, choose files, take back.

import { useEffect, useMemo, useState } from "preact/hooks";

import { purposeText, t } from "../i18n.js";
import { type License, type Revoked, license as ask, onRevocation, revocationsOf } from "../net/api.js";
import { type Kept, allKept } from "../net/kept.js";
import { NOBODY, same } from "../protocol/bytes.js";
import { contentRoot } from "../protocol/trees.js";
import { agreementOf, isSet } from "../protocol/words.js";
import { type Wish, wishFiles, wishLicense, wishPart, whoText } from "../wish.js";
import { saveFile, useApp, useChanges } from "./app.js";
import { Card, isTrue, revokedBy } from "./card.js";
import { FileDrop, type Hashed, useReading } from "./files.js";
import { Say, Trouble, explain, short } from "./parts.js";
import { LookingAt } from "./licenses.js";
import { BUNDLE } from "./progress.js";
import { TakeBack } from "./takeback.js";
import { TakenCard, merged } from "./taken.js";
import { bundle } from "../protocol/envelope.js";

const PAGE = 50;

/** What contributor and guardian revoked, once something of this license is revoked. */
function useKnown(held: License | null): Revoked[] {
  const { node } = useApp();
  const [known, setKnown] = useState<Revoked[]>([]);
  const gone = held?.revoked_permissions ?? 0;
  useEffect(() => {
    if (!held || gone === 0) return;
    const signers = [held.consent.contributor, held.consent.guardian].filter((one) => !same(one, NOBODY));
    void Promise.all(signers.map((one) => revocationsOf(one, node.network).catch(() => []))).then((all) => setKnown(all.flat()));
  }, [held?.license, gone]);
  return known;
}

/** What proves that it was taken back: the signed file, and the node's promise. */
function Proof({ by }: { by: Revoked }) {
  const [kept, setKept] = useState<Kept[] | null>(null);
  useEffect(() => void allKept().then(setKept), [by.digest]);
  const one = kept && merged(kept.filter((other) => other.digest === by.digest), [by])[0];
  return one ? <TakenCard one={one} /> : null;
}

export function Details({ hash }: { hash: string }) {
  const { account, node } = useApp();
  const [held, setHeld] = useState<License | null>(null);
  const [error, setError] = useState("");
  const [wish, setWish] = useState<Wish | null>(null);
  const look = () => ask(hash).then(setHeld, (problem) => setError(explain(problem)));
  useEffect(() => void look(), [hash]);
  useEffect(() => (held ? onRevocation(held.consent.contributor, look) : undefined), [held?.license]);
  useChanges(look, [hash]);
  const rightRoot = useMemo(() => held && contentRoot(held.items), [held]);
  const known = useKnown(held);
  const by = useMemo(() => (held && held.revoked_permissions > 0 ? revokedBy(held.consent, known) : null), [held, known]);
  if (error) {
    return (
      <section>
        <h1>{t("license")}</h1>
        <Trouble error={error} again={() => (setError(""), void look())} />
      </section>
    );
  }
  if (!held) return <p class="quiet" role="status">{t("loading")}</p>;
  const { contributor, guardian } = held.consent;
  const own = account !== null && same(account, contributor);
  const guards = account !== null && !own && same(account, guardian);
  const right = rightRoot === held.consent.content;
  const listed = { ...held, anchor_block: held.anchor?.block_number ?? null };
  return (
    <section>
      <p class="back">
        <a href={own ? "#/" : `#/of/${contributor}`}>← {t("back")}</a>
      </p>
      <h1>{t("items", { n: held.consent.items })}</h1>
      {guards && <Say kind="good">{t("guardian_of", { address: short(contributor) })}</Say>}
      {!own && !guards && <LookingAt address={contributor} />}
      <Card alone one={listed} taken={known} takeBack={own ? () => setWish(wishLicense(held.consent)) : null} />
      {by && !wish && <Proof by={by} />}
      {right && isTrue(held, node.network) ? (
        <>
          <Items held={held} own={own} guards={guards} ask={setWish} />
          <Facts held={held} />
        </>
      ) : (
        !right && <Say kind="bad">{t("untrue")}</Say>
      )}
      {wish && <TakeBack wish={wish} close={() => setWish(null)} />}
    </section>
  );
}

interface ItemsProps {
  held: License;
  own: boolean;
  guards: boolean;
  ask: (wish: Wish) => void;
}

function Items({ held, own, guards, ask }: ItemsProps) {
  const { consent, items } = held;
  const { account } = useApp();
  const masks = useMemo(() => held.revoked_masks.map(BigInt), [held]);
  const [search, setSearch] = useState("");
  const [shown, setShown] = useState(PAGE);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [names, setNames] = useState<Record<string, string>>({});
  const matching = useMemo(
    () => items.map((item, at) => ({ item, at })).filter(({ item }) => fits(item, names[item], search)),
    [items, search, names],
  );
  const toggle = (at: number) => {
    const next = new Set(chosen);
    if (!next.delete(at)) next.add(at);
    setChosen(next);
  };
  const find = (files: Hashed[]) => {
    setNames((before) => ({ ...before, ...Object.fromEntries(files.map((one) => [one.item, one.name])) }));
    setSearch(files[0]?.item ?? "");
  };
  const reading = useReading(find);
  const takeChosen = () => {
    const positions = [...chosen].sort((a, b) => a - b);
    if (own) return ask(wishPart(consent, positions, consent.purposes));
    ask(wishFiles({ signer: account!, ward: consent.contributor }, consent, positions.map((at) => items[at]!)));
  };
  const width = consent.purposes.length;
  const gone = (at: number) => consent.purposes.filter((_, column) => isSet(masks, width, at, column));
  return (
    <>
      {own && held.status !== "revoked" && width > 1 && <Purposes held={held} ask={ask} />}
      <div class="tools">
        <label>
          <span>{t("search")}</span>
          <input type="search" value={search} placeholder="0x…" onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
      </div>
      <FileDrop many={false} label={t("find_file")} reading={reading} />
      {matching.length === 0 && <p>{t("no_match")}</p>}
      <ul class="items">
        {matching.slice(0, shown).map(({ item, at }) => {
          const lost = gone(at);
          return (
            <li key={item} class={lost.length === width ? "over" : ""}>
              <label>
                {(own || guards) && <input type="checkbox" checked={chosen.has(at)} disabled={lost.length === width} onChange={() => toggle(at)} />}
                <span class="name">{names[item] ?? <code>{`${item.slice(0, 14)}…${item.slice(-8)}`}</code>}</span>
                {lost.length > 0 && (
                  <span class="pill revoked">
                    {lost.length === width ? t("revoked") : `${t("revoked")}: ${lost.map(purposeText).join(", ")}`}
                  </span>
                )}
              </label>
            </li>
          );
        })}
      </ul>
      {matching.length > shown && (
        <button type="button" class="wide" onClick={() => setShown(shown + PAGE)}>
          {t("more", { n: Math.min(PAGE, matching.length - shown) })}
        </button>
      )}
      {chosen.size > 0 && (
        <div class="bar">
          <button type="button" class="danger wide" onClick={takeChosen}>
            {t("take_back_chosen", { n: chosen.size })}
          </button>
        </div>
      )}
    </>
  );
}

function Purposes({ held, ask }: { held: License; ask: (wish: Wish) => void }) {
  const { consent } = held;
  const every = consent.purposes.map((name) => ({ name, wish: () => wishPart(consent, [...held.items.keys()], [name]) }));
  return (
    <p class="actions purposes">
      {every.map(({ name, wish }) => (
        <button type="button" key={name} onClick={() => ask(wish())}>
          {t("take_back_for", { purpose: purposeText(name) })}
        </button>
      ))}
    </p>
  );
}

function Facts({ held }: { held: License }) {
  const { consent } = held;
  const envelope = () => bundle([Uint8Array.from(atob(held.envelope), (char) => char.charCodeAt(0))]);
  return (
    <details>
      <summary>{t("was_signed")}</summary>
      <blockquote lang="en">{consent.notice}</blockquote>
      <p>
        {t("who_may")}: <code class="long">{whoText(consent.grantee) === t("anyone") ? t("anyone") : consent.grantee}</code>
      </p>
      <p>
        <code class="long">{held.license}</code>
      </p>
      <p>{t("agreement_id", { id: "" })}</p>
      <p>
        <code class="long">{agreementOf(consent)}</code>
      </p>
      <button type="button" onClick={() => saveFile("consent.sayso", envelope(), BUNDLE)}>
        {t("save")}
      </button>
    </details>
  );
}

function fits(item: string, name: string | undefined, search: string): boolean {
  const words = search.trim().toLowerCase();
  return words === "" || item.includes(words) || (name ?? "").toLowerCase().includes(words);
}
