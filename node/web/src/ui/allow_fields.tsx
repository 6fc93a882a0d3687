// The form of a consent, and the consents of a complete form.

import type { ComponentChildren } from "preact";

import { purposeText, span, t } from "../i18n.js";
import { NOBODY, readAddress } from "../protocol/bytes.js";
import { type Consent, LIMITS, type Terms, consentOf } from "../protocol/messages.js";
import { isDomain } from "../protocol/words.js";
import { endOfDay } from "../request.js";
import { domainOf } from "../warnings.js";
import type { Hashed } from "./files.js";

export interface Form {
  files: Hashed[];
  grantee: string;
  anyone: boolean;
  via: string;
  purposes: string[];
  until: string;
  recheckHours: number;
  removalDays: number;
  guardian: string;
  parties: string;
  terms: string;
  termsUri: string;
}

export interface Part {
  consent: Consent;
  items: string[];
}

const PURPOSES = [
  "train-ai",
  "train-generative-ai",
  "fine-tune",
  "evaluate",
  "inference",
  "data-mining",
  "research",
  "advertising",
  "resale",
  "biometric-identification",
  "likeness-synthesis",
];
const DAY_MS = 86_400_000;
const issued = Math.floor(Date.now() / 60_000) * 60; // fixed, so that the notice does not change while a person reads it

/** The valid part of the form: the terms, and the consents once nothing is missing. */
export function readyTerms(form: Form, account: string | null): { terms: Terms | null; consents: Part[] } {
  const grantee = form.anyone ? NOBODY : readAddress(form.grantee);
  const guardian = form.guardian.trim() ? readAddress(form.guardian) : NOBODY;
  const lines = form.parties.split(/\s+/).filter(Boolean);
  const parties = lines.map(readAddress);
  const via = domainOf(form.via);
  const terms: Terms = {
    contributor: account ?? NOBODY,
    parties: parties.filter((one) => one !== null),
    grantee: grantee ?? "0x" + "11".repeat(20),
    via: via ?? "",
    purposes: form.purposes,
    terms: form.terms,
    termsUri: form.termsUri,
    guardian: guardian ?? NOBODY,
    issuedAt: issued,
    expiresAt: (form.until && endOfDay(form.until)) || 0,
    recheckHours: form.recheckHours,
    removalDays: form.removalDays,
  };
  const right = grantee && guardian && parties.every(Boolean) && parties.length < LIMITS.parties;
  const named = via === "" || (via !== null && isDomain(via));
  const whole = account && right && named && terms.purposes.length > 0 && terms.expiresAt > issued;
  if (!whole || terms.purposes.length > LIMITS.purposes) return { terms, consents: [] };
  const items = [...new Set(form.files.map((one) => one.item))];
  const consents: Part[] = [];
  for (let at = 0; at < items.length; at += LIMITS.items) {
    const part = items.slice(at, at + LIMITS.items);
    consents.push({ consent: consentOf(terms, part), items: part });
  }
  return { terms, consents };
}

interface FieldsProps {
  form: Form;
  change: (some: Partial<Form>) => void;
}

export function Fields({ form, change }: FieldsProps) {
  return (
    <form class="fields" onSubmit={(event) => event.preventDefault()}>
      <Text id="grantee" label={t("who_may")} hint={t("address_hint")} value={form.grantee} off={form.anyone} wrong={badAddress(form.grantee)} set={(grantee) => change({ grantee })} />
      <label class="check">
        <input type="checkbox" checked={form.anyone} onChange={(event) => change({ anyone: event.currentTarget.checked })} />
        {t("anyone_may")}
      </label>
      <Text id="via" label={t("via")} hint={t("via_hint")} value={form.via} wrong={badDomain(form.via)} set={(via) => change({ via })} />
      <Purposes form={form} change={change} />
      <Until form={form} change={change} />
      <Clock id="recheck" unit="hour" value={form.recheckHours} offered={[24, 168, 720]} set={(recheckHours) => change({ recheckHours })} />
      <Clock id="removal" unit="day" value={form.removalDays} offered={[7, 30, 90]} set={(removalDays) => change({ removalDays })} />
      <Text id="guardian" label={t("guardian")} hint={t("guardian_hint")} value={form.guardian} wrong={badAddress(form.guardian)} set={(guardian) => change({ guardian })} />
      <details open={form.parties !== ""}>
        <summary>{t("parties")}</summary>
        <label for="parties" class="quiet small">
          {t("parties_hint")}
        </label>
        <textarea id="parties" rows={2} spellcheck={false} value={form.parties} onInput={(event) => change({ parties: event.currentTarget.value })} />
        {form.parties.split(/\s+/).some(badAddress) && <Wrong id="parties-wrong">{t("bad_address")}</Wrong>}
      </details>
      {form.termsUri && (
        <p>
          <a href={form.termsUri} rel="noreferrer noopener" target="_blank">
            {form.termsUri}
          </a>
        </p>
      )}
    </form>
  );
}

