// A button that saves dates for the person's own calendar.

import { calendarOf, type Dated } from "../calendar.js";
import { t } from "../i18n.js";
import { saveFile } from "./app.js";

/** An .ics file of dates, which are only put into words when somebody wants them: there may be thousands. */
export function SaveDates({ dates }: { dates: () => Dated[] }) {
  const save = () => saveFile("sayso.ics", calendarOf(dates(), Math.floor(Date.now() / 1000)), "text/calendar");
  return (
    <button type="button" class="wide" onClick={save}>
      {t("cal_save")}
    </button>
  );
}
