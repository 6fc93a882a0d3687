// The fields of a consent, each with an editor of its own: all of them stand below each other in a new form, and
// a request opens those that the person wants to change.

import type { ComponentChildren } from "preact";

import { listedCompanies, listedDomains, whoText } from "../../company.js";
import { purposeText, span, t } from "../../i18n.js";
import { readAddress, short } from "../../protocol/bytes.js";
import { isDomain } from "../../protocol/words.js";
import { domainOf } from "../../warnings.js";
import { FileDrop, type Hashed, type Reading } from "../files.js";
import { Invite } from "../guarding.js";
import { type Form, NAMES, type Name, withItems } from "./form.js";
import { PURPOSES, Picture, meaningOf } from "./purposes.js";
import { Written } from "./written.js";

const DAY_MS = 86_400_000;

interface FieldsProps {
  form: Form;
  change: (some: Partial<Form>) => void;
}

export interface EditorProps extends FieldsProps {
  name: Name;
  reading: Reading;
}

export function Fields(props: Omit<EditorProps, "name">) {
  return (
    <form class="fields" onSubmit={(event) => event.preventDefault()}>
      {NAMES.map((name) => (
        <Editor key={name} name={name} {...props} />
      ))}
    </form>
  );
}

export function Editor({ name, form, change, reading }: EditorProps) {
  const editors: Record<Name, () => ComponentChildren> = {
    files: () => (
      <>
        <FileDrop many label={t("drop")} reading={reading} />
        <label class="check">
          <input
            id="salted"
            type="checkbox"
            aria-describedby="salted-hint"
            checked={form.salted}
            onChange={({ currentTarget: { checked } }) => change({ salted: checked, files: withItems(form.files, checked) })}
          />
          {t("salted")}
        </label>
        <p class="quiet small" id="salted-hint">
          {t("salted_hint")}
        </p>
        <Files files={form.files} remove={(item) => change({ files: form.files.filter((one) => one.item !== item) })} />
      </>
    ),
    grantee: () => (
      <>
        <Text id="grantee" label={t("who_may")} hint={granteeHint(form.grantee)} offers={listedCompanies()} value={form.grantee} off={form.anyone} wrong={badAddress(form.grantee)} set={(grantee) => change({ grantee })} />
        <label class="check">
          <input type="checkbox" checked={form.anyone} onChange={(event) => change({ anyone: event.currentTarget.checked })} />
          {t("anyone_may")}
        </label>
      </>
    ),
    via: () => <Text id="via" label={t("via")} hint={t("via_hint")} offers={listedDomains().map((one) => [one, ""])} value={form.via} wrong={badDomain(form.via)} set={(via) => change({ via })} />,
    purposes: () => <Purposes form={form} change={change} />,
    until: () => <Until form={form} change={change} />,
    recheck: () => <Clock id="recheck" unit="hour" value={form.recheckHours} offered={[24, 168, 720]} set={(recheckHours) => change({ recheckHours })} />,
    removal: () => <Clock id="removal" unit="day" value={form.removalDays} offered={[7, 30, 90]} set={(removalDays) => change({ removalDays })} />,
    guardian: () => (
      <>
        <Text id="guardian" label={t("guardian")} hint={t("guardian_hint")} value={form.guardian} wrong={badAddress(form.guardian)} set={(guardian) => change({ guardian, guardianChosen: true })} />
        <Invite />
      </>
    ),
    parties: () => <Parties form={form} change={change} />,
    terms: () => (
      <details open={form.terms !== "" || form.termsUri !== ""}>
        <summary>{t("a_terms")}</summary>
        <Written form={form} take={(terms) => change({ terms })} />
      </details>
    ),
  };
  return <div id={`field-${name}`}>{editors[name]()}</div>;
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

function Parties({ form, change }: FieldsProps) {
  return (
    <details open={form.parties !== ""}>
      <summary>{t("parties")}</summary>
      <label for="parties" class="quiet small">
        {t("parties_hint")}
      </label>
      <textarea id="parties" rows={2} spellcheck={false} value={form.parties} onInput={(event) => change({ parties: event.currentTarget.value })} />
      {form.parties.split(/\s+/).some(badAddress) && <Wrong id="parties-wrong">{t("bad_address")}</Wrong>}
    </details>
  );
}

/** A number of hours in words, in days where it is whole days. */
export const hoursText = (hours: number): string => (hours % 24 === 0 ? span(hours / 24, "day") : span(hours, "hour"));

function Purposes({ form, change }: FieldsProps) {
  const names = [...PURPOSES, ...form.purposes.filter((one) => !PURPOSES.includes(one))];
  const toggle = (name: string, on: boolean) =>
    change({ purposes: on ? [...form.purposes, name] : form.purposes.filter((one) => one !== name) });
  return (
    <fieldset>
      <legend>{t("purposes")}</legend>
      {names.map((name) => (
        <div class="purpose" key={name}>
          <Picture of={name} />
          <label class="check">
            <input
              type="checkbox"
              value={name}
              aria-describedby={`meaning-${name}`}
              checked={form.purposes.includes(name)}
              onChange={(event) => toggle(name, event.currentTarget.checked)}
            />
            {purposeText(name)}
          </label>
          <p class="quiet small" id={`meaning-${name}`}>
            {meaningOf(name)}
          </p>
        </div>
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
            {unit === "hour" ? hoursText(one) : span(one, unit)}
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
  /** Values to choose from, each with what it means. */
  offers?: [string, string][];
  set: (value: string) => void;
}

function Text({ id, label, hint, value, wrong, off, offers = [], set }: TextProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        value={value}
        disabled={off}
        list={offers.length > 0 ? `${id}-offers` : undefined}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={wrong !== ""}
        aria-describedby={`${id}-hint${wrong ? ` ${id}-wrong` : ""}`}
        onInput={(event) => set(event.currentTarget.value)}
      />
      {offers.length > 0 && (
        <datalist id={`${id}-offers`}>
          {offers.map(([one, meaning]) => (
            <option key={one} value={one} label={meaning || undefined} />
          ))}
        </datalist>
      )}
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

/** Whose address it is, as far as the node lists it. */
const granteeHint = (text: string): string => (readAddress(text) ? whoText(readAddress(text)!) : t("address_hint"));

const badAddress = (text: string): string => (text.trim() && !readAddress(text) ? t("bad_address") : "");

function badDomain(text: string): string {
  const domain = domainOf(text);
  return domain === "" || (domain !== null && isDomain(domain)) ? "" : t("bad_domain");
}