function Purposes({ form, change }: FieldsProps) {
  const names = [...PURPOSES, ...form.purposes.filter((one) => !PURPOSES.includes(one))];
  const toggle = (name: string, on: boolean) =>
    change({ purposes: on ? [...form.purposes, name] : form.purposes.filter((one) => one !== name) });
  return (
    <fieldset>
      <legend>{t("purposes")}</legend>
      {names.map((name) => (
        <label class="check" key={name}>
          <input
            type="checkbox"
            value={name}
            checked={form.purposes.includes(name)}
            onChange={(event) => toggle(name, event.currentTarget.checked)}
          />
          {purposeText(name)}
        </label>
      ))}
    </fieldset>
  );
}

function Until({ form, change }: FieldsProps) {
  const later = (days: number) => change({ until: new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10) });
  return (
    <div class="field">
      <label for="until">{t("until")}</label>
      <div class="row">
        <input id="until" type="date" value={form.until} onInput={(event) => change({ until: event.currentTarget.value })} />
        <button type="button" onClick={() => later(90)}>
          {t("quarter")}
        </button>
        <button type="button" onClick={() => later(365)}>
          {t("year")}
        </button>
      </div>
    </div>
  );
}

interface ClockProps {
  id: "recheck" | "removal";
  unit: "hour" | "day";
  value: number;
  offered: number[];
  set: (value: number) => void;
}

/** One of the two clocks of a consent; what a marketplace asks for stands beside what the page offers. */
function Clock({ id, unit, value, offered, set }: ClockProps) {
  const values = [...new Set([...offered, value])].sort((one, other) => one - other);
  return (
    <div class="field">
      <label for={id}>{t(id)}</label>
      <select id={id} aria-describedby={`${id}-hint`} value={value} onChange={(event) => set(Number(event.currentTarget.value))}>
        {values.map((one) => (
          <option key={one} value={one}>
            {unit === "hour" && one % 24 === 0 ? span(one / 24, "day") : span(one, unit)}
          </option>
        ))}
      </select>
      <p class="quiet small" id={`${id}-hint`}>
        {t(`${id}_hint`)}
      </p>
    </div>
  );
}

interface TextProps {
  id: string;
  label: string;
  hint: string;
  value: string;
  wrong: string;
  off?: boolean;
  set: (value: string) => void;
}

function Text({ id, label, hint, value, wrong, off, set }: TextProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        value={value}
        disabled={off}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={wrong !== ""}
        aria-describedby={`${id}-hint${wrong ? ` ${id}-wrong` : ""}`}
        onInput={(event) => set(event.currentTarget.value)}
      />
      <p class="quiet small" id={`${id}-hint`}>
        {hint}
      </p>
      {wrong && <Wrong id={`${id}-wrong`}>{wrong}</Wrong>}
    </div>
  );
}

function Wrong({ id, children }: { id: string; children: ComponentChildren }) {
  return (
    <p class="wrong" id={id}>
      {children}
    </p>
  );
}

const badAddress = (text: string): string => (text.trim() && !readAddress(text) ? t("bad_address") : "");

function badDomain(text: string): string {
  const domain = domainOf(text);
  return domain === "" || (domain !== null && isDomain(domain)) ? "" : t("bad_domain");
}
