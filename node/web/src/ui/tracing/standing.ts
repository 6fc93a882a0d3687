// What a holder of a license stated and owes, in words: nobody's silence is shown as more than silence.

import { whoText, whoTextThen } from "../../company.js";
import { day, list, purposeText, t } from "../../i18n.js";
import type { Duty, Holder, Trace } from "../../net/api.js";
import { same } from "../../protocol/bytes.js";

type Standing = "holds" | "confirmed" | "due" | "undated" | "late";

const WORST: Standing[] = ["late", "undated", "due", "confirmed"];

/** The worst of what a holder owes; `holds` if nothing of it is revoked. */
export function standingOf({ duties }: Holder): Standing {
  return WORST.find((one) => duties.some((duty) => duty.standing === one)) ?? "holds";
}

/** Whether a holder stated anything: a use, a removal, or to whom it passed the license on. */
export function isSilent(one: Holder, all: Holder[]): boolean {
  const passes = all.some((other) => other.passed_on.some((passed) => same(passed.signer, one.address)));
  return one.uses.length === 0 && !passes && !one.duties.some((duty) => duty.removal);
}

/** What a holder owes, in a sentence. */
export function standingText(one: Holder, node: string): string {
  const standing = standingOf(one);
  if (standing === "holds") return t("tr_holds");
  const worst = one.duties.filter((duty) => duty.standing === standing);
  if (standing === "confirmed") return t("tr_confirmed", { date: dateOf(worst.at(-1)!) });
  if (standing === "undated") return t("tr_undated");
  const due = Math.min(...worst.map((duty) => duty.due ?? Infinity));
  const date = Number.isFinite(due) ? day(due) : t("tr_no_day");
  return standing === "late" ? t("tr_late", { date, node }) : t("tr_due", { date });
}

function dateOf(duty: Duty): string {
  const anchored = duty.removal?.anchored;
  if (!anchored) return t("tr_no_day");
  return anchored.time === null ? t("tr_block", { block: anchored.number }) : day(anchored.time);
}

/** A holder in one text, for whoever hears the picture. */
export const spoken = (one: Holder, all: Holder[], node: string): string =>
  [whoText(one.address), standingText(one, node), isSilent(one, all) ? t("tr_silent") : ""].filter(Boolean).join(". ");

/** Everything that is known of a holder, a line for each. */
export function historyOf(one: Holder, all: Holder[], trace: Trace): string[] {
  const lines = one.passed_on.map((passed) => {
    const values = { who: whoTextThen(passed.signer), purposes: list(passed.purposes.map(purposeText)), date: day(passed.expires_at) };
    return t(passed.withdrawn ? "tr_got_withdrawn" : "tr_got", values);
  });
  if (one.is_grantee) lines.unshift(t("tr_from_you", { date: day(trace.expires_at) }));
  for (const use of one.uses) {
    const values = { purpose: purposeText(use.purpose), date: day(use.used_at), run: use.run || "—" };
    lines.push(t(use.withdrawn ? "tr_used_withdrawn" : "tr_used", values));
  }
  if (one.more_uses) lines.push(t("tr_more_uses"));
  for (const duty of one.duties) lines.push(owedText(duty));
  if (isSilent(one, all)) lines.push(t("tr_silent"));
  return lines;
}

function owedText(duty: Duty): string {
  const what = { items: t("items", { n: duty.items }), purposes: list(duty.purposes.map(purposeText)) };
  const since = duty.revoked?.time ? day(duty.revoked.time) : t("tr_no_day");
  if (duty.standing === "confirmed") return t("tr_owed_confirmed", { ...what, since, date: dateOf(duty) });
  return t("tr_owed", { ...what, since, date: duty.due === null ? t("tr_no_day") : day(duty.due) });
}
