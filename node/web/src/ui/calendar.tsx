// A button that saves dates for the person's own calendar.

import { calendarOf, type Dated } from "../calendar.js";
import { t } from "../i18n.js";
import { saveFile } from "./app.js";

/** An .ics file of dates; nothing where there is no date. */
export function SaveDates({ dates }: { dates: Dated[] }) {
  if (dates.length === 0) return null;
  const save = () => saveFile("sayso.ics", calendarOf(dates, Math.floor(Date.now() / 1000)), "text/calendar");
  return (
    <button type="button" class="wide" onClick={save}>
      {t("cal_save")}
    </button>
  );
}
