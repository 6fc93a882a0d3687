// One license as a plain sentence.

import { useEffect, useMemo, useState } from "preact/hooks";

import { day, list, purposeText, t } from "../i18n.js";
import type { Listed, Revoked } from "../net/api.js";
import { timeOfBlock } from "../net/wallet.js";
import { NOBODY, same, short } from "../protocol/bytes.js";
import { type Consent, type Network, type Revocation, digestOf, noticeOf, typedData } from "../protocol/messages.js";
import { agreementOf, baseWord, isSet, reached } from "../protocol/words.js";
import { whoText, whoTextThen } from "../company.js";
import { isLive, meaningOf } from "../wish.js";
import { useApp } from "./app.js";
import { Address, Operators, Pill, Say } from "./parts.js";

const judged = new Map<string, boolean>();

/** Whether the node's data match the license hash; computed once, when the card is drawn. */
export function isTrue(one: Pick<Listed, "license" | "consent">, network: Network): boolean {
  const key = one.license + JSON.stringify(one.consent);
  let right = judged.get(key);
  if (right === undefined) {
    right = noticeOf(one.consent) === one.consent.notice && digestOf(typedData(one.consent, network)) === one.license;
    judged.set(key, right);
  }
  return right;
}

export function sentenceOf({ consent, status }: Pick<Listed, "consent" | "status">): string {
  const values = {
    who: whoTextThen(consent.grantee),
    purposes: list(consent.purposes.map(purposeText)),
    items: t("items", { n: consent.items }),
    date: day(consent.expiresAt),
  };
  return status === "revoked" || status === "expired" ? t("may_no_more", values) : t("may", values);
}

interface CardProps {
  one: Listed;
  takeBack: (() => void) | null;
  /** The revocations of the contributor that the node knows. */
  taken?: Revoked[];
  /** The digests of those whose promise this device keeps. */
  proofs?: ReadonlySet<string>;
  /** Which permissions are taken back, where the node said that. */
  masks?: bigint[];
  /** Hides the link to the license's own page. */
  alone?: boolean;
}

/** A license that is not as it was signed is never shown as if it were one. */
export function Card(props: CardProps) {
  const { node } = useApp();
  const { one } = props;
  if (isTrue(one, node.network)) return <TrueCard {...props} />;
  return (
    <article class="card" data-license={one.license} tabIndex={-1}>
      <p class="small">
        <code class="long">{one.license}</code>
      </p>
      <Say kind="bad">{t("untrue")}</Say>
      <Operators />
    </article>
  );
}

function TrueCard({ one, takeBack, taken, proofs, alone, masks }: CardProps) {
  const { consent, status } = one;
  const by = useMemo(() => (status === "revoked" ? revokedBy(consent, taken ?? []) : null), [consent, status, taken]);
  const live = isLive(one);
  const partly = one.revoked_permissions > 0 && live ? partlyText(one, masks) : undefined;
  const id = `sentence-${one.license}`;
  return (
    <article class={`card ${live ? "" : "over"}`} data-license={one.license} tabIndex={-1} aria-labelledby={id}>
      <p class="state">
        <Pill status={status} partly={partly} />
        <span class="quiet">
          {status === "revoked" ? (
            by && <TakenOn by={by} />
          ) : (
            <Dated block={one.anchor_block} alone={alone ?? false} />
          )}
        </span>
      </p>
      <p class="sentence" id={id}>
        {sentenceOf(one)}
      </p>
      {live && <Cloning purposes={consent.purposes} />}
      <p class="quiet small">
        {t("signed_on", { date: day(consent.issuedAt) })}
        {consent.parties.length > 1 && ` · ${t("with_others", { n: consent.parties.length - 1 })}`}
        {!same(consent.guardian, NOBODY) && (
          <>
            {" · "}
            {t("guardian_is", { address: "" })}
            <Address of={consent.guardian} />
          </>
        )}
        {" · "}
        <span class="agreement">{t("agreement_id", { id: short(agreementOf(consent)) })}</span>
      </p>
      <p class="actions">
        {takeBack && live && (
          <button type="button" class="danger" aria-describedby={id} aria-label={`${t("take_back")}: ${nameOf(consent)}`} onClick={takeBack}>
            {t("take_back")}
          </button>
        )}
        {by && proofs?.has(by.digest) && (
          <a class="button" aria-label={`${t("proof_open")}: ${nameOf(consent)}`} href={`#/proof/${by.digest}`}>
            {t("proof_open")}
          </a>
        )}
        {!alone && (
          <a class="button" aria-label={`${t("details")}: ${nameOf(consent)}`} href={`#/license/${one.license}`}>
            {t("details")}
          </a>
        )}
      </p>
    </article>
  );
}

/** A node counts files times purposes; a person counts files, of which each has to be taken back as a whole. */
function partlyText({ consent, revoked_permissions: gone }: Listed, masks: bigint[] = []): string {
  const width = consent.purposes.length;
  const isGone = (at: number) => consent.purposes.every((_, column) => isSet(masks, width, at, column));
  const k = width === 1 ? gone : Array.from({ length: masks.length && consent.items }, (_, at) => at).filter(isGone).length;
  return k * width === gone ? t("partly", { k, of: t("files", { n: consent.items }) }) : t("partly_some");
}

/** Tells the buttons of one card from those of another. */
function nameOf(consent: Consent): string {
  return `${t("items", { n: consent.items })}, ${whoText(consent.grantee)}, ${day(consent.issuedAt)}`;
}

/** The newest known revocation of a whole license, or of a part of it; files by their hashes are not looked at. */
export function revokedBy(consent: Consent, taken: Revoked[]): Revoked | null {
  const base = baseWord(consent);
  const end = base + BigInt(Math.ceil((consent.items * consent.purposes.length) / 256));
  const touches = ({ scopes, words, contributor }: Revocation) =>
    scopes.some((one) => reached(one, contributor, consent) > 0) ||
    (same(contributor, consent.contributor) && words.map(BigInt).some((one) => one >= base && one < end));
  const found = taken.filter((one) => touches(one.revocation)).sort((one, other) => other.arrived_at - one.arrived_at);
  return found[0] ?? null;
}

/** When it was taken back, by what, and whether that is on chain: of the revocation, not of the license. */
function TakenOn({ by }: { by: Revoked }) {
  const [scope] = by.revocation.scopes;
  const what = (scope && meaningOf(scope)) || t("what_parts");
  return (
    <>
      {t("taken_on", { date: day(by.arrived_at) })} · {what} · {by.chain_block === null ? t("step_no_chain") : t("step_chain", { block: by.chain_block })}
    </>
  );
}

/** The block and day of the anchor. Nodes know the block; the wallet gives its time, for one license only. */
function Dated({ block, alone }: { block: number | null; alone: boolean }) {
  const { wallet, node } = useApp();
  const [time, setTime] = useState<number | null>(null);
  useEffect(() => {
    if (alone && wallet && block) timeOfBlock(wallet, node.network.chain_id, block).then(setTime, () => undefined);
  }, [alone, wallet, block]);
  if (!block) return <>{t("not_anchored")}</>;
  return <>{time ? t("anchored_day", { date: day(time), block }) : t("anchored", { block })}</>;
}

function Cloning({ purposes }: { purposes: string[] }) {
  const cloning = purposes.includes("likeness-synthesis");
  return <p class={cloning ? "hurts" : "safe"}>{t(cloning ? "cloning" : "no_cloning")}</p>;
}
