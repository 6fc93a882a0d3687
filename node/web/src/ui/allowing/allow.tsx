// Allowing a use: a form that the person fills in, or a request that they check; below it, in words and as it is
// signed, what they are about to sign.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { list, t } from "../../i18n.js";
import { listedDomains } from "../../company.js";
import { guardianOf } from "../../net/guardians.js";
import { type Asker, isOf, linkedFrom, onRequest, readRequest } from "../../request.js";
import { KNOWN, warningsOn } from "../../warnings.js";
import { recall, recallLater, useApp } from "../app.js";
import { type Hashed, type Reading, useReading } from "../files.js";
import { Wallets } from "../home.js";
import { Cancel, Say, Says } from "../parts.js";
import { useSalts } from "../salting.js";
import { WrongNetwork } from "../takeback.js";
import { Answers, labelOf } from "./answers.js";
import { Fields } from "./fields.js";
import { type Form, type Name, type Part, filled, readyTerms, withItems, withSalts } from "./form.js";
import { Given, Outcome, useGiving } from "./giving.js";

export function Allow({ query }: { query: URLSearchParams }) {
  const app = useApp();
  const name = `form-${query}`; // a reload and Back keep a half-filled form, and another request begins anew
  const [form, setForm] = useState<Form>(() => recall(name, filled(readRequest((one) => query.get(one) ?? undefined))));
  const [asker, setAsker] = useState<Asker | null>(null);
  useEffect(() => onRequest((found) => (setAsker(found), setForm(filled(found.asked)))), []);
  const change = (some: Partial<Form>) => setForm((before) => ({ ...before, ...some }));
  const [trusted, setTrusted] = useState(""); // the asker and marketplace that the person has agreed to
  const giving = useGiving(asker, form);
  const add = async (files: Hashed[]) => {
    const found = await withSalts(files, true);
    setForm((before) => {
      const fresh = new Set(found.map(bytesOf));
      const kept = before.files.filter((one) => !fresh.has(bytesOf(one)));
      return { ...before, files: [...kept, ...withItems(found, before.salted)] };
    });
  };
  const files = useRef(form.files);
  files.current = form.files;
  // A chosen file of salts is not licensed: the files that it fits keep their item hashes.
  const { said, reading } = useSalts(useReading(add), async (rows) => {
    await add(files.current.filter((one) => one.plain));
    return { kind: "good", text: t("salts_known", { n: rows.length }) };
  });
  // The confirmed guardian of this account stands in a form of the person's own, and can be removed there.
  useEffect(() => {
    if (!app.account || query.size > 0 || asker) return;
    const guardian = guardianOf(app.account);
    setForm((now) => (now.guardianChosen ? now : { ...now, guardian }));
  }, [app.account]);
  // Before the next paint: a reload right after a click loses nothing.
  // What is signed as a whole is not signed again on other terms.
  const { given, stopped } = giving;
  const over = given !== null || (stopped !== null && stopped.waits && stopped.unsent.length === stopped.left.length);
  useLayoutEffect(() => recallLater(name, over ? {} : form), [form, over]);
  // Without files there is nothing to sign, and thousands of hashes are not made into trees again and again.
  const ready = useMemo(() => readyTerms(form, reading.busy ? null : app.account), [form, app.account, reading.busy]);
  if (given) return <Given given={given} form={form} />;
  const { terms, missing, consents } = ready;
  const byLink = query.size > 0;
  const warnings = warningsOn(terms, [...new Set([...KNOWN, ...listedDomains()])], app.node.time);
  const origin = asker?.origin ?? (byLink ? linkedFrom() : "");
  const strange = origin && !isOf(origin, terms.via) ? new URL(origin).host : "";
  const agreed = strange + terms.via;
  const may = (!strange || trusted === agreed) && consents.length > 0 && !warnings.some((one) => one.stops) && reading.failed.length === 0;
  const begun = giving.busy || (stopped?.done.length ?? 0) > 0; // then the terms do not change any more
  const editing = { form, change, reading };
  const asked = byLink || asker !== null;
  return (
    <section>
      <h1>{t("give_title")}</h1>
      <p class="lead">{t("give_text")}</p>
      {origin && <Say kind="note">{t("asked_by", { origin })}</Say>}
      {byLink && !origin && <Say kind="warn">{t("asked_by_link")}</Say>}
      {strange && (
        <Say kind="bad">
          <p>{t("strange_asker", { origin: strange, via: terms.via })}</p>
          <label class="check">
            <input type="checkbox" checked={trusted === agreed} onChange={(event) => setTrusted(event.currentTarget.checked ? agreed : "")} />
            {t("strange_go_on")}
          </label>
        </Say>
      )}
      <div inert={begun}>
        {!asked && <Fields {...editing} />}
        <Says all={said} />
        {(asked || missing.length === 0) && <Answers key={origin} form={form} ready={ready} editing={asked ? editing : null} />}
      </div>
      {warnings.map((one) => (
        <Say kind={one.stops ? "bad" : "warn"} key={one.key}>
          {one.text}
        </Say>
      ))}
      <Notices consents={consents} />
      {stopped && <Outcome stopped={stopped} />}
      {giving.chain !== null && <WrongNetwork theirs={giving.chain} />}
      {app.account ? (
        <SignIt reading={reading} consents={consents} unanswered={missing} ready={may} strange={Boolean(strange)} giving={giving} />
      ) : (
        <Wallets />
      )}
    </section>
  );
}

/** What tells a file from another one: its bytes, whatever its item hash is. */
const bytesOf = (one: Hashed): string => one.plain ?? one.item;

function Notices({ consents }: { consents: Part[] }) {
  if (consents.length === 0) return null;
  return (
    <>
      <h2>{t("notice")}</h2>
      {consents.map(({ consent }) => (
        <blockquote lang="en" key={consent.content} data-notice>
          {consent.notice}
        </blockquote>
      ))}
    </>
  );
}

interface SignItProps {
  reading: Reading;
  consents: Part[];
  /** What has no valid answer yet. */
  unanswered: Name[];
  ready: boolean;
  strange: boolean;
  giving: ReturnType<typeof useGiving>;
}

/** The button, and above it what it waits for. */
function SignIt({ reading, consents, unanswered, ready, strange, giving }: SignItProps) {
  const { busy, stopped } = giving;
  const done = stopped?.done.length ?? 0;
  const missing = () => {
    if (reading.busy && reading.total === 0) return t("loading");
    if (reading.busy) return t("still_reading", { k: reading.done, n: reading.total });
    if (reading.failed.length > 0) return t("some_unreadable");
    if (unanswered.length > 0) return `${t("a_missing")}: ${list(unanswered.map(labelOf))}`;
    if (strange && !ready) return t("strange_first");
    return consents.length > 1 && !stopped ? t("signatures", { n: consents.length }) : "";
  };
  return (
    <>
      <p class="quiet" id="sign-hint">
        {missing()}
      </p>
      <button
        type="button"
        class="primary wide"
        aria-describedby="sign-hint"
        disabled={!ready || reading.busy || busy}
        onClick={() => giving.give(consents)}
      >
        {busy ? t("signing") : t(done > 0 ? "go_on" : "give_sign")}
      </button>
      {busy && <Cancel />}
      {done > 0 && !busy && (
        <button type="button" class="wide" onClick={() => giving.finish(consents)}>
          {t("stop_here")}
        </button>
      )}
    </>
  );
}
