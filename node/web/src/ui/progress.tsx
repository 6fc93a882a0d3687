// What becomes of a revocation, as far as nodes and chain tell; and the signed file, which needs neither.

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

/** Ask again and again while the window is open. */
function useEvery(look: () => Promise<void>): void {
  useEffect(() => {
    let timer = 0;
    let wanted = true;
    const run = () =>
      void look()
        .catch(() => undefined) // it is asked for again
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
  const [made, setMade] = useState(promise); // also later: what waits is kept once its consent has come
  const kept = made !== null;
  useEvery(async () => {
    const told = await progressOf(signed.digest);
    setPeers(told.sent_to ?? 0);
    const later = told.acknowledgement;
    if (later && (await isPromise(later, signed.digest, node.network, node.node_key))) setMade(later);
    setBlock(told.chain_block); // none again, should a reorganisation drop it
    const asked = others.map((one) => progressOf(signed.digest, one.url!).then((said) => said.status === "stored", () => false));
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

/** Keep what was signed, or take it to a node that this one cannot keep it from. */
export function SignedFile({ signed }: { signed: Signed<Revocation> }) {
  const { node } = useApp();
  const [place, setPlace] = useState("");
  const [said, setSaid] = useState<string[]>([]);
  const bytes = bundle([revocationEnvelope(signed.message, signed.signature)]);
  const others = node.operators.filter((one) => one.url && one.node_key !== node.node_key);
  const give = (name: string, url: string) => async () => {
    const [result] = await submitBundle(bytes, url).catch((error) => [{ status: "refused", error: { message: explain(error) } } as Result]);
    const word = result?.acknowledgement ? t("step_kept", { node: name }) : `${name}: ${result?.error?.message ?? t("step_waits", { node: name })}`;
    setSaid((before) => [...before, word]);
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
        {said.map((one, at) => (
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

/** The page of another node with the signed message behind `#`, which no server on the way is told. */
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
