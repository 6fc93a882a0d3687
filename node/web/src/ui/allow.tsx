// Allowing a use: the page hashes files, and shows the notice to sign while the person chooses.

import { useEffect, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { type Asker, onRequest, readRequest } from "../request.js";
import { KNOWN, warningsOn } from "../warnings.js";
import { useApp } from "./app.js";
import { type Form, Fields, readyTerms } from "./allow_fields.js";
import { Given, SaveConsents, useGiving } from "./giving.js";
import { Wallets } from "./home.js";
import { FileDrop, type Hashed, Say, short } from "./parts.js";
import { WrongNetwork } from "./takeback.js";

const EMPTY: Form = {
  files: [],
  grantee: "",
  anyone: false,
  via: "",
  purposes: [],
  until: "",
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
    guardian: asked.guardian ?? "",
    parties: (asked.parties ?? []).join("\n"),
    terms: asked.terms ?? "",
    termsUri: asked.termsUri ?? "",
  };
}

export function Allow({ query }: { query: URLSearchParams }) {
  const app = useApp();
  const [form, setForm] = useState<Form>(() => filled(readRequest((name) => query.get(name) ?? undefined)));
  const [asker, setAsker] = useState<Asker | null>(null);
  useEffect(() => onRequest((found) => (setAsker(found), setForm(filled(found.asked)))), []);
  const change = (some: Partial<Form>) => setForm((before) => ({ ...before, ...some }));
  const giving = useGiving(asker);
  if (giving.given) return <Given given={giving.given} names={form.files} />;

  const add = (files: Hashed[]) =>
    setForm((before) => ({
      ...before,
      files: [...before.files.filter((one) => files.every((other) => other.item !== one.item)), ...files],
    }));
  const { terms, consents } = readyTerms(form, app.account);
  const warnings = terms ? warningsOn(terms, KNOWN, app.node.time) : [];
  const stopped = warnings.some((one) => one.stops);
  return (
    <section>
      <h1>{t("give_title")}</h1>
      <p class="lead">{t("give_text")}</p>
      {asker && <Say kind="note">{t("asked_by", { origin: asker.origin })}</Say>}
      <FileDrop many label={t("drop")} take={add} />
      <Files files={form.files} remove={(item) => change({ files: form.files.filter((one) => one.item !== item) })} />
      <Fields form={form} change={change} />
      {warnings.map((one) => (
        <Say kind={one.stops ? "bad" : "warn"} key={one.key}>
          {one.text}
        </Say>
      ))}
      {consents.length > 0 && (
        <>
          <h2>{t("notice")}</h2>
          {consents.map(({ consent }) => (
            <blockquote lang="en" key={consent.content} data-notice>
              {consent.notice}
            </blockquote>
          ))}
        </>
      )}
      {giving.error && (
        <Say kind="bad">
          <p>{giving.error}</p>
          {giving.unsent && <p>{t("not_taken")}</p>}
        </Say>
      )}
      {giving.unsent && <SaveConsents bytes={giving.unsent} />}
      {giving.chain !== null && <WrongNetwork theirs={giving.chain} />}
      {app.account ? (
        <>
          {consents.length === 0 && <p class="quiet">{t("give_need")}</p>}
          <button
            type="button"
            class="primary wide"
            disabled={consents.length === 0 || stopped || giving.busy}
            onClick={() => giving.give(consents)}
          >
            {giving.busy ? t("signing") : t("give_sign")}
          </button>
        </>
      ) : (
        <Wallets />
      )}
    </section>
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
