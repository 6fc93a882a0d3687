// Taking back: one question with what it covers and that it is final, as few signatures as possible, then the
// progress. The page keeps every signed revocation on the device, whatever the node and the window do.

import { useEffect, useMemo, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { license, othersOf } from "../net/api.js";
import { WalletError, isContract, switchChain } from "../net/wallet.js";
import { type Covered, countOf } from "../reach.js";
import { prepareRevocation } from "../signing.js";
import type { Choice, Chosen, Wish } from "../wish.js";
import { useApp } from "./app.js";
import { Codes } from "./codes.js";
import { Cancel, Say, Sheet, explain } from "./parts.js";
import { OnChain, Sent, SignedFile } from "./progress.js";
import { type Over, type Stage, useTaking } from "./taking.js";
import { Named, WalletShows } from "./wallet_shows.js";
import { short } from "../protocol/bytes.js";

function titleOf(stage: Stage, wish: Wish): string {
  if (stage.name === "chain") return t("self_chain");
  if (stage.name !== "over") return wish.question;
  if (stage.left.length > 0) return t("part_signed", { k: stage.entries.length, n: stage.entries.length + stage.left.length });
  if (stage.entries.every((one) => one.promise)) return t("done");
  return t(stage.entries.some((one) => one.sent) || stage.error ? "step_signed" : "only_saved");
}

export function TakeBack({ wish, close }: { wish: Wish; close: () => void }) {
  const { stage, sign, onChain, submit } = useTaking(wish);
  const [chosen, choose] = useState(0);
  const choice = wish.choices[chosen]!;
  const { node } = useApp();
  useMemo(() => void prepareRevocation(choice.revocations[0]!, node.network), [choice]); // before the question is drawn
  return (
    <Sheet title={titleOf(stage, wish)} stage={stage.name} close={close}>
      {stage.name === "ask" && (
        <Question
          wish={wish}
          chosen={chosen}
          choose={choose}
          error={stage.error}
          chain={stage.chain}
          sign={(onlySave) => sign(choice.revocations, onlySave, choice)}
          onChain={() => onChain(choice.revocations)}
        />
      )}
      {stage.name === "lied" && <Lied />}
      {(stage.name === "signing" || stage.name === "sending") && (
        <div class="waiting">
          <p class="quiet" role="status">
            {stage.name === "sending" ? t("sending") : t("signing")}
            {stage.name === "signing" && stage.n > 1 && ` ${t("signature_of", { k: stage.k, n: stage.n })}`}
          </p>
          {stage.name === "signing" && <Cancel />}
        </div>
      )}
      {stage.name === "over" && (
        <Ending
          over={stage}
          again={() => submit(stage)}
          goOn={() => sign(stage.left, false, stage.covers, stage.entries, stage.stored)}
          close={close}
        />
      )}
      {stage.name === "chain" && <OnChain hashes={stage.hashes} error={stage.error} left={stage.left} close={close} />}
    </Sheet>
  );
}

interface EndingProps {
  over: Over;
  again: () => void;
  goOn: () => void;
  close: () => void;
}

/** After signing: what is taken back, what is only signed, and what is left, each told as it is. */
function Ending({ over, again, goOn, close }: EndingProps) {
  const { entries, left, error, stored } = over;
  const unsent = entries.filter((one) => !one.sent);
  const whole = left.length === 0 && unsent.length === 0;
  return (
    <>
      {error && (
        <Say kind="bad" focus>
          <p>{error}</p>
          {left.length > 0 && <p>{t("part_left", { k: entries.length, n: entries.length + left.length })}</p>}
          {unsent.length > 0 && <p>{t(stored && unsent.some((one) => one.queued) ? "queued" : "not_taken")}</p>}
        </Say>
      )}
      {!error && unsent.length > 0 && <Say kind="warn">{t("only_saved_text")}</Say>}
      {!stored && <Say kind="warn">{t("not_stored")}</Say>}
      {whole && !error ? <Sent entries={entries} close={close} /> : <SignedFile entries={entries} />}
      {stored && (
        <p class="quiet small">
          <a href="#/taken">{t("taken_title")}</a>: {t("stored")}
        </p>
      )}
      {unsent.length > 0 && (
        <button type="button" class="primary wide" onClick={again}>
          {t(error ? "again" : "send_now")}
        </button>
      )}
      {left.length > 0 && (
        <button type="button" class="primary wide" onClick={goOn}>
          {t("go_on")}
        </button>
      )}
    </>
  );
}

/** The page signs nothing more with this node; the network's other nodes serve the same page. */
function Lied() {
  const { node } = useApp();
  const others = othersOf(node);
  return (
    <>
      <Say kind="bad" focus>
        {t("lying")} {t("nothing_signed")}
      </Say>
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
  chosen: number;
  choose: (at: number) => void;
  error: string | undefined;
  chain: number | undefined;
  sign: (onlySave: boolean) => void;
  onChain: () => void;
}

/** A contract wallet binds its signatures to its own chain. */
function OneChainOnly({ signer }: { signer: string }) {
  const { node, wallet } = useApp();
  const [is, setIs] = useState(false);
  useEffect(() => void (wallet && isContract(wallet.provider, signer).then(setIs)), [wallet, signer]);
  return is ? <Say kind="note">{t("one_chain_only", { chain: String(node.network.chain_id) })}</Say> : null;
}

function Question({ wish, chosen, choose, error, chain, sign, onChain }: QuestionProps) {
  const { choices, ward } = wish;
  const choice = choices[chosen]!;
  const signatures = choice.revocations.length;
  return (
    <>
      {error && (
        <Say kind="bad" focus>
          {error}
        </Say>
      )}
      {chain !== undefined && <WrongNetwork theirs={chain} />}
      {ward && <Say kind="note">{t("for_ward", { address: short(ward) })}</Say>}
      {wish.files && wish.files.length > 0 && <Files of={wish.files} />}
      {choices.length > 1 && <Choices choices={choices} chosen={chosen} choose={choose} />}
      <Reach choice={choice} />
      <Say kind="warn" id="wish-warning">
        {choice.warning}
      </Say>
      <OneChainOnly signer={choice.revocations[0]!.contributor} />
      <p class="quiet small">{t("not_copies")}</p>
      <Named revocations={choice.revocations} named={wish.named} />
      <button type="button" class="danger wide" aria-describedby="wish-reach wish-warning" onClick={() => sign(false)}>
        {t("sign")}
      </button>
      <p class="quiet small middle">{signatures > 1 ? t("signatures", { n: signatures }) : t("free")}</p>
      <WalletShows revocations={choice.revocations} named={wish.named} />
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
        {signatures === 1 && <Codes key={chosen} revocation={choice.revocations[0]!} />}
      </details>
    </>
  );
}

const FILES = 5;

/** The chosen files by their names, where this device knows them, and their short hashes. */
function Files({ of }: { of: Chosen[] }) {
  return (
    <ul>
      {of.slice(0, FILES).map(({ item, name }) => (
        <li key={item}>
          {name} <code class="quiet">{short(item)}</code>
        </li>
      ))}
      {of.length > FILES && <li class="quiet">+ {of.length - FILES}</li>}
    </ul>
  );
}

function Choices({ choices, chosen, choose }: { choices: Choice[]; chosen: number; choose: (at: number) => void }) {
  return (
    <fieldset>
      <legend>{t("how_much")}</legend>
      {choices.map((one, at) => (
        <label class="check" key={one.label}>
          <input type="radio" name="choice" checked={at === chosen} onChange={() => choose(at)} />
          {one.label}
        </label>
      ))}
    </fieldset>
  );
}

const MASKS = 8; // licenses that are asked about for one question

/** Which permissions of partly revoked licenses are gone; asked for one after another, beside what is signed. */
function useMasks(covered: Covered[]): ReadonlyMap<string, bigint[]> {
  const [known, setKnown] = useState<ReadonlyMap<string, bigint[]>>(new Map());
  useEffect(() => {
    let wanted = true;
    void (async () => {
      for (const one of covered.filter(({ gone, masks }) => gone > 0 && !masks).slice(0, MASKS)) {
        const held = await license(one.license).catch(() => null); // then the page says that it does not know
        if (!wanted) return;
        if (held) setKnown((before) => new Map([...before, [one.license, held.revoked_masks.map(BigInt)]]));
      }
    })();
    return () => {
      wanted = false;
    };
  }, [covered]);
  return known;
}

function Reach({ choice }: { choice: Choice }) {
  const known = useMasks(choice.covered);
  const { files, purposes, licenses, unsure } = useMemo(() => countOf(choice.covered, known), [choice, known]);
  return (
    <div id="wish-reach">
      {licenses > 0 ? (
        <p class="reach">
          {t("reaches", { files: t("files", { n: files }), purposes: t("purposes_n", { n: purposes }), licenses: t("found", { n: licenses }) })}
          {unsure && ` ${t("reaches_unsure")}`}
        </p>
      ) : (
        <Say kind="warn">{t("reaches_none")}</Say>
      )}
    </div>
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
    <Say kind="bad" focus>
      <p>{t("wrong_network", values)}</p>
      <button type="button" onClick={change}>
        {t("switch")}
      </button>
      {error && <p>{error}</p>}
    </Say>
  );
}
