// Taking back: one question with what it covers and that it is final, one signature, then the progress. The
// page keeps the signed revocation until the person closes the window, whatever the node does.

import { useState } from "preact/hooks";

import { t } from "../i18n.js";
import { ApiError, submitRevocation } from "../net/api.js";
import { chainOf, connect, send, switchChain, type Wallet, WalletError } from "../net/wallet.js";
import { same } from "../protocol/bytes.js";
import { callData } from "../protocol/calls.js";
import type { Revocation } from "../protocol/messages.js";
import { type Acknowledgement, isPromise } from "../protocol/promise.js";
import { LyingNode, type Signed, signRevocation } from "../signing.js";
import type { Wish } from "../wish.js";
import { type App, changed, useApp } from "./app.js";
import { Codes } from "./codes.js";
import { Say, Sheet, explain, short } from "./parts.js";
import { OnChain, Sent, SignedFile } from "./progress.js";

type Stage =
  | { name: "ask"; error?: string; chain?: number }
  | { name: "lied" }
  | { name: "signing" }
  | { name: "saved"; signed: Signed<Revocation> }
  | { name: "failed"; signed: Signed<Revocation>; error: string }
  | { name: "sent"; signed: Signed<Revocation>; promise: Acknowledgement | null }
  | { name: "chain"; hash: string };

/** Checks that the wallet is on this account; throws otherwise. */
async function ready(app: App, signer: string): Promise<Wallet> {
  if (!app.wallet) throw new WalletError("failed", t("no_wallet"));
  const open = await connect(app.wallet);
  if (!open || !same(open, signer)) throw new Error(t("wrong_account", { address: short(signer) }));
  return app.wallet;
}

function useTaking(wish: Wish) {
  const app = useApp();
  const [stage, setStage] = useState<Stage>({ name: "ask" });
  const { contributor } = wish.revocation;

  async function submit(signed: Signed<Revocation>) {
    setStage({ name: "signing" });
    try {
      const { acknowledgement } = await submitRevocation(signed.message, signed.signature);
      const { network, node_key } = app.node;
      const holds = acknowledgement && (await isPromise(acknowledgement, signed.digest, network, node_key));
      if (holds === false) throw new Error(t("no_promise"));
      setStage({ name: "sent", signed, promise: acknowledgement ?? null });
      changed();
    } catch (error) {
      const what = error instanceof ApiError && error.code === "unreachable" ? t("unreachable") : explain(error);
      setStage({ name: "failed", signed, error: what });
    }
  }

  async function sign(onlySave: boolean) {
    setStage({ name: "signing" });
    try {
      const wallet = await ready(app, contributor);
      const signed = await signRevocation(wallet, contributor, wish.revocation, app.node.network);
      if (onlySave) setStage({ name: "saved", signed });
      else await submit(signed);
    } catch (error) {
      setStage(error instanceof LyingNode ? { name: "lied" } : { name: "ask", error: explain(error) });
    }
  }

  async function onChain() {
    const { chain_id, registry } = app.node.network;
    setStage({ name: "signing" });
    try {
      const wallet = await ready(app, contributor);
      const chain = await chainOf(wallet);
      if (chain !== chain_id) return setStage({ name: "ask", chain });
      const hash = await send(wallet, contributor, registry, callData(wish.revocation));
      setStage({ name: "chain", hash });
    } catch (error) {
      setStage({ name: "ask", error: explain(error) });
    }
  }
  return { stage, sign, onChain, submit };
}

