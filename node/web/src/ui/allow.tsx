// Allowing a use: the page hashes files, and shows the notice to sign while the person chooses.

import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { type Asker, isOf, onRequest, readRequest } from "../request.js";
import { KNOWN, warningsOn } from "../warnings.js";
import { recall, recallLater, useApp } from "./app.js";
import { type Form, type Part, Fields, readyTerms } from "./allow_fields.js";
import { Given, Outcome, useGiving } from "./giving.js";
import { Wallets } from "./home.js";
import { FileDrop, type Hashed, type Reading, useReading } from "./files.js";
import { Cancel, Say, short } from "./parts.js";
import { WrongNetwork } from "./takeback.js";

const EMPTY: Form = {
  files: [],
  grantee: "",
  anyone: false,
  via: "",
  purposes: [],
  until: "",
  recheckHours: 168,
  removalDays: 30,
  guardian: "",
  parties: "",
  terms: "",
  termsUri: "",
};

function filled(asked: ReturnType<typeof readRequest>): Form {
  const anyone = /^0x0+$/.test(asked.grantee ?? "");
  return {
    ...EMPTY,
    files: (asked.items ?? []).map((item) => ({ name: item, item })),
    grantee: anyone ? "" : (asked.grantee ?? ""),
    anyone,
    via: asked.via ?? "",
    purposes: asked.purposes ?? [],
    until: asked.expiresAt ? new Date(asked.expiresAt * 1000).toISOString().slice(0, 10) : "",
    recheckHours: asked.recheckHours ?? EMPTY.recheckHours,
    removalDays: asked.removalDays ?? EMPTY.removalDays,
    guardian: asked.guardian ?? "",
    parties: (asked.parties ?? []).join("\n"),
    terms: asked.terms ?? "",
    termsUri: asked.termsUri ?? "",
  };
}

export function Allow({ query }: { query: URLSearchParams }) {
  const app = useApp();
  const name = `form-${query}`; // a reload and Back keep a half-filled form, and another request begins anew
  const [form, setForm] = useState<Form>(() => recall(name, filled(readRequest((one) => query.get(one) ?? undefined))));
  const [asker, setAsker] = useState<Asker | null>(null);
  useEffect(() => onRequest((found) => (setAsker(found), setForm(filled(found.asked)))), []);
  const change = (some: Partial<Form>) => setForm((before) => ({ ...before, ...some }));
  const [trusted, setTrusted] = useState(""); // the asker and marketplace that the person has agreed to
  const giving = useGiving(asker);
  const add = (files: Hashed[]) =>
    setForm((before) => {
      const fresh = new Set(files.map((one) => one.item));
      return { ...before, files: [...before.files.filter((one) => !fresh.has(one.item)), ...files] };
    });
  const reading = useReading(add);
  // Before the next paint: a reload right after a click loses nothing.
  useLayoutEffect(() => recallLater(name, giving.given ? {} : form), [form, giving.given]);
  // Without files there is nothing to sign, and thousands of hashes are not made into trees again and again.
  const { terms, consents } = useMemo(
    () => readyTerms(reading.busy ? { ...form, files: [] } : form, app.account),
    [form, app.account, reading.busy],
  );
  if (giving.given) return <Given given={giving.given} names={form.files} />;
  const warnings = terms ? warningsOn(terms, KNOWN, app.node.time) : [];
  const strange = asker && terms && !isOf(asker.origin, terms.via) ? new URL(asker.origin).host : "";
  const ready = (!strange || trusted === strange + terms!.via) && consents.length > 0 && !warnings.some((one) => one.stops) && reading.failed.length === 0;
  const begun = giving.busy || (giving.stopped?.done.length ?? 0) > 0; // then the terms do not change any more
  return (
    <section>
      <h1>{t("give_title")}</h1>
      <p class="lead">{t("give_text")}</p>
      {asker && <Say kind="note">{t("asked_by", { origin: asker.origin })}</Say>}
      {strange && (
        <Say kind="bad">
          <p>{t("strange_asker", { origin: strange, via: terms!.via })}</p>
          <label class="check">
            <input type="checkbox" checked={trusted === strange + terms!.via} onChange={(event) => setTrusted(event.currentTarget.checked ? strange + terms!.via : "")} />
            {t("strange_go_on")}
          </label>
        </Say>
      )}
      <div inert={begun}>
        <FileDrop many label={t("drop")} reading={reading} />
        <Files files={form.files} remove={(item) => change({ files: form.files.filter((one) => one.item !== item) })} />
        <Fields form={form} change={change} />
      </div>
      {warnings.map((one) => (
        <Say kind={one.stops ? "bad" : "warn"} key={one.key}>
          {one.text}
        </Say>
      ))}
      <Notices consents={consents} />
      {giving.stopped && <Outcome stopped={giving.stopped} />}
      {giving.chain !== null && <WrongNetwork theirs={giving.chain} />}
      {app.account ? (
        <SignIt reading={reading} consents={consents} ready={ready} strange={Boolean(strange)} giving={giving} />
      ) : (
        <Wallets />
      )}
    </section>
  );
}

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
  ready: boolean;
  strange: boolean;
  giving: ReturnType<typeof useGiving>;
}

/** The button, and above it what it waits for. */
function SignIt({ reading, consents, ready, strange, giving }: SignItProps) {
  const { busy, stopped } = giving;
  const done = stopped?.done.length ?? 0;
  const missing = () => {
    if (reading.busy) return t("still_reading", { k: reading.done, n: reading.total });
    if (reading.failed.length > 0) return t("some_unreadable");
    if (consents.length === 0) return t("give_need");
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

const SHOWN = 20;

function Files({ files, remove }: { files: Hashed[]; remove: (item: string) => void }) {
  if (files.length === 0) return null;
  return (
    <>
      <p role="status">{t("files", { n: files.length })}</p>
      <ul class="items">
        {files.slice(0, SHOWN).map(({ name, item }) => (
          <li key={item}>
            <span class="name">{name === item ? <code>{short(item)}</code> : name}</span>
            <button type="button" class="plain" aria-label={t("remove", { name })} onClick={() => remove(item)}>
              ×
            </button>
          </li>
        ))}
        {files.length > SHOWN && <li class="quiet">+ {files.length - SHOWN}</li>}
      </ul>
    </>
  );
}
