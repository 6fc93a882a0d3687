// One license as a plain sentence.

import { useEffect, useState } from "preact/hooks";

import { day, list, purposeText, t } from "../i18n.js";
import type { Listed } from "../net/api.js";
import { timeOfBlock } from "../net/wallet.js";
import { NOBODY, same } from "../protocol/bytes.js";
import { type Network, digestOf, noticeOf, typedData } from "../protocol/messages.js";
import { whoText } from "../wish.js";
import { useApp } from "./app.js";
import { Address, Pill, Say } from "./parts.js";

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
    who: whoText(consent.grantee),
    purposes: list(consent.purposes.map(purposeText)),
    items: t("items", { n: consent.items }),
    date: day(consent.expiresAt),
  };
  return status === "revoked" || status === "expired" ? t("may_no_more", values) : t("may", values);
}

interface CardProps {
  one: Listed;
  takeBack: (() => void) | null;
  /** Hides the link to the license's own page. */
  alone?: boolean;
}

export function Card({ one, takeBack, alone }: CardProps) {
  const { node } = useApp();
  const { consent, status } = one;
  const live = status === "active" || status === "not-yet-valid";
  const partly =
    one.revoked_permissions > 0 && live
      ? t("partly", { k: one.revoked_permissions, n: one.permissions })
      : undefined;
  const right = isTrue(one, node.network);
  return (
    <article class={`card ${live ? "" : "over"}`} data-license={one.license}>
      <p class="state">
        <Pill status={status} partly={partly} />
        <span class="quiet">
          <Dated block={one.anchor_block} alone={alone ?? false} />
        </span>
      </p>
      <p class="sentence">{sentenceOf(one)}</p>
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
      </p>
      {!right && <Say kind="bad">{t("untrue")}</Say>}
      <p class="actions">
        {takeBack && live && right && (
          <button type="button" class="danger" onClick={takeBack}>
            {t("take_back")}
          </button>
        )}
        {!alone && (
          <a class="button" href={`#/license/${one.license}`}>
            {t("details")}
          </a>
        )}
      </p>
    </article>
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
