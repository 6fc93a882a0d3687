// The progress of a revocation at nodes and on chain, and the signed file.

import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { othersOf, progressOf, submitBundle } from "../net/api.js";
import { hex, short } from "../protocol/bytes.js";
import { bundle, revocationEnvelope } from "../protocol/envelope.js";
import { type Kept, keep } from "../net/kept.js";
import { isPromise } from "../protocol/promise.js";
import { changed, saveFile, useApp } from "./app.js";
import { Icon, Say, explain, refusalText } from "./parts.js";

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
  entries: Kept[];
  close?: () => void;
}

interface Reached {
  peers: number;
  /** Other operators that store it. */
  have: number;
  block: number | null;
}

const AT_ONCE = 8; // asked about in one poll
const NOWHERE: Reached = { peers: 0, have: 0, block: null };

/** How far each of these came, asked again while it is shown. */
function useReached(entries: Kept[]) {
  const { node } = useApp();
  const others = othersOf(node);
  const [reached, setReached] = useState<Record<string, Reached>>({});
  const [made, setMade] = useState<Record<string, Kept>>({}); // a pending revocation is acknowledged once its consent arrives
  const at = useRef(0);
  const look = async (one: Kept) => {
    const progress = await progressOf(one.digest);
    const later = progress.acknowledgement;
    if (!one.promise && later && isPromise(later, one.digest, node.network, node.node_key)) {
      const after = { ...one, sent: true, promise: later, node: node.name };
      setMade((before) => ({ ...before, [one.digest]: after }));
      if (one.signature) await keep(after);
    }
    const asked = others.map((other) => progressOf(one.digest, other.url!).then((theirs) => theirs.status === "stored", () => false));
    const have = (await Promise.all(asked)).filter(Boolean).length;
    // The block is null again after a reorganisation.
    setReached((before) => ({ ...before, [one.digest]: { peers: progress.sent_to ?? 0, have, block: progress.chain_block } }));
  };
  useEvery(async () => {
    const turn = Array.from({ length: Math.min(AT_ONCE, entries.length) }, (_, step) => entries[(at.current + step) % entries.length]!);
    at.current += AT_ONCE;
    await Promise.allSettled(turn.map((one) => look(made[one.digest] ?? one)));
  });
  const all = entries.map((one) => reached[one.digest] ?? NOWHERE);
  const blocks = all.map((one) => one.block);
  return {
    now: entries.map((one) => made[one.digest] ?? one),
    others: others.length,
    peers: Math.min(...all.map((one) => one.peers)),
    have: Math.min(...all.map((one) => one.have)),
    block: blocks.some((one) => one === null) ? null : Math.max(...(blocks as number[])),
  };
}

/** The steps of signed revocations: complete only where all of them are. */
export function Steps({ entries, told }: { entries: Kept[]; told?: (now: Kept[]) => void }) {
  const { node } = useApp();
  const { now, others, peers, have, block } = useReached(entries);
  const kept = now.every((one) => one.promise);
  useEffect(() => told?.(now), [kept]);
  return (
    <>
      {kept && <p class="lead">{have === others ? t("done_text") : t("done_here", { node: node.name })}</p>}
      <div role="status">
        <ol class="steps">
          <Step done>{t("step_signed")}</Step>
          <Step done={kept}>{t(kept ? "step_kept" : "step_waits", { node: kept ? now[0]!.node : node.name })}</Step>
          <Step done={peers > 0}>{peers > 0 ? t("step_peers", { n: peers }) : t("step_no_peers")}</Step>
          {others > 0 && <Step done={have === others}>{t("step_others", { k: have, n: others })}</Step>}
          <Step done={block !== null}>{block !== null ? t("step_chain", { block }) : t("step_no_chain")}</Step>
        </ol>
      </div>
    </>
  );
}

export function Sent({ entries, close }: SentProps) {
  const [now, setNow] = useState(entries);
  return (
    <>
      <Steps entries={entries} told={setNow} />
      <SignedFile entries={now} />
      <Promises entries={now} />
      {close && (
        <button type="button" class="primary wide" onClick={close}>
          {t("finish")}
        </button>
      )}
    </>
  );
}

/** The nodes' signed promises, one file for each. */
export function Promises({ entries }: { entries: Kept[] }) {
  return (
    <>
      {entries.map(
        (one, at) =>
          one.promise && (
              <Fragment key={one.digest}>
              <button type="button" class="wide" onClick={() => saveFile("promise.json", JSON.stringify(one.promise, null, 2), "application/json")}>
                {t("save_promise", { node: one.node })}
                {entries.length > 1 && ` (${at + 1})`}
              </button>
              {one.signature && (
                <a class="button wide" href={`#/proof/${one.digest}`}>
                  {t("proof_open")}
                  {entries.length > 1 && ` (${at + 1})`}
                </a>
              )}
              </Fragment>
          ),
      )}
    </>
  );
}

/** Save the signed files as one, or submit them to another node. */
export function SignedFile({ entries }: { entries: Kept[] }) {
  const { node } = useApp();
  const [place, setPlace] = useState("");
  const [results, setResults] = useState<string[]>([]);
  const bytes = bundle(entries.map((one) => revocationEnvelope(one.message, one.signature, one.network)));
  const others = othersOf(node);
  const give = (name: string, url: string) => async () => {
    const text = await submitBundle(bytes, url).then(
      (found) => {
        const fault = found.find((one) => one.error)?.error;
        if (fault) return `${name}: ${refusalText(fault.code)}`;
        return t(found.every((one) => one.acknowledgement) ? "step_kept" : "step_waits", { node: name });
      },
      (error) => `${name}: ${explain(error)}`,
    );
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
const handInLink = (place: string, bytes: Uint8Array): string =>
  `${new URL(place).origin}/#/hand-in?bundle=${hex(bytes).slice(2)}`;

interface OnChainProps {
  hashes: string[];
  error: string;
  left: number;
  close: () => void;
}

export function OnChain({ hashes, error, left, close }: OnChainProps) {
  const { wallet } = useApp();
  const [blocks, setBlocks] = useState<Record<string, number>>({});
  const [failed, setFailed] = useState<string[]>([]);
  const known = useRef(new Set<string>());
  useEvery(async () => {
    for (const hash of hashes.filter((one) => wallet && !known.current.has(one))) {
      const asked = { method: "eth_getTransactionReceipt", params: [hash] };
      const receipt = (await wallet!.provider.request(asked)) as { blockNumber: string; status: string } | null;
      if (!receipt) continue;
      known.current.add(hash);
      if (receipt.status !== "0x1") setFailed((before) => [...before, hash]);
      else setBlocks((before) => ({ ...before, [hash]: Number(receipt.blockNumber) }));
      changed();
    }
  });
  return (
    <>
      {error && (
        <Say kind="bad" focus>
          <p>{error}</p>
          <p>{t("part_left", { k: hashes.length, n: hashes.length + left })}</p>
        </Say>
      )}
      <div role="status">
        <ol class="steps">
          {hashes.map((hash) => [
            <Step done key={hash}>{t("step_sent", { hash: short(hash) })}</Step>,
            <Step done={blocks[hash] !== undefined} key={`${hash}-block`}>
              {blocks[hash] === undefined ? t("step_no_chain") : t("step_chain", { block: blocks[hash]! })}
            </Step>,
          ])}
        </ol>
      </div>
      {failed.map((hash) => (
        <Say kind="bad" key={hash}>
          {t("chain_refused", { hash: short(hash) })}
        </Say>
      ))}
      <button type="button" class="primary wide" onClick={close}>
        {t("finish")}
      </button>
    </>
  );
}
