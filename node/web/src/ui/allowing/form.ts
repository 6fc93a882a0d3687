// The form of a consent, what a request fills in, and the consents of a complete form.

import { NOBODY, hex, readAddress, sha, utf8 } from "../../protocol/bytes.js";
import { type Consent, LIMITS, type Terms, consentOf } from "../../protocol/messages.js";
import { isDomain } from "../../protocol/words.js";
import { type Asked, endOfDay } from "../../request.js";
import { knownAs, newSalt, saltedItem } from "../../net/shelf.js";
import { domainOf } from "../../warnings.js";
import type { Hashed } from "../files.js";

export interface Form {
  files: Hashed[];
  /** Whether item hashes of files from this device are salted (rule 1.5.1). */
  salted: boolean;
  grantee: string;
  anyone: boolean;
  via: string;
  purposes: string[];
  until: string;
  recheckHours: number;
  removalDays: number;
  guardian: string;
  /** Whether the person has chosen it; otherwise the confirmed guardian of the account stands there. */
  guardianChosen: boolean;
  parties: string;
  terms: string;
  termsUri: string;
  /** The terms themselves, if the page that asks sent them. */
  termsText: string;
}

/** The answers of a form, in the order in which they are asked and shown. */
export const NAMES = ["files", "grantee", "via", "purposes", "until", "recheck", "removal", "guardian", "parties", "terms"] as const;
export type Name = (typeof NAMES)[number];

export interface Part {
  consent: Consent;
  items: string[];
}

const EMPTY: Form = {
  files: [],
  salted: true,
  grantee: "",
  anyone: false,
  via: "",
  purposes: [],
  until: "",
  recheckHours: 168,
  removalDays: 30,
  guardian: "",
  guardianChosen: false,
  parties: "",
  terms: "",
  termsUri: "",
  termsText: "",
};

export function filled(asked: Asked): Form {
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
    termsText: asked.termsText ?? "",
  };
}

const UNNAMED = "0x" + "11".repeat(20); // nobody is named yet, which is not the same as anyone
const issued = Math.floor(Date.now() / 60_000) * 60; // fixed, so that the notice does not change while a person reads it

export interface Ready {
  terms: Terms;
  /** What has no valid answer yet. */
  missing: Name[];
  /** Complete once nothing is missing. */
  consents: Part[];
}

/** The valid part of a form, and the consents once nothing is missing. */
export function readyTerms(form: Form, account: string | null): Ready {
  const grantee = form.anyone ? NOBODY : readAddress(form.grantee);
  const guardian = form.guardian.trim() ? readAddress(form.guardian) : NOBODY;
  const parties = form.parties.split(/\s+/).filter(Boolean).map(readAddress);
  const via = domainOf(form.via);
  const terms: Terms = {
    contributor: account ?? NOBODY,
    parties: parties.filter((one) => one !== null),
    grantee: grantee ?? UNNAMED,
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
  const right: Partial<Record<Name, boolean>> = {
    files: form.files.length > 0,
    grantee: grantee !== null,
    via: via === "" || (via !== null && isDomain(via)),
    purposes: form.purposes.length > 0 && form.purposes.length <= LIMITS.purposes,
    until: terms.expiresAt > issued,
    guardian: guardian !== null,
    parties: parties.every(Boolean) && parties.length < LIMITS.parties,
    terms: form.termsText === "" || textHash(form.termsText) === form.terms,
  };
  const missing = NAMES.filter((one) => right[one] === false);
  return { terms, missing, consents: account && missing.length === 0 ? partsOf(form, terms) : [] };
}

/** The files with the item hashes that the form asks for. */
export const withItems = (files: Hashed[], salted: boolean): Hashed[] =>
  files.map((one) => (one.plain && one.salt ? { ...one, item: salted ? saltedItem(one.salt, one.plain) : one.plain } : one));

/** The files with their salts: the one that this device used before for the same bytes, or a new one. */
export async function withSalts(files: Hashed[], salted: boolean): Promise<Hashed[]> {
  const asked = files.flatMap(({ plain, name }) => (plain ? [{ plain, name }] : []));
  const known = new Map((await knownAs(asked)).filter((one) => one.salt).map((one) => [one.plain, one.salt]));
  return withItems(files.map((one) => ({ ...one, salt: known.get(one.plain ?? "") ?? one.salt ?? newSalt() })), salted);
}

function partsOf(form: Form, terms: Terms): Part[] {
  const items = [...new Set(form.files.map((one) => one.item))];
  const consents: Part[] = [];
  for (let at = 0; at < items.length; at += LIMITS.items) {
    const part = items.slice(at, at + LIMITS.items);
    consents.push({ consent: consentOf(terms, part), items: part });
  }
  return consents;
}

/** The SHA-256 of a text, which a consent names as its terms. */
export const textHash = (text: string): string => hex(sha(utf8(text)));
