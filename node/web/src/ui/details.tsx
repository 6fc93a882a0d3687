// One license with its files: find a file by its hash or by dropping it, choose files, take back.

import { useEffect, useMemo, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { type License, type Revoked, license as ask, onRevocation, revocationsOf } from "../net/api.js";
import { type Kept, allKept } from "../net/kept.js";
import { NOBODY, same, short } from "../protocol/bytes.js";
import { contentRoot } from "../protocol/trees.js";
import { agreementOf } from "../protocol/words.js";
import { type Wish, wishLicense } from "../wish.js";
import { saveFile, useApp, useChanges } from "./app.js";
import { Card, isTrue, revokedBy } from "./card.js";
import { Items } from "./items.js";
import { Back, Loading, Say, Trouble, Who, explain } from "./parts.js";
import { LookingAt } from "./licenses.js";
import { BUNDLE } from "./progress.js";
import { TakeBack } from "./takeback.js";
import { TakenCard, merged } from "./taken.js";
import { bundle } from "../protocol/envelope.js";

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
  if (!held) return <Loading />;
  const { contributor, guardian } = held.consent;
  const own = account !== null && same(account, contributor);
  const guards = account !== null && !own && same(account, guardian);
  const right = rightRoot === held.consent.content;
  const listed = { ...held, anchor_block: held.anchor?.block_number ?? null };
  return (
    <section>
      <p class="back">
        <Back to={own ? "#/" : `#/of/${contributor}`} />
      </p>
      <h1>{t("items", { n: held.consent.items })}</h1>
      {guards && <Say kind="good">{t("guardian_of", { address: short(contributor) })}</Say>}
      {!own && !guards && <LookingAt address={contributor} />}
      <Card alone one={listed} taken={known} masks={held.revoked_masks.map(BigInt)} takeBack={own ? () => setWish(wishLicense(held)) : null} />
      {by && !wish && <Proof by={by} />}
      <p>
        <a class="button wide" href={`#/trace/${hash}`}>
          {t("tr_title")}
        </a>
      </p>
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

function Facts({ held }: { held: License }) {
  const { consent } = held;
  const envelope = () => bundle([Uint8Array.from(atob(held.envelope), (char) => char.charCodeAt(0))]);
  return (
    <details>
      <summary>{t("was_signed")}</summary>
      <blockquote lang="en">{consent.notice}</blockquote>
      <p>
        {t("who_may")}: <Who of={consent.grantee} />
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
