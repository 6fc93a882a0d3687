// Warnings before a person signs a consent that often causes harm.

import { type Key, t } from "./i18n.js";
import { NOBODY, same } from "./protocol/bytes.js";
import { LIMITS, type Terms } from "./protocol/messages.js";

const LONG_S = 2 * 366 * 86_400;
const SKEW_S = 600; // a node accepts a consent this far ahead (7.8)

/** Marketplaces that others may imitate. */
export const KNOWN = ["kled.ai", "silencio.network", "neonmobile.com"];

/** The look of a name, in which similar letters are equal. */
const LOOKS: [RegExp, string][] = [
  [/rn/g, "m"],
  [/vv/g, "w"],
  [/[1il|]/g, "l"],
  [/0/g, "o"],
  [/5/g, "s"],
  [/cl/g, "d"], // after i and 1 have become l
  [/[-_]/g, ""],
];
const look = (name: string): string => LOOKS.reduce((text, [from, to]) => text.replace(from, to), name.toLowerCase());

/** The known name that a name imitates: the same look, one letter away, or with another ending. */
export function imitated(via: string, known: string[]): string | null {
  if (via === "" || known.includes(via)) return null;
  const stem = (name: string) => name.slice(0, name.lastIndexOf("."));
  const near = (real: string) =>
    look(via) === look(real) || isOneAway(via, real) || (stem(via) === stem(real) && stem(via).length > 3);
  return known.find(near) ?? null;
}

function isOneAway(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  if (long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  const rest = short.slice(short.length === long.length ? at + 1 : at);
  return rest === long.slice(at + 1);
}

/** A name in another script as DNS has it, or the same name; null if it cannot be a domain. */
export function domainOf(text: string): string | null {
  const tidy = text.trim().toLowerCase();
  if (tidy === "") return "";
  try {
    return new URL(`https://${tidy}`).host === new URL(`https://${tidy}`).hostname ? new URL(`https://${tidy}`).hostname : null;
  } catch {
    return null;
  }
}

interface Warning {
  key: Key;
  text: string;
  /** Prevents signing, because no node would accept the consent. */
  stops: boolean;
}

export function warningsOn(terms: Terms, known: string[], nodeTime: number): Warning[] {
  const found: Warning[] = [];
  const warn = (key: Key, values = {}, stops = false) => found.push({ key, text: t(key, values), stops });
  const length = terms.expiresAt - terms.issuedAt;
  const real = imitated(terms.via, known);
  if (same(terms.grantee, NOBODY)) warn("warn_anyone");
  if (terms.purposes.includes("likeness-synthesis")) warn("warn_likeness");
  if (terms.purposes.includes("biometric-identification")) warn("warn_biometric");
  if (terms.purposes.includes("resale")) warn("warn_resale");
  if (real) warn("warn_imitates", { via: terms.via, real });
  if (/(^|\.)xn--/.test(terms.via)) warn("warn_script", { via: terms.via });
  if (length > LIMITS.validity) warn("warn_too_long", {}, true);
  else if (length > LONG_S) warn("warn_long");
  if (terms.expiresAt && length <= 0) warn("warn_past", {}, true);
  if (terms.issuedAt > nodeTime + SKEW_S) warn("warn_future", {}, true);
  return found;
}
