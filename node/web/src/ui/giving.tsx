// Signing and submission of consents, with one signature for every 1,024 files.

import { useRef, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { license, submitConsent } from "../net/api.js";
import { chainOf, connect } from "../net/wallet.js";
import { hex, same } from "../protocol/bytes.js";
import { bundle, consentEnvelope } from "../protocol/envelope.js";
import type { Asker } from "../request.js";
import type { Consent } from "../protocol/messages.js";
import { type Signed, signConsent } from "../signing.js";
import type { Part } from "./allow_fields.js";
import { changed, saveFile, useApp } from "./app.js";
import { type Hashed, Say, explain, short } from "./parts.js";
import { BUNDLE } from "./progress.js";

export interface GivenPart extends Part {
  license: string;
  envelope: Uint8Array;
  revoked: number;
}

const nameOf = (consent: Consent): string => consent.notice + consent.content;

export function useGiving(asker: Asker | null) {
  const { node, wallet, account } = useApp();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [chain, setChain] = useState<number | null>(null);
  const [given, setGiven] = useState<GivenPart[] | null>(null);
  /** A bundle of the signed consents if the node did not accept all of them. */
  const [unsent, setUnsent] = useState<Uint8Array | null>(null);

  // Signed consents are kept until a node accepts them, so that nobody has to sign twice.
  const signed = useRef(new Map<string, Signed<Consent>>());

  async function one({ consent, items }: Part): Promise<GivenPart> {
    const kept = signed.current.get(nameOf(consent));
    const made = kept ?? (await signConsent(wallet!, consent.contributor, consent, items, node.network));
    signed.current.set(nameOf(consent), made);
    await submitConsent(consent, items, made.signature);
    const { revoked_permissions: revoked } = await license(made.digest);
    return { consent, items, license: made.digest, envelope: envelopeOf({ consent, items }, made), revoked };
  }
  const envelopeOf = ({ consent, items }: Part, { signature }: Signed<Consent>) =>
    consentEnvelope(consent, items, signature, node.network);

  async function give(parts: Part[]) {
    setBusy(true);
    setError("");
    setUnsent(null);
    try {
      const open = await connect(wallet!);
      if (!open || !same(open, account!)) throw new Error(t("wrong_account", { address: short(account!) }));
      const theirs = await chainOf(wallet!);
      setChain(theirs === node.network.chain_id ? null : theirs);
      if (theirs !== node.network.chain_id) return;
      const done: GivenPart[] = [];
      for (const part of parts) done.push(await one(part));
      setGiven(done);
      changed();
      asker?.answer(done.map((part) => ({ license: part.license, envelope: hex(part.envelope), items: part.items })));
    } catch (problem) {
      setError(explain(problem));
      const found = parts.flatMap((part) => {
        const made = signed.current.get(nameOf(part.consent));
        return made ? [envelopeOf(part, made)] : [];
      });
      if (found.length > 0) setUnsent(bundle(found));
    } finally {
      setBusy(false);
    }
  }
  return { busy, error, chain, given, unsent, give };
}

export function SaveConsents({ bytes }: { bytes: Uint8Array }) {
  return (
    <button type="button" onClick={() => saveFile("consents.sayso", bytes, BUNDLE)}>
      {t("save")}
    </button>
  );
}

export function Given({ given, names }: { given: GivenPart[]; names: Hashed[] }) {
  const revoked = given.reduce((sum, one) => sum + one.revoked, 0);
  const named = new Map(names.map(({ item, name }) => [item, name]));
  const rows = given.flatMap((part) =>
    part.items.map((item) => JSON.stringify({ file: named.get(item) ?? "", item, license: part.license }) + "\n"),
  );
  return (
    <section>
      <h1>{t("given")}</h1>
      <p class="lead">{t("given_text")}</p>
      {revoked > 0 && <Say kind="warn">{t("warn_revoked", { n: revoked })}</Say>}
      {given.map((part) => (
        <blockquote lang="en" key={part.license} data-license={part.license}>
          {part.consent.notice}
        </blockquote>
      ))}
      <p class="actions">
        <button type="button" onClick={() => saveFile("licensed.jsonl", rows.join(""), "application/jsonl")}>
          {t("save_manifest")}
        </button>
        <SaveConsents bytes={bundle(given.map((part) => part.envelope))} />
        <a class="button" href="#/">
          {t("nav_mine")}
        </a>
      </p>
    </section>
  );
}
