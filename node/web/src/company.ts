// Companies by the names that the node's network file lists. Whoever is not listed has no name, whatever they say,
// and a listed name is only shown if it is in one script (UTS 39).

import { language, t } from "./i18n.js";
import { NOBODY, same, short } from "./protocol/bytes.js";

export interface Named {
  address: string;
  name: string;
  domain: string | null;
  role: string | null;
}

const LONGEST = 64;
// No comma, because "NAME, DOMAIN, listed by NODE" is what the page says.
const LETTERS = /^[\p{L}\p{M}\p{N} &'’.\-+!/()·]+$/u;
const TOGETHER = ["\\p{scx=Hani}\\p{scx=Hira}\\p{scx=Kana}", "\\p{scx=Hani}\\p{scx=Hang}", "\\p{scx=Hani}\\p{scx=Bopo}"];
const ALONE = "Latn Grek Cyrl Armn Hebr Arab Ethi Geor Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Thai Laoo Khmr Mymr Tibt Tfng Nkoo Adlm";
const SCRIPTS = [...TOGETHER, ...ALONE.split(" ").map((one) => `\\p{scx=${one}}`)].map((one) => new RegExp(`^[${one}\\p{sc=Zyyy}\\p{sc=Zinh}]+$`, "u"));

/** Whether people may be shown a name. */
export const isShown = (name: string): boolean =>
  name.length <= LONGEST && LETTERS.test(name) && /\p{L}/u.test(name) && SCRIPTS.some((one) => one.test(name));

let listed = new Map<string, Named>();
let by = "";

/** What this node lists. */
export function learnNames(node: { name: string; names?: Named[] }): void {
  by = node.name;
  listed = new Map((node.names ?? []).filter((one) => isShown(one.name)).map((one) => [one.address.toLowerCase(), one]));
}

/** The listed companies, for somebody who looks for one: address, and what it is called. */
export const listedCompanies = (): [string, string][] => [...listed.values()].map((one) => [one.address, whoText(one.address)]);

/** The domains of listed companies, which others may imitate. */
export const listedDomains = (): string[] => [...listed.values()].flatMap((one) => one.domain ?? []);

const isListed = (address: string): boolean => listed.has(address.toLowerCase());

/** Who an address is to a person: "Kled, kled.ai, listed by North", or an unknown company with its address. */
export function whoText(address: string, whole = false): string {
  if (same(address, NOBODY)) return t("anyone");
  const found = listed.get(address.toLowerCase());
  if (!found) return t("unknown_company", { address: whole ? address : short(address) });
  return t("listed_by", { company: [found.name, found.domain].filter(Boolean).join(", "), node: by });
}

/** The same where the sentence goes on after it. */
export const whoTextThen = (address: string): string =>
  isListed(address) && !same(address, NOBODY) ? whoText(address) + (language === "ar" ? "،" : ",") : whoText(address);