export function TakeBack({ wish, close }: { wish: Wish; close: () => void }) {
  const { stage, sign, onChain, submit } = useTaking(wish);
  const kept = stage.name === "sent" && stage.promise;
  const signed = kept ? t("done") : t("step_signed");
  const titles = { ask: wish.question, lied: wish.question, signing: wish.question, saved: signed, failed: signed, sent: signed, chain: t("self_chain") };
  return (
    <Sheet title={titles[stage.name]} close={close}>
      {stage.name === "ask" && (
        <Question wish={wish} error={stage.error} chain={stage.chain} sign={sign} onChain={onChain} />
      )}
      {stage.name === "lied" && <Lied />}
      {stage.name === "signing" && <p class="quiet waiting" role="status">{t("signing")}</p>}
      {stage.name === "saved" && <SignedFile signed={stage.signed} />}
      {stage.name === "failed" && (
        <>
          <Say kind="bad">
            <p>{stage.error}</p>
            <p>{t("not_taken")}</p>
          </Say>
          <SignedFile signed={stage.signed} />
          <button type="button" class="primary wide" onClick={() => submit(stage.signed)}>
            {t("again")}
          </button>
        </>
      )}
      {stage.name === "sent" && <Sent signed={stage.signed} promise={stage.promise} close={close} />}
      {stage.name === "chain" && <OnChain hash={stage.hash} close={close} />}
    </Sheet>
  );
}

/** The page signs nothing more with this node; the network's other nodes serve the same page. */
function Lied() {
  const { node } = useApp();
  const others = node.operators.filter((one) => one.url && one.node_key !== node.node_key);
  return (
    <>
      <Say kind="bad">{t("lying")}</Say>
      {others.map((one) => (
        <a class="button wide" key={one.node_key} href={`${one.url}/`} rel="noreferrer">
          {one.name}
        </a>
      ))}
    </>
  );
}

interface QuestionProps {
  wish: Wish;
  error: string | undefined;
  chain: number | undefined;
  sign: (onlySave: boolean) => void;
  onChain: () => void;
}

function Question({ wish, error, chain, sign, onChain }: QuestionProps) {
  const { revocation, permissions, licenses, ward } = wish;
  const reach = t("reaches", { n: permissions, licenses: t("found", { n: licenses }) });
  return (
    <>
      {ward && <Say kind="note">{t("for_ward", { address: short(ward) })}</Say>}
      {permissions > 0 ? <p class="reach">{reach}</p> : <Say kind="warn">{t("reaches_none")}</Say>}
      <Say kind="warn">{t(wish.warning, { via: revocation.scopes[0]?.split("via ")[1] ?? "" })}</Say>
      <p class="quiet small">{t("not_copies")}</p>
      {error && <Say kind="bad">{error}</Say>}
      {chain !== undefined && <WrongNetwork theirs={chain} />}
      <button type="button" class="danger wide" autofocus onClick={() => sign(false)}>
        {t("sign")}
      </button>
      <p class="quiet small middle">{t("free")}</p>
      <details>
        <summary>{t("wallet_shows")}</summary>
        <blockquote lang="en">
          <p>{revocation.notice}</p>
          {revocation.scopes.map((one) => (
            <p key={one}>
              <code>{one}</code>
            </p>
          ))}
          {revocation.words.length > 0 && <Numbers revocation={revocation} />}
        </blockquote>
      </details>
      <details>
        <summary>{t("other_ways")}</summary>
        <p>
          <button type="button" class="wide" onClick={onChain}>
            {t("self_chain")}
          </button>
          <span class="quiet small">{t("self_chain_hint")}</span>
        </p>
        <p>
          <button type="button" class="wide" onClick={() => sign(true)}>
            {t("save_only")}
          </button>
        </p>
        <Codes revocation={revocation} />
      </details>
    </>
  );
}

function Numbers({ revocation }: { revocation: Revocation }) {
  return (
    <ul class="numbers">
      {revocation.words.map((word, at) => (
        <li key={word}>
          <code>{word}</code>
          <br />
          <code>{revocation.masks[at]}</code>
        </li>
      ))}
    </ul>
  );
}

export function WrongNetwork({ theirs }: { theirs: number }) {
  const { node, wallet } = useApp();
  const [error, setError] = useState("");
  const ours = node.network.chain_id;
  const values = { theirs: String(theirs), ours: String(ours) };
  const change = () =>
    switchChain(wallet!, ours).then(
      () => setError(""),
      (problem) => setError(problem instanceof WalletError && problem.reason === "chain" ? t("unknown_chain", values) : explain(problem)),
    );
  return (
    <Say kind="bad">
      <p>{t("wrong_network", values)}</p>
      <button type="button" onClick={change}>
        {t("switch")}
      </button>
      {error && <p>{error}</p>}
    </Say>
  );
}
