// Texts in the person's language, one file for each, loaded on first use. English is built in.

import en from "./lang/en.js";

export type Key = keyof typeof en;
export type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Strings = Record<Key, Text>;

/** Names in their own language. */
export const LANGUAGES = {
  en: "English",
  hi: "हिन्दी",
  es: "Español",
  fr: "Français",
  pt: "Português",
  sw: "Kiswahili",
  ar: "العربية",
  id: "Bahasa Indonesia",
} as const;
export type Language = keyof typeof LANGUAGES;
/** Languages whose texts no native speaker has read yet. */
export const DRAFTS: ReadonlySet<Language> = new Set<Language>(["hi", "es", "fr", "pt", "sw", "ar", "id"]);

const LOADERS: Record<Exclude<Language, "en">, () => Promise<{ default: Strings }>> = {
  hi: () => import("./lang/hi.js"),
  es: () => import("./lang/es.js"),
  fr: () => import("./lang/fr.js"),
  pt: () => import("./lang/pt.js"),
  sw: () => import("./lang/sw.js"),
  ar: () => import("./lang/ar.js"),
  id: () => import("./lang/id.js"),
};
const CHOSEN = "sayso-language";

let strings: Strings = en;
export let language: Language = "en";

export const isRightToLeft = (name = language): boolean => name === "ar";

const isLanguage = (name: string): name is Language => name in LANGUAGES;

/** The language that was chosen before, else the first available one of the browser. */
export function preferred(): Language {
  let chosen = "";
  try {
    chosen = localStorage.getItem(CHOSEN) ?? "";
  } catch {
    // Storage is switched off.
  }
  return [chosen, ...navigator.languages.map((one) => one.slice(0, 2))].find(isLanguage) ?? "en";
}

export async function use(name: Language, keep = false): Promise<void> {
  strings = name === "en" ? en : (await LOADERS[name]()).default;
  language = name;
  document.documentElement.lang = name;
  document.documentElement.dir = isRightToLeft() ? "rtl" : "ltr";
  if (!keep) return;
  try {
    localStorage.setItem(CHOSEN, name);
  } catch {
    // The next visit tries again.
  }
}

const makers = new Map<string, unknown>();

/** One formatter of a kind for each language: they cost more than all that they format on a screen. */
function made<T>(kind: string, of: Language, make: () => T): T {
  const name = `${kind} ${of}`;
  if (!makers.has(name)) makers.set(name, make());
  return makers.get(name) as T;
}

/** The text of a key; `n` chooses its plural form, and every {name} is filled in. */
export const t = (key: Key, values: Record<string, string | number> = {}): string => fill(strings[key], values, language);

/** The same in English, which stands beside the person's language where others read it, too. */
export const english = (key: Key, values: Record<string, string | number> = {}): string => fill(en[key], values, "en");

function fill(text: Text, values: Record<string, string | number>, name: Language): string {
  const form = typeof text === "string" ? text : pick(text, Number(values.n ?? 0), name);
  return form.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = values[key] ?? "";
    if (typeof value === "number") return made("number", name, () => new Intl.NumberFormat(name)).format(value);
    // A name or address keeps its own direction, and changes that of nothing around it (UAX 9, isolates).
    return isRightToLeft(name) && value ? `\u2068${value}\u2069` : value;
  });
}

function pick(forms: Exclude<Text, string>, n: number, name: Language): string {
  return forms[made("plural", name, () => new Intl.PluralRules(name)).select(n)] ?? forms.other ?? "";
}

/** A number of hours or days in words. */
export const span = (count: number, unit: "hour" | "day"): string =>
  made(`unit ${unit}`, language, () => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" })).format(count);

export const list = (words: string[]): string => made("list", language, () => new Intl.ListFormat(language, { type: "conjunction" })).format(words);

/** A purpose in words; an unknown name is shown unchanged. */
export function purposeText(name: string): string {
  const key = `p_${name.replaceAll("-", "_")}`;
  return key in en ? t(key as Key) : name;
}

const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
export const day = (seconds: number, name = language): string =>
  made("day", name, () => new Intl.DateTimeFormat(name, DAY)).format(seconds * 1000);
