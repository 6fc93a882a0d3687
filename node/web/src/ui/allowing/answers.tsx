// What would be signed, in the person's words: an answer for every field of the signed message, each with a
// button to change it. It is made of the same terms as the message, so nothing is signed that is not here.

import { useEffect, useState } from "preact/hooks";

import { type Key, day, purposeText, span, t } from "../../i18n.js";
import { whoText } from "../../company.js";
import { NOBODY, same } from "../../protocol/bytes.js";
import type { Terms } from "../../protocol/messages.js";
import { ReadAloud } from "./aloud.js";
import { Editor, type EditorProps, hoursText } from "./fields.js";
import { type Form, NAMES, type Name, type Ready } from "./form.js";
import { Meant, meaningOf } from "./purposes.js";
import { Written } from "./written.js";

interface Answer {
  /** Each on a line of its own. */
  lines: string[];
  /** What it means. */
  hint?: string;
}

const LABELS = {
  files: "a_files",
  grantee: "who_may",
  via: "via",
  purposes: "purposes",
  until: "a_time",
  recheck: "recheck",
  removal: "removal",
  guardian: "a_guardian",
  parties: "a_parties",
  terms: "a_terms",
} as const satisfies Record<Name, Key>;

export const labelOf = (name: Name): string => t(LABELS[name]);

/** The answer to each question, from the terms that are signed. */
function answersOf(form: Form, terms: Terms): Record<Name, Answer> {
  const { grantee, via, purposes, issuedAt, expiresAt, recheckHours, removalDays, guardian, parties } = terms;
  const anyone = same(grantee, NOBODY);
  const guarded = !same(guardian, NOBODY);
  const others = parties.filter((one) => !same(one, terms.contributor));
  const files = new Set(form.files.map((one) => one.item)).size;
  return {
    files: { lines: [t("files", { n: files })] },
    grantee: { lines: anyone ? [t("anyone_may")] : [whoText(grantee), grantee] },
    via: { lines: [via || t("direct")] },
    purposes: { lines: [...purposes].sort().map((one) => `${purposeText(one)}. ${meaningOf(one)}`) },
    until: { lines: [t("a_from_until", { from: day(issuedAt), date: day(expiresAt) })] },
    recheck: { lines: [hoursText(recheckHours)], hint: t("recheck_hint") },
    removal: { lines: [span(removalDays, "day")], hint: t("removal_hint") },
    guardian: { lines: [guarded ? guardian : t("a_none")], hint: guarded ? t("guardian_hint") : "" },
    parties: { lines: others.length > 0 ? others : [t("a_none")], hint: others.length > 0 ? t("with_others", { n: others.length }) : "" },
    terms: { lines: form.terms || form.termsUri ? [] : [t("a_none")] },
  };
}

interface AnswersProps {
  form: Form;
  ready: Ready;
  /** For a request: the editors, which open within the list. Without it, the form stands above the list. */
  editing: Omit<EditorProps, "name"> | null;
}

export function Answers({ form, ready, editing }: AnswersProps) {
  const { terms, missing } = ready;
  // What a request leaves out is asked for at once.
  const [open, setOpen] = useState<ReadonlySet<Name>>(() => new Set(editing ? missing.filter((one) => one !== "terms") : []));
  const [focus, setFocus] = useState<Name | null>(null);
  useEffect(() => {
    if (!focus) return;
    const field = document.querySelector<HTMLElement>(`#field-${focus} :is(input, select, textarea)`);
    const folded = field?.closest("details");
    if (folded) folded.open = true;
    field?.focus();
    setFocus(null);
  }, [focus]);
  const answers = answersOf(form, terms);
  const change = (name: Name) => {
    if (editing) setOpen((before) => new Set([...before, name]));
    setFocus(name);
  };
  const right = NAMES.filter((name) => !missing.includes(name));
  return (
    <section class="check-answers" aria-labelledby="check-answers">
      <header>
        <h2 id="check-answers">{t("check_answers")}</h2>
        <ReadAloud sentences={right.map((name) => aloud(name, answers[name]))} />
      </header>
      <dl class="answers">
        {NAMES.map((name) => (
          <div key={name} data-answer={name}>
            <dt>{labelOf(name)}</dt>
            <dd>
              {missing.includes(name) && name !== "terms" ? (
                <p class="quiet">{t("a_missing")}</p>
              ) : (
                <Shown name={name} answer={answers[name]} form={form} terms={terms} />
              )}
              {!open.has(name) && name !== "terms" && (
                <button type="button" class="plain change" onClick={() => change(name)}>
                  {t("change")}
                  <span class="unseen"> {labelOf(name)}</span>
                </button>
              )}
              {editing && open.has(name) && <Editor name={name} {...editing} />}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const aloud = (name: Name, { lines, hint }: Answer): string => [`${labelOf(name)}: ${lines.join(" ")}`, hint].filter(Boolean).join(". ");

function Shown({ name, answer, form, terms }: { name: Name; answer: Answer; form: Form; terms: Terms }) {
  if (name === "purposes") return <Meant purposes={[...terms.purposes].sort()} />;
  return (
    <>
      {answer.lines.map((one) => (
        <p key={one}>{one.startsWith("0x") ? <code>{one}</code> : one}</p>
      ))}
      {name === "terms" && (form.terms || form.termsUri) && <Written form={form} take={null} />}
      {answer.hint && <p class="quiet small">{answer.hint}</p>}
    </>
  );
}
