// Consents that the person signed here and no node has: shown as what they are, sent when the node answers, or forgotten.

import { useEffect, useState } from "preact/hooks";

import { day, t } from "../i18n.js";
import { type KeptGrant, forgetGrant, sendGrant, unsentGrants } from "../net/grants.js";
import { same } from "../protocol/bytes.js";
import { bundle, consentEnvelope } from "../protocol/envelope.js";
import { SaveConsents } from "./allowing/giving.js";
import { changed, useChanges, useWaiting } from "./app.js";
import { sentenceOf } from "./card.js";
import { Say, explain, refusalText } from "./parts.js";

export function Unsent({ address }: { address: string }) {
  const [found, setFound] = useState<KeptGrant[]>([]);
  const look = () => void unsentGrants().then((all) => setFound(all.filter((one) => same(one.consent.contributor, address))));
  useEffect(look, [address]);
  useChanges(look, [address]);
  useWaiting(look);
  return (
    <>
      {found.map((one) => (
        <UnsentCard key={one.license} one={one} />
      ))}
    </>
  );
}

function UnsentCard({ one }: { one: KeptGrant }) {
  const { license, consent, items, signature, network, madeAt, refused } = one;
  const [error, setError] = useState("");
  const send = () =>
    sendGrant(one)
      .catch((problem) => setError(explain(problem)))
      .finally(() => changed());
  return (
    <article class="card" data-waits={license}>
      <p class="state">
        <span class="pill partly">{t("not_sent")}</span>
        {t("signed_on", { date: day(madeAt) })}
      </p>
      <p class="sentence">{sentenceOf({ consent, status: "active" })}</p>
      <Say kind={refused ? "bad" : "warn"}>{refused ? refusalText(refused) : t("grant_waits")}</Say>
      {error && !refused && <Say kind="bad" focus>{error}</Say>}
      <p class="actions">
        <button type="button" onClick={send}>
          {t("send_now")}
        </button>
        <SaveConsents bytes={bundle([consentEnvelope(consent, items, signature, network)])} />
        <button type="button" class="danger" onClick={() => void forgetGrant(license).then(() => changed())}>
          {t("grant_forget")}
        </button>
      </p>
    </article>
  );
}
