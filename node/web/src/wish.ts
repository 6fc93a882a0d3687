// The revocations of a person's wish, and the known permissions that they cover.

import { type Key, list, purposeText, t } from "./i18n.js";
import { whoText } from "./company.js";
import type { Listed } from "./net/api.js";
import { short } from "./protocol/bytes.js";
import { type Consent, LIMITS, type Revocation, revocationOf } from "./protocol/messages.js";
import { agreementOf, masksOf, partsOf, reached, scopeText } from "./protocol/words.js";
import { type Covered, countOf, coveredOf } from "./reach.js";

/** What a person may choose to sign for a wish. */
export interface Choice {
  label: string;
  warning: string;
  /** One signature for each. */
  revocations: Revocation[];
  /** What of the licenses that this node knows is covered. */
  covered: Covered[];
  /** The addresses that were licensed. */
  companies: string[];
  /** Those that are taken back for every file and purpose. */
  whole: Consent[];
}

/** A file that was chosen; its name is known on this device alone, and empty elsewhere. */
export interface Chosen {
  at: number;
  item: string;
  name: string;
}

export interface Wish {
  question: string;
  /** The same as a heading in a list. */
  what: string;
  /** The ward of a guardian; empty for the signer's own permissions. */
  ward: string;
  /** Single files. */
  files?: Chosen[];
  /** Those for which a number or a sentence in the wallet stands. */
  named?: ReadonlyMap<string, Chosen[]>;
  /** The first is chosen until the person chooses another one. */
  choices: [Choice, ...Choice[]];
}

/** The signer, and the ward: a guardian uses `ward` scopes (rule 5.7). */
export interface Speaker {
  signer: string;
  ward: string;
}

/** What a scope takes back, in words; empty for files and for what this page does not make. */
export function meaningOf(scope: string): string {
  const { subject, purpose } = partsOf(scope);
  const [kind, value = ""] = subject.split(" ") as [string, string?];
  const texts: Record<string, string> = {
    everything: t("what_all"),
    agreement: t("what_license"),
    via: t("through", { via: value }),
    to: t("what_to", { who: whoText(value) }),
  };
  const what = texts[kind] ?? "";
  return what && purpose ? `${what} · ${purposeText(purpose)}` : what;
}

export const isLive = (one: Pick<Listed, "status">): boolean => one.status === "active" || one.status === "not-yet-valid";

/** Whether a sentence of this speaker covers anything of a live license. */
export function reaches(speaker: Speaker, known: Listed[], subject: string, purpose = ""): boolean {
  const scope = scopeText(subject, purpose, speaker.ward);
  return known.some((one) => isLive(one) && reached(scope, speaker.signer, one.consent) > 0);
}

/**
 * Whole licenses of one contributor, for all purposes or some: by their agreements (rule 5.8), unless words,
 * which nobody can read, need fewer signatures for so many licenses.
 */
function whole(consents: Consent[], purposes: string[] = []): Revocation[] {
  const named = purposes.length > 0 ? purposes : [""];
  const scopes = consents.flatMap((one) => named.map((purpose) => scopeText(`agreement ${agreementOf(one)}`, purpose)));
  const sentences = split([...new Set(scopes)], LIMITS.scopes).map((part) => revocationOf(consents[0]!.contributor, part));
  if (sentences.length < 2) return sentences;
  const numbers = byWords(consents, (one) => masksOf(one, all(one), purposes.length > 0 ? purposes : one.purposes));
  return numbers.length < sentences.length ? numbers : sentences;
}

const all = (one: Consent): number[] => Array.from({ length: one.items }, (_, at) => at);

/** The words of some licenses of one contributor, in as few messages as possible. */
function byWords(consents: Consent[], masksIn: (one: Consent) => [bigint, bigint][]): Revocation[] {
  const masks = new Map<bigint, bigint>();
  for (const one of consents) {
    for (const [word, mask] of masksIn(one)) masks.set(word, (masks.get(word) ?? 0n) | mask);
  }
  const sorted = [...masks].sort(([one], [other]) => (one < other ? -1 : 1));
  return split(sorted, LIMITS.words).map((part) => revocationOf(consents[0]!.contributor, [], part));
}

function split<T>(all: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}

interface Sentence {
  subject: string;
  purpose: string;
  question: string;
  what: string;
  later: Key;
  via?: string;
}

