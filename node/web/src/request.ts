// The request of a marketplace, in the page's address behind `#/allow?`, or by postMessage from the page that
// opened this one. docs/reference/page.md describes both.

import { hex, isHash, readAddress, sha, utf8 } from "./protocol/bytes.js";
import { LIMITS } from "./protocol/messages.js";
import { isPurpose } from "./protocol/words.js";

export interface Asked {
  grantee?: string;
  via?: string;
  purposes?: string[];
  expiresAt?: number;
  recheckHours?: number;
  removalDays?: number;
  guardian?: string;
  parties?: string[];
  terms?: string;
  termsUri?: string;
  termsText?: string;
  items?: string[];
}

const LONGEST_TEXT = 200_000; // letters; a longer text is another text, and is said to be
const READY = "sayso-ready-1";
const REQUEST = "sayso-request-1";
const ANSWER = "sayso-consent-1";

/** Takes only valid fields; the person fills in the others. */
export function readRequest(get: (name: string) => unknown): Asked {
  const text = (name: string): string => (typeof get(name) === "string" ? (get(name) as string).trim() : "");
  const many = (name: string): string[] => {
    const value = get(name);
    const texts = Array.isArray(value) ? value : text(name).split(",");
    return texts.filter((one): one is string => typeof one === "string" && one !== "").map((one) => one.trim());
  };
  const address = (name: string) => readAddress(text(name)) ?? undefined;
  const asked: Asked = {
    grantee: text("grantee") === "anyone" ? "0x" + "00".repeat(20) : address("grantee"),
    via: text("via").toLowerCase() || undefined,
    purposes: many("purposes").filter(isPurpose),
    expiresAt: readTime(get("expires")),
    recheckHours: readCount(get("recheck_hours"), LIMITS.recheckHours),
    removalDays: readCount(get("removal_days"), LIMITS.removalDays),
    guardian: address("guardian"),
    parties: many("parties").flatMap((one) => readAddress(one) ?? []),
    terms: isHash(text("terms")) ? text("terms") : undefined,
    termsUri: /^https:\/\/[!-~]+$/.test(text("terms_uri")) && !/[?#]/.test(text("terms_uri")) ? text("terms_uri") : undefined,
    termsText: text("terms_text") && (get("terms_text") as string).slice(0, LONGEST_TEXT),
    items: many("items").filter(isHash),
  };
  if (asked.termsText) asked.terms ??= hex(sha(utf8(asked.termsText)));
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as Asked;
}

/** Seconds since the epoch, or a day (its end, UTC). */
function readTime(value: unknown): number | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  if (typeof value !== "string") return undefined;
  if (/^[1-9][0-9]{0,11}$/.test(value)) return Number(value);
  return /^\d{4}-\d\d-\d\d$/.test(value) ? endOfDay(value) : undefined;
}

/** A whole number from 1 to `most`. */
function readCount(value: unknown, most: number): number | undefined {
  const digits = typeof value === "number" ? String(value) : value;
  if (typeof digits !== "string" || !/^[1-9][0-9]{0,3}$/.test(digits)) return undefined;
  return Number(digits) <= most ? Number(digits) : undefined;
}

export const endOfDay = (date: string): number | undefined => {
  const start = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(start) ? undefined : start / 1000 + 86_399;
};

/** Whether a page of this origin may speak for a marketplace: the same domain, or one below it. */
export function isOf(origin: string, via: string): boolean {
  const { hostname } = new URL(origin);
  return via === "" || hostname === via || hostname.endsWith(`.${via}`);
}

const arrived = { hash: location.hash, referrer: document.referrer };

/** The origin of the page whose link led here, where the browser tells it; empty otherwise. */
export function linkedFrom(): string {
  if (location.hash !== arrived.hash || !/^https?:/.test(arrived.referrer)) return "";
  const { origin } = new URL(arrived.referrer);
  return origin === location.origin ? "" : origin;
}

export interface Asker {
  origin: string;
  asked: Asked;
  answer: (licenses: { license: string; envelope: string; items: string[]; salts?: string[] }[]) => void;
}

/** Listen for a request from the opening page; returns a function that stops. */
export function onRequest(tell: (asker: Asker) => void): () => void {
  const opener = window.opener as Window | null;
  if (!opener) return () => undefined;
  const heard = (event: MessageEvent<unknown>) => {
    const message = event.data as { type?: unknown; request?: Record<string, unknown> } | null;
    if (event.source !== opener || message?.type !== REQUEST || typeof message.request !== "object") return;
    if (!/^https?:/.test(event.origin)) return; // a page without an origin cannot be named to the person
    const { request } = message;
    const asked = readRequest((name) => (Object.hasOwn(request, name) ? request[name] : undefined));
    const { origin } = event;
    tell({ origin, asked, answer: (licenses) => opener.postMessage({ type: ANSWER, licenses }, origin) });
  };
  window.addEventListener("message", heard);
  opener.postMessage({ type: READY }, "*"); // states only that this page listens
  return () => window.removeEventListener("message", heard);
}
