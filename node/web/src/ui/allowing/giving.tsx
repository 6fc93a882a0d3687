// Signing and submission of consents, with one signature for every 1,024 files. Each may be refused while
// others were taken, so the outcome is kept for each, told exactly, and resumed where it stopped.

import { useRef, useState } from "preact/hooks";

import { t } from "../../i18n.js";
import { license, passes } from "../../net/api.js";
import { type KeptGrant, isSent, keepGrant, sendGrant } from "../../net/grants.js";
import { chainOf, connect } from "../../net/wallet.js";
import { hex, same, short } from "../../protocol/bytes.js";
import { bundle, consentEnvelope } from "../../protocol/envelope.js";
import type { Asker } from "../../request.js";
import { Said } from "../../said.js";
import type { Consent } from "../../protocol/messages.js";
import { type Signed, signConsent } from "../../signing.js";
import { type Shelved, lookOf, shelve } from "../../net/shelf.js";
import type { Form, Part } from "./form.js";
import { changed, saveFile, useApp, useChanges, waiting } from "../app.js";
import type { Hashed } from "../files.js";
import { Heading, Say, explain } from "../parts.js";
import { BUNDLE } from "../progress.js";

interface GivenPart extends Part {
  license: string;
  envelope: Uint8Array;
  revoked: number;
}

/** How far signing came when it stopped. */
interface Stopped {
  error: string;
  /** Taken by the node. */
  done: GivenPart[];
  /** Signed, and not known to be taken. */
  unsent: Uint8Array[];
  /** Whether the page sends these as soon as the node answers. */
  waits: boolean;
  left: Part[];
}

const nameOf = ({ consent }: Part): string => consent.notice + consent.content;
/** What this device keeps of the files of some items. */
function shelfOf(items: string[], files: Hashed[], salted: boolean): Shelved[] {
  const wanted = new Set(items);
  return files.flatMap(({ name, item, plain, salt }) =>
    plain && wanted.has(item) ? [{ item, name, plain, salt: salted ? (salt ?? "") : "", picture: lookOf(plain) }] : [],
  );
}

const filesIn = (parts: Part[]): string => t("files", { n: parts.reduce((sum, one) => sum + one.items.length, 0) });

export function useGiving(asker: Asker | null, { files, salted }: Form) {
  const { node, wallet, account } = useApp();
  const [busy, setBusy] = useState(false);
  const [chain, setChain] = useState<number | null>(null);
  const [given, setGiven] = useState<GivenPart[] | null>(null);
  const [stopped, setStopped] = useState<Stopped | null>(null);

  // Kept until the end, so that nobody has to sign twice and nothing is submitted twice.
  const signed = useRef(new Map<string, Signed<Consent>>());
  const taken = useRef(new Map<string, GivenPart>());
  const asked = useRef<Part[]>([]);
  const stored = useRef(true); // whether the device keeps what is signed
  const envelopeOf = ({ consent, items }: Part, { signature }: Signed<Consent>) =>
    consentEnvelope(consent, items, signature, node.network);

  async function one(part: Part): Promise<GivenPart> {
    const { consent, items } = part;
    const kept = signed.current.get(nameOf(part));
    const made = kept ?? (await signConsent(wallet!, consent.contributor, consent, items, node.network));
    signed.current.set(nameOf(part), made);
    await shelve(shelfOf(items, files, salted));
    const madeAt = Math.floor(Date.now() / 1000);
    const grant: KeptGrant = { license: made.digest, consent, items, network: made.network, signature: made.signature, madeAt, sent: false, refused: "" };
    if (!(await isSent(made.digest))) stored.current &&= await keepGrant(grant);
    await sendGrant(grant);
    return takenAs(part, made);
  }

  async function takenAs(part: Part, made: Signed<Consent>): Promise<GivenPart> {
    const { consent, items } = part;
    const held = await license(made.digest).catch(() => null); // it is taken, whatever this answers
    return { consent, items, license: made.digest, envelope: envelopeOf(part, made), revoked: held?.revoked_permissions ?? 0 };
  }

  async function give(parts: Part[]) {
    asked.current = parts;
    setBusy(true);
    setStopped(null);
    try {
      const open = await connect(wallet!);
      if (!open.some((one) => same(one, account!))) throw new Said(t("wrong_account", { address: short(account!) }));
      const theirs = await chainOf(wallet!);
      setChain(theirs === node.network.chain_id ? null : theirs);
      if (theirs !== node.network.chain_id) return;
      for (const part of parts) {
        if (!taken.current.has(nameOf(part))) taken.current.set(nameOf(part), await one(part));
      }
      finish(parts);
    } catch (problem) {
      const rest = parts.filter((part) => !taken.current.has(nameOf(part)));
      const unsent = rest.flatMap((part) => {
        const made = signed.current.get(nameOf(part));
        return made ? [envelopeOf(part, made)] : [];
      });
      setStopped({ error: explain(problem), done: doneOf(parts), unsent, waits: stored.current && passes(problem), left: rest });
      if (passes(problem) && unsent.length > 0) waiting();
      if (rest.length < parts.length) changed();
    } finally {
      setBusy(false);
    }
  }
  /** What waited may have been sent since, by this page or in another tab. */
  useChanges(() => {
    if (!stopped?.waits || busy) return;
    void (async () => {
      for (const part of stopped.left) {
        const made = signed.current.get(nameOf(part));
        if (made && (await isSent(made.digest))) taken.current.set(nameOf(part), await takenAs(part, made));
      }
      const left = stopped.left.filter((part) => !taken.current.has(nameOf(part)));
      if (left.length === 0) finish(asked.current);
      else if (left.length < stopped.left.length) setStopped({ ...stopped, done: doneOf(asked.current), unsent: [], waits: false, left });
    })();
  }, [stopped, busy]);

  const doneOf = (parts: Part[]) => parts.flatMap((part) => taken.current.get(nameOf(part)) ?? []);

  /** End with what was taken, and tell the page that asked. */
  function finish(parts: Part[]) {
    const done = doneOf(parts);
    setGiven(done);
    changed();
    asker?.answer(done.map((part) => ({ license: part.license, envelope: hex(part.envelope), items: part.items, ...saltsOf(part.items) })));
  }
  /** The salts of items, in their order, for the page that asked; nothing without a salt. */
  const saltsOf = (items: string[]): { salts?: string[] } => {
    const known = new Map(shelfOf(items, files, salted).map((one) => [one.item, one.salt]));
    const salts = items.map((item) => known.get(item) ?? "");
    return salts.some(Boolean) ? { salts } : {};
  };
  return { busy, chain, given, stopped, give, finish };
}