/** Until now, or for ever; a guardian only has sentences, which are for ever. */
function wishFor(speaker: Speaker, known: Listed[], said: Sentence): Wish {
  const { subject, purpose, question, what, later, via = "" } = said;
  const scope = scopeText(subject, purpose, speaker.ward);
  const hit = known.filter(isLive).map((one) => ({ one, consent: one.consent, reach: reached(scope, speaker.signer, one.consent) })).filter(({ reach }) => reach > 0);
  const consents = hit.map((one) => one.consent);
  const reach = {
    covered: hit.map(({ one }) => coveredOf(one, purpose ? [purpose] : one.consent.purposes)),
    companies: [...new Set(consents.map((one) => one.grantee))],
    whole: hit.filter((one) => one.reach === one.consent.items * one.consent.purposes.length).map((one) => one.consent),
  };
  const forEver: Choice = {
    label: t("never_again"),
    warning: speaker.ward ? t("for_good_ward") : t(later, { via }),
    revocations: [revocationOf(speaker.signer, [scope])],
    ...reach,
  };
  if (speaker.ward) return { question, what, ward: speaker.ward, choices: [forEver] };
  const revocations = whole(consents, purpose ? [purpose] : []); // and nothing licensed later
  const now: Choice = { label: t("until_now"), warning: t("for_good_now"), revocations, ...reach };
  return { question, what, ward: "", choices: [now, forEver] };
}

export const wishAll = (speaker: Speaker, known: Listed[]): Wish =>
  wishFor(speaker, known, { subject: "everything", purpose: "", question: t("ask_all"), what: t("what_all"), later: "for_good_all" });

export const wishVia = (speaker: Speaker, known: Listed[], via: string): Wish =>
  wishFor(speaker, known, {
    subject: `via ${via}`,
    purpose: "",
    question: t(speaker.ward ? "ask_via_ward" : "ask_via", { via, address: short(speaker.ward) }),
    what: t("through", { via }),
    later: "for_good_via",
    via,
  });

export const wishPurpose = (speaker: Speaker, known: Listed[], purpose: string): Wish =>
  wishFor(speaker, known, {
    subject: "everything",
    purpose,
    question: t("ask_purpose", { purpose: purposeText(purpose) }),
    what: purposeText(purpose),
    later: "for_good_purpose",
  });

type Held = Parameters<typeof coveredOf>[0];

export function wishLicense(held: Held): Wish {
  const { consent } = held;
  const covered = coveredOf(held);
  const items = covered.masks ? countOf([covered]).files : consent.items;
  return wishOf(covered, whole([consent]), t("items", { n: items }), t("ask_license", { items: t("items", { n: items }), who: whoText(consent.grantee) }));
}

/** Some items of one license, by their positions, for some purposes; `files` are those that the person chose one by one. */
export function wishPart(held: Held, positions: number[], purposes: string[], files: Chosen[] = []): Wish {
  const { consent } = held;
  const covered = coveredOf(held, purposes, positions);
  const items = t("items", { n: covered.masks ? countOf([covered]).files : positions.length });
  const some = purposes.length < consent.purposes.length ? purposes : [];
  const question = t(some.length > 0 ? "ask_part" : "ask_license", { items, who: whoText(consent.grantee), purposes: list(purposes.map(purposeText)) });
  const revocations = positions.length === consent.items ? whole([consent], some) : byWords([consent], () => masksOf(consent, positions, purposes));
  const named = new Map<string, Chosen[]>();
  for (const one of files) for (const [word] of masksOf(consent, [one.at], purposes)) named.set(String(word), [...(named.get(String(word)) ?? []), one]);
  return { ...wishOf(covered, revocations, items, question), files, named };
}

function wishOf(covered: Covered, revocations: Revocation[], items: string, question: string): Wish {
  const { consent, at, purposes } = covered;
  const whole = (at === null || at.length === consent.items) && purposes.length === consent.purposes.length ? [consent] : [];
  const choice: Choice = { label: "", warning: t("for_good_part"), revocations, covered: [covered], companies: [consent.grantee], whole };
  return { question, what: `${items} · ${whoText(consent.grantee)}`, ward: "", choices: [choice] };
}

/** Single files of a ward's license. A guardian has only sentences (rule 5.7), which hold in every license. */
export function wishFiles(speaker: Speaker, held: Held, files: Chosen[]): Wish {
  const { consent } = held;
  const scopeOf = ({ item }: Chosen) => scopeText(`file ${item}`, "", speaker.ward);
  const revocations = split(files.map(scopeOf), LIMITS.scopes).map((part) => revocationOf(speaker.signer, part));
  const many = t("items", { n: files.length });
  const covered = coveredOf(held, consent.purposes, files.map((one) => one.at));
  return {
    question: t("ask_license", { items: many, who: whoText(consent.grantee) }),
    what: many,
    ward: speaker.ward,
    files,
    named: new Map(files.map((one) => [scopeOf(one), [one]])),
    choices: [{ label: "", warning: t("for_good_files"), revocations, covered: [covered], companies: [consent.grantee], whole: [] }],
  };
}
