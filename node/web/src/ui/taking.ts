// Signing and sending the revocations of a wish, one after another. Each is stored on the device before it is
// sent, so closing the window, a dead node or a refusal in the middle loses nothing.

import { useState } from "preact/hooks";

import { t } from "../i18n.js";
import { passes, submitRevocation } from "../net/api.js";
import { alone } from "../net/database.js";
import { type Kept, keep, keptOf } from "../net/kept.js";
import { type Wallet, chainOf, connect, send } from "../net/wallet.js";
import { same, short } from "../protocol/bytes.js";
import { callData } from "../protocol/calls.js";
import type { Consent, Revocation } from "../protocol/messages.js";
import { isPromise } from "../protocol/promise.js";
import { Said } from "../said.js";
import { LyingNode, signRevocation } from "../signing.js";
import type { Wish } from "../wish.js";
import { type App, changed, useApp, waiting } from "./app.js";
import { explain } from "./parts.js";

interface Covers {
  /** Licenses that are taken back as a whole, once nothing is left. */
  whole: Consent[];
  /** The addresses that were licensed. */
  companies: string[];
  /** Which of several choices it was; empty without a choice. */
  label: string;
}

/** What was signed, what is left, and why it stopped. */
export interface Over {
  name: "over";
  entries: Kept[];
  left: Revocation[];
  covers: Covers;
  error: string;
  /** Whether the device keeps all of them. */
  stored: boolean;
}

export type Stage =
  | { name: "ask"; error?: string; chain?: number }
  | { name: "lied" }
  | { name: "signing"; k: number; n: number }
  | { name: "sending" }
  | { name: "chain"; hashes: string[]; error: string; left: number }
  | Over;

/**
 * The wallet on this account, and its chain if it is not this node's: wallets refuse to sign for a chain on which
 * they are not. Throws if the account is another one.
 */
async function ready({ wallet, node }: App, signer: string): Promise<{ wallet: Wallet; theirs: number | null }> {
  if (!wallet) throw new Said(t("no_wallet"));
  const [open, theirs] = await Promise.all([connect(wallet), chainOf(wallet)]);
  if (!open.some((one) => same(one, signer))) throw new Said(t("wrong_account", { address: short(signer) }));
  return { wallet, theirs: theirs === node.network.chain_id ? null : theirs };
}

/** Sends a signed revocation to this node and keeps its promise, unless that was done meanwhile; throws if it is refused. */
export const deliver = (app: Pick<App, "node">, one: Kept): Promise<Kept> =>
  alone(async () => {
    const now = await keptOf(one.digest);
    return now?.promise ? now : submit(app, one);
  });

async function submit({ node }: Pick<App, "node">, one: Kept): Promise<Kept> {
  const { acknowledgement } = await submitRevocation(one.message, one.network.chain_id, one.signature).catch(async (problem) => {
    // If nobody took it yet, the page sends it as soon as the node answers.
    await keep({ ...one, queued: passes(problem) });
    throw problem;
  });
  const holds = acknowledgement && isPromise(acknowledgement, one.digest, node.network, node.node_key);
  if (holds === false) throw new Said(t("no_promise"));
  const after = { ...one, sent: true, queued: false, promise: acknowledgement ?? one.promise, node: node.name };
  void keep(after); // what reads it next, here or in another tab, waits for it; nobody else does
  changed();
  return after;
}

export function useTaking(wish: Wish) {
  const app = useApp();
  const [stage, setStage] = useState<Stage>({ name: "ask" });
  const signer = wish.choices[0].revocations[0]!.contributor;

  async function signOne(wallet: Wallet, revocation: Revocation, { companies, label }: Covers, queued: boolean): Promise<{ entry: Kept; stored: boolean }> {
    const signed = await signRevocation(wallet, signer, revocation, app.node.network);
    const madeAt = Math.floor(Date.now() / 1000);
    const what = label ? `${wish.what} · ${label}` : wish.what; // until now, or for ever
    const entry: Kept = { ...signed, what, ward: wish.ward, companies, madeAt, sent: false, queued, promise: null, node: app.node.name };
    return { entry, stored: await keep(entry) };
  }

  /** Signs and sends the rest; `before` are those that are done. */
  async function sign(revocations: Revocation[], onlySave: boolean, covers: Covers, before: Kept[] = [], stored = true) {
    const entries = [...before];
    let left = revocations;
    try {
      while (left[0]) {
        setStage({ name: "signing", k: entries.length + 1, n: before.length + revocations.length });
        const { wallet, theirs } = await ready(app, signer); // before each, the person may have chosen another account
        if (theirs !== null && entries.length === 0) return setStage({ name: "ask", chain: theirs });
        if (theirs !== null) throw new Said(t("wrong_network", { theirs: String(theirs), ours: String(app.node.network.chain_id) }));
        const made = await signOne(wallet, left[0], covers, !onlySave);
        entries.push(made.entry);
        left = left.slice(1);
        stored &&= made.stored;
        if (onlySave) continue;
        setStage({ name: "sending" });
        const sent = await deliver(app, entries.at(-1)!).catch((problem) => {
          entries.push({ ...entries.pop()!, queued: passes(problem) });
          waiting();
          throw problem;
        });
        entries.splice(-1, 1, sent); // what was sent takes the place of what was signed
      }
      if (entries.every((one) => one.promise)) changed(covers.whole);
      setStage({ name: "over", entries, left, covers, error: "", stored });
    } catch (error) {
      if (entries.length > 0) setStage({ name: "over", entries, left, covers, error: explain(error), stored });
      else if (error instanceof LyingNode) setStage({ name: "lied" });
      else setStage({ name: "ask", error: `${explain(error)} ${t("nothing_signed")}` });
    }
  }

  /** Sends what is signed and not promised yet. */
  async function submit(over: Over) {
    setStage({ name: "sending" });
    const entries = [...over.entries];
    let error = "";
    for (const [at, one] of entries.entries()) {
      if (one.promise || error) continue;
      await deliver(app, one).then(
        (after) => (entries[at] = after),
        (problem) => ((error = explain(problem)), waiting()),
      );
    }
    setStage({ ...over, entries, error });
  }

  async function onChain(revocations: Revocation[]) {
    const { registry } = app.node.network;
    const hashes: string[] = [];
    setStage({ name: "signing", k: 1, n: revocations.length });
    try {
      const { wallet, theirs } = await ready(app, signer);
      if (theirs !== null) return setStage({ name: "ask", chain: theirs });
      for (const one of revocations) {
        setStage({ name: "signing", k: hashes.length + 1, n: revocations.length });
        hashes.push(await send(wallet, signer, registry, callData(one)));
      }
      setStage({ name: "chain", hashes, error: "", left: 0 });
    } catch (error) {
      if (hashes.length === 0) setStage({ name: "ask", error: `${explain(error)} ${t("nothing_signed")}` });
      else setStage({ name: "chain", hashes, error: explain(error), left: revocations.length - hashes.length });
    }
  }
  return { stage, sign, onChain, submit };
}
