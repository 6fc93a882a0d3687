// Where did it go: who holds a license, who confirmed a removal, who is late, and who says nothing, as a picture and
// as a list. It shows what holders signed, and dates of the chain; it never says that anything is gone.

import { useEffect, useMemo, useState } from "preact/hooks";

import type { Dated } from "../../calendar.js";
import { whoText } from "../../company.js";
import { day, t } from "../../i18n.js";
import { type Holder, type License, type Trace, license as askLicense, traceOf } from "../../net/api.js";
import { useApp, useChanges, useShown } from "../app.js";
import { SaveDates } from "../calendar.js";
import { isTrue } from "../card.js";
import { Back, Loading, Operators, Say, Trouble, Who, explain } from "../parts.js";
import { Picture, placed } from "./picture.js";
import { historyOf, standingOf, standingText } from "./standing.js";

const PAGE = 25;

export function Where({ hash }: { hash: string }) {
  const { node } = useApp();
  const [held, setHeld] = useState<License | null>(null);
  const [trace, setTrace] = useState<Trace | null>(null);
  const [error, setError] = useState("");
  const look = () =>
    Promise.all([askLicense(hash), traceOf(hash)]).then(
      ([license, found]) => (setHeld(license), setTrace(found), setError("")),
      (problem) => setError(explain(problem)),
    );
  useEffect(() => void look(), [hash]);
  useChanges(() => void look(), [hash]);
  return (
    <section>
      <p class="back">
        <Back to={`#/license/${hash}`} />
      </p>
      <h1>{t("tr_title")}</h1>
      {error && <Trouble error={error} again={() => void look()} />}
      {!trace && !error && <Loading />}
      {held && trace && (isTrue(held, node.network) && trace.license === hash ? <Shown held={held} trace={trace} /> : <Untrue />)}
    </section>
  );
}

function Untrue() {
  return (
    <>
      <Say kind="bad">{t("untrue")}</Say>
      <Operators />
    </>
  );
}

function Shown({ held, trace }: { held: License; trace: Trace }) {
  const { node } = useApp();
  const { holders } = trace;
  const { shown, more } = useShown(PAGE);
  const ordered = useMemo(() => placed(holders).map(({ one }) => one), [holders]);
  const dates = datesOf(held, trace);
  const block = trace.final ? t("tr_block", { block: trace.final.number }) : t("tr_no_day");
  return (
    <>
      <p class="lead">{t("tr_text", { node: node.name, block })}</p>
      {holders.length === 0 ? <Say kind="note">{t("tr_nobody")}</Say> : (
        <div class="traced">
          <Picture holders={holders} node={node.name} />
        </div>
      )}
      <ul class="holders">
        {ordered.slice(0, shown).map((one) => (
          <HolderItem key={one.address} one={one} trace={trace} />
        ))}
      </ul>
      {ordered.length > shown && (
        <button type="button" class="wide" onClick={more}>
          {t("more", { n: Math.min(PAGE, ordered.length - shown) })}
        </button>
      )}
      {trace.next && <p class="quiet">{t("tr_more_holders")}</p>}
      <p class="quiet small">{t("not_copies")}</p>
      {dates.length > 0 && <SaveDates dates={() => dates} />}
    </>
  );
}

function HolderItem({ one, trace }: { one: Holder; trace: Trace }) {
  const { node } = useApp();
  const seen = one.passed_on.map((passed) => passed.first_seen);
  return (
    <li class="card" data-listed={one.address}>
      <h2>
        <Who of={one.address} />
      </h2>
      <p class={`standing ${standingOf(one)}`}>{standingText(one, node.name)}</p>
      <ul>
        {historyOf(one, trace.holders, trace).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {seen.length > 0 && <p class="quiet small">{t("tr_first_seen", { node: node.name, date: day(Math.min(...seen)) })}</p>}
    </li>
  );
}

/** When the license ends, when it ends for those who got it from others, and until when what is revoked is removed. */
function datesOf({ license, consent, status }: License, { holders }: Trace): Dated[] {
  const open = status === "active" || status === "not-yet-valid";
  const ends: Dated[] = open ? [{ id: license, at: consent.expiresAt, what: t("cal_ends", { who: whoText(consent.grantee), items: t("items", { n: consent.items }) }) }] : [];
  for (const one of holders) {
    for (const passed of one.passed_on) {
      if (open && !passed.withdrawn) ends.push({ id: `${passed.digest}-${license}`, at: passed.expires_at, what: t("cal_ends", { who: whoText(one.address), items: t("items", { n: consent.items }) }) });
    }
    for (const duty of one.duties) {
      if (duty.due !== null && duty.standing !== "confirmed") ends.push({ id: `${license}-${one.address}-${duty.revoked?.number ?? 0}`, at: duty.due, what: t("cal_due", { who: whoText(one.address) }) });
    }
  }
  return ends;
}
