// Dates for a calendar (iCalendar, RFC 5545): whole days, because the page says days.

import { utf8 } from "./protocol/bytes.js";

export interface Dated {
  /** Names the event for ever, so that a second import changes it and adds none. */
  id: string;
  /** Seconds since the epoch. */
  at: number;
  what: string;
}

const LINE_BYTES = 75;

const stamp = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
const dayOf = (seconds: number): string => stamp(seconds).slice(0, 8);
const escaped = (text: string): string => text.replace(/[\\;,]/g, "\\$&").replace(/\r?\n/g, "\\n");

/** No line is longer than 75 bytes (3.1); it goes on after a line break and a space. */
function folded(line: string): string {
  let [out, size] = ["", 0];
  for (const char of line) {
    const bytes = utf8(char).length;
    if (size + bytes > LINE_BYTES) [out, size] = [`${out}\r\n `, 1];
    out += char;
    size += bytes;
  }
  return out;
}

/** A calendar file; `now` is when it was made, in seconds. */
export function calendarOf(events: Dated[], now: number): string {
  const lines = events.flatMap(({ id, at, what }) => [
    "BEGIN:VEVENT",
    `UID:${id}@sayso`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART;VALUE=DATE:${dayOf(at)}`,
    `DTEND;VALUE=DATE:${dayOf(at + 86_400)}`,
    `SUMMARY:${escaped(what)}`,
    "TRANSP:TRANSPARENT",
    "END:VEVENT",
  ]);
  const all = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sayso//page//EN", ...lines, "END:VCALENDAR"];
  return all.map((line) => `${folded(line)}\r\n`).join("");
}