/** What was signed, what the node took, and what is left, after signing stopped. */
export function Outcome({ stopped }: { stopped: Stopped }) {
  const { error, done, unsent, waits, left } = stopped;
  const n = done.length + left.length;
  return (
    <>
      <Say kind="bad" focus>
        <p>{error}</p>
        {done.length > 0 && (
          <>
            <p>{t("given_part", { k: done.length, n, files: filesIn(done) })}</p>
            <p>{t("not_given", { files: filesIn(left) })}</p>
          </>
        )}
        {done.length === 0 && unsent.length === 0 && <p>{t("nothing_signed")}</p>}
        {unsent.length > 0 && <p>{t(waits ? "grant_waits" : "not_taken")}</p>}
      </Say>
      {unsent.length > 0 && <SaveConsents bytes={bundle(unsent)} />}
    </>
  );
}

export function SaveConsents({ bytes }: { bytes: Uint8Array }) {
  return (
    <button type="button" onClick={() => saveFile("consents.sayso", bytes, BUNDLE)}>
      {t("save")}
    </button>
  );
}

export function Given({ given, form: { files: names, salted } }: { given: GivenPart[]; form: Form }) {
  const revoked = given.reduce((sum, one) => sum + one.revoked, 0);
  const named = new Map(names.map(({ item, name }) => [item, name]));
  const rows = given.flatMap((part) =>
    part.items.map((item) => JSON.stringify({ file: named.get(item) ?? "", item, license: part.license }) + "\n"),
  );
  const salts = shelfOf(given.flatMap((one) => one.items), names, salted)
    .filter((one) => one.salt)
    .map(({ name, item, salt }) => JSON.stringify({ file: name, item, salt }) + "\n");
  return (
    <section>
      <Heading>{t("given")}</Heading>
      <p class="lead">{t("given_text")}</p>
      {revoked > 0 && <Say kind="warn">{t("warn_revoked")}</Say>}
      {given.map((part) => (
        <blockquote lang="en" key={part.license} data-license={part.license}>
          {part.consent.notice}
        </blockquote>
      ))}
      <p class="actions">
        <button type="button" onClick={() => saveFile("licensed.jsonl", rows.join(""), "application/jsonl")}>
          {t("save_manifest")}
        </button>
        {salts.length > 0 && (
          <button type="button" aria-describedby="salts-hint" onClick={() => saveFile("licensed.salts.jsonl", salts.join(""), "application/jsonl")}>
            {t("save_salts")}
          </button>
        )}
        <SaveConsents bytes={bundle(given.map((part) => part.envelope))} />
        <a class="button" href="#/">
          {t("nav_mine")}
        </a>
      </p>
      {salts.length > 0 && (
        <p class="quiet small" id="salts-hint">
          {t("salts_hint")}
        </p>
      )}
    </section>
  );
}
