// The revocation of a person's wish, and the known permissions that it covers.

import { type Key, purposeText, t } from "./i18n.js";
import type { Listed } from "./net/api.js";
import { NOBODY, same } from "./protocol/bytes.js";
import { type Consent, type Revocation, revocationOf } from "./protocol/messages.js";
import { masksOf, reached, scopeText } from "./protocol/words.js";

export interface Wish {
  question: string;
  warning: Key;
  revocation: Revocation;
  /** The ward of a guardian; empty for the signer's own permissions. */
  ward: string;
  /** Covered permissions and licenses that this node knows. */
  permissions: number;
  licenses: number;
}

/** The signer, and the ward: a guardian uses `ward` scopes (rule 5.7). */
export interface Speaker {
  signer: string;
  ward: string;
}

const shortened = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;
export const whoText = (grantee: string): string => (same(grantee, NOBODY) ? t("anyone") : shortened(grantee));

function sentence(
  speaker: Speaker,
  known: Listed[],
  subject: string,
  purpose: string,
  question: string,
  warning: Key,
): Wish {
  const scope = scopeText(subject, purpose, speaker.ward);
  const hits = known.map((one) => reached(scope, speaker.signer, one.consent)).filter(Boolean);
  return {
    question,
    warning: speaker.ward ? "for_good_ward" : warning,
    revocation: revocationOf(speaker.signer, [scope]),
    ward: speaker.ward,
    permissions: hits.reduce((sum, one) => sum + one, 0),
    licenses: hits.length,
  };
}

export const wishAll = (speaker: Speaker, known: Listed[]): Wish =>
  sentence(speaker, known, "everything", "", t("ask_all"), "for_good_all");

export const wishVia = (speaker: Speaker, known: Listed[], via: string): Wish =>
  sentence(speaker, known, `via ${via}`, "", t(speaker.ward ? "ask_via_ward" : "ask_via", { via, address: shortened(speaker.ward) }), "for_good_via");

export const wishPurpose = (speaker: Speaker, known: Listed[], purpose: string): Wish =>
  sentence(speaker, known, "everything", purpose, t("ask_purpose", { purpose: purposeText(purpose) }), "for_good_purpose");

export function wishLicense(one: Consent): Wish {
  const items = t("items", { n: one.items });
  return {
    question: t("ask_license", { items, who: whoText(one.grantee) }),
    warning: "for_good_part",
    revocation: revocationOf(one.contributor, [], masksOf(one, null, null)),
    ward: "",
    permissions: one.items * one.purposes.length,
    licenses: 1,
  };
}

/** Some items of one license, by their positions, for some purposes. */
export function wishPart(one: Consent, positions: number[], purposes: string[]): Wish {
  const names = purposes.map(purposeText).join(", ");
  const items = t("items", { n: positions.length });
  return {
    question: t("ask_part", { items, who: whoText(one.grantee), purposes: names }),
    warning: "for_good_part",
    revocation: revocationOf(one.contributor, [], masksOf(one, positions, purposes)),
    ward: "",
    permissions: positions.length * purposes.length,
    licenses: 1,
  };
}
