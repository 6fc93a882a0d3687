// The progress of a revocation at nodes and on chain, and the signed file.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { type Result, progressOf, submitBundle } from "../net/api.js";
import { hex } from "../protocol/bytes.js";
import { bundle, revocationEnvelope } from "../protocol/envelope.js";
import { type Acknowledgement, isPromise } from "../protocol/promise.js";
import type { Revocation } from "../protocol/messages.js";
import type { Signed } from "../signing.js";
import { changed, saveFile, useApp } from "./app.js";
import { Icon, Say, explain, short } from "./parts.js";

const EVERY_MS = 2_000;
export const BUNDLE = "application/octet-stream";

/** Poll while the window is open. */
function useEvery(look: () => Promise<void>): void {
  useEffect(() => {
    let timer = 0;
    let wanted = true;
    const run = () =>
      void look()
        .catch(() => undefined) // the next poll asks again
        .then(() => {
          if (wanted) timer = window.setTimeout(run, EVERY_MS);
        });
    run();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, []);
}

function Step({ done, children }: { done: boolean; children: ComponentChildren }) {
  return (
    <li class={done ? "is-done" : ""}>
      <Icon name={done ? "good" : "wait"} />
      <span>{children}</span>
    </li>
  );
}

interface SentProps {
  signed: Signed<Revocation>;
  promise: Acknowledgement | null;
  close: () => void;
}

export function Sent({ signed, promise, close }: SentProps) {
  const { node } = useApp();
  const others = node.operators.filter((one) => one.url && one.node_key !== node.node_key);
  const [peers, setPeers] = useState(0);
  const [have, setHave] = useState(0);
  const [block, setBlock] = useState<number | null>(null);
  const [made, setMade] = useState(promise); // also later: a pending revocation is acknowledged once its consent arrives
  const kept = made !== null;
  useEvery(async () => {
    const progress = await progressOf(signed.digest);
    setPeers(progress.sent_to ?? 0);
    const later = progress.acknowledgement;
    if (later && (await isPromise(later, signed.digest, node.network, node.node_key))) setMade(later);
    setBlock(progress.chain_block); // null again after a reorganisation
    const asked = others.map((one) => progressOf(signed.digest, one.url!).then((theirs) => theirs.status === "stored", () => false));
    setHave((await Promise.all(asked)).filter(Boolean).length);
  });
  return (
    <>
      {kept && <p class="lead">{t("done_text")}</p>}
      <div role="status">
      <ol class="steps">
        <Step done>{t("step_signed")}</Step>
        <Step done={kept}>{t(kept ? "step_kept" : "step_waits", { node: node.name })}</Step>
        <Step done={peers > 0}>{peers > 0 ? t("step_peers", { n: peers }) : t("step_no_peers")}</Step>
        {others.length > 0 && <Step done={have > 0}>{t("step_others", { k: have, n: others.length })}</Step>}
        <Step done={block !== null}>{block !== null ? t("step_chain", { block }) : t("step_no_chain")}</Step>
      </ol>
      </div>
      <SignedFile signed={signed} />
      {made && (
        <button type="button" class="wide" onClick={() => saveFile("promise.json", JSON.stringify(made, null, 2), "application/json")}>
          {t("save_promise", { node: node.name })}
        </button>
      )}
      <button type="button" class="primary wide" onClick={close}>
        {t("finish")}
      </button>
    </>
  );
}

/** Save the signed file, or submit it to another node. */
export function SignedFile({ signed }: { signed: Signed<Revocation> }) {
  const { node } = useApp();
  const [place, setPlace] = useState("");
  const [results, setResults] = useState<string[]>([]);
  const bytes = bundle([revocationEnvelope(signed.message, signed.signature)]);
  const others = node.operators.filter((one) => one.url && one.node_key !== node.node_key);
  const give = (name: string, url: string) => async () => {
    const [result] = await submitBundle(bytes, url).catch((error) => [{ status: "refused", error: { message: explain(error) } } as Result]);
    const text = result?.acknowledgement ? t("step_kept", { node: name }) : `${name}: ${result?.error?.message ?? t("step_waits", { node: name })}`;
    setResults((before) => [...before, text]);
  };
  return (
    <div class="file">
      <button type="button" class="wide" onClick={() => saveFile("take-back.sayso", bytes, BUNDLE)}>
        {t("save")}
      </button>
      <p class="quiet small">{t("save_hint")}</p>
      <details>
        <summary>{t("elsewhere")}</summary>
        {others.map((one) => (
          <button type="button" class="wide" key={one.node_key} onClick={give(one.name, one.url!)}>
            {one.name}
          </button>
        ))}
        {results.map((one, at) => (
          <p key={at} role="status">{one}</p>
        ))}
        <label>
          <span>{t("elsewhere_hint")}</span>
          <input type="url" value={place} onInput={(event) => setPlace(event.currentTarget.value.trim())} />
        </label>
        {/^https?:\/\/[^/]+/.test(place) && (
          <a class="button wide" href={handInLink(place, bytes)} target="_blank" rel="noreferrer">
            {t("open_there")}
          </a>
        )}
      </details>
    </div>
  );
}

/** The page of another node with the signed message behind `#`, which browsers send to no server. */
export const handInLink = (place: string, bytes: Uint8Array): string =>
  `${new URL(place).origin}/#/hand-in?bundle=${hex(bytes).slice(2)}`;

export function OnChain({ hash, close }: { hash: string; close: () => void }) {
  const { wallet } = useApp();
  const [block, setBlock] = useState<number | null>(null);
  const [failed, setFailed] = useState(false);
  useEvery(async () => {
    if (!wallet || block !== null) return;
    const asked = { method: "eth_getTransactionReceipt", params: [hash] };
    const receipt = (await wallet.provider.request(asked)) as { blockNumber: string; status: string } | null;
    if (!receipt) return;
    setFailed(receipt.status !== "0x1");
    setBlock(Number(receipt.blockNumber));
    changed();
  });
  return (
    <>
      <div role="status">
      <ol class="steps">
        <Step done>{t("step_sent", { hash: short(hash) })}</Step>
        <Step done={block !== null && !failed}>{block === null ? t("step_no_chain") : t("step_chain", { block })}</Step>
      </ol>
      </div>
      {failed && <Say kind="bad">{t("went_wrong", { why: hash })}</Say>}
      <button type="button" class="primary wide" onClick={close}>
        {t("finish")}
      </button>
    </>
  );
}
