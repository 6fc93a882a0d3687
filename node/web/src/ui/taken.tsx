// My take-backs: what this device keeps, and what the node knows of the same signer, each with its progress.

import { useEffect, useState } from "preact/hooks";

import { day, t } from "../i18n.js";
import { type Revoked, revocationsOf } from "../net/api.js";
import { type Kept, allKept } from "../net/kept.js";
import { same, short } from "../protocol/bytes.js";
import { bundle } from "../protocol/envelope.js";
import type { Revocation } from "../protocol/messages.js";
import { saveFile, useApp, useChanges, waiting } from "./app.js";
import { Wallets } from "./home.js";
import { Back, Loading, Say, Trouble, explain } from "./parts.js";
import { BUNDLE, Promises, Sent, SignedFile, Steps } from "./progress.js";
import { meaningOf } from "../wish.js";
import { deliver } from "./taking.js";

const PAGE = 10;

/** An entry of the list: kept here, known to the node, or both. */
export interface Taken {
  digest: string;
  message: Revocation;
  /** Seconds since the epoch. */
  at: number;
  kept: Kept | null;
  known: Revoked | null;
}

export function merged(kept: Kept[], known: Revoked[]): Taken[] {
  const found = new Map<string, Taken>();
  for (const one of known) found.set(one.digest, { digest: one.digest, message: one.revocation, at: one.arrived_at, kept: null, known: one });
  for (const one of kept) {
    const both = found.get(one.digest)?.known ?? null;
    found.set(one.digest, { digest: one.digest, message: one.message, at: one.madeAt, kept: one, known: both });
  }
  return [...found.values()].sort((one, other) => other.at - one.at);
}

/** What a revocation takes back, in words. */
function whatOf({ message, kept }: Taken): string {
  if (kept) return kept.what;
  const [scope] = message.scopes;
  return (scope && meaningOf(scope)) || t("what_parts");
}

function useTaken(address: string | null) {
  const { node } = useApp();
  const [taken, setTaken] = useState<Taken[] | null>(null);
  const [error, setError] = useState("");
  const look = async () => {
    const kept = (await allKept()).filter((one) => !address || same(one.message.contributor, address));
    setTaken((before) => before ?? (kept.length > 0 ? merged(kept, []) : null)); // at once, whatever the node does
    try {
      setTaken(merged(kept, address ? await revocationsOf(address, node.network) : []));
      setError("");
    } catch (problem) {
      setTaken(merged(kept, []));
      setError(explain(problem));
    }
  };
  useEffect(() => void look(), [address]);
  useChanges(() => void look(), [address]);
  return { taken, error, look };
}

export function MyTaken() {
  const { address } = useApp();
  const { taken, error, look } = useTaken(address);
  const [shown, setShown] = useState(PAGE);
  return (
    <section>
      <p class="back">
        <Back to="#/" />
      </p>
      <h1>{t("taken_title")}</h1>
      <p class="lead">{t("taken_text")}</p>
      {!address && <Wallets />}
      {error && <Trouble error={error} again={() => void look()} />}
      {!taken && !error && <Loading />}
      {taken?.length === 0 && <Say kind="note">{t("taken_none")}</Say>}
      {taken?.slice(0, shown).map((one) => <TakenCard key={one.digest} one={one} />)}
      {taken && taken.length > shown && (
        <button type="button" class="wide" onClick={() => setShown(shown + PAGE)}>
          {t("more", { n: Math.min(PAGE, taken.length - shown) })}
        </button>
      )}
    </section>
  );
}

export function TakenCard({ one }: { one: Taken }) {
  const { kept, known } = one;
  return (
    <article class="card" data-digest={one.digest}>
      <h2 dir="auto">{whatOf(one)}</h2>
      <p class="quiet small">
        {t("signed_on", { date: day(one.at) })}
        {kept?.ward && ` · ${t("for_ward", { address: short(kept.ward) })}`}
      </p>
      {kept ? <KeptOne kept={kept} /> : known && <KnownOne known={known} />}
    </article>
  );
}

/** It is sent again if nobody promised it, because a node may have lost it or never got it. */
function KeptOne({ kept }: { kept: Kept }) {
  const app = useApp();
  const [error, setError] = useState("");
  if (kept.promise) return <Sent entries={[kept]} />;
  const send = () => deliver(app, kept).then(() => setError(""), (problem) => (setError(explain(problem)), waiting()));
  return (
    <>
      {kept.sent ? <Steps entries={[kept]} /> : <Say kind="warn">{t(kept.queued ? "queued" : "only_saved_text")}</Say>}
      {error && <Say kind="bad" focus>{error}</Say>}
      <button type="button" class="primary wide" onClick={send}>
        {t(kept.sent ? "again" : "send_now")}
      </button>
      <SignedFile entries={[kept]} />
    </>
  );
}

/** Signed on another device: the node has the signed file, and signs its promise when it is asked. */
function KnownOne({ known }: { known: Revoked }) {
  const { node } = useApp();
  const file = () => bundle([Uint8Array.from(atob(known.envelope), (char) => char.charCodeAt(0))]);
  const entry: Kept = { digest: known.digest, message: known.revocation, network: { ...node.network, chain_id: known.chain_id }, signature: "", what: "", ward: "", madeAt: known.arrived_at, sent: true, promise: null, node: node.name };
  const [now, setNow] = useState([entry]);
  return (
    <>
      <Steps entries={[entry]} told={setNow} />
      <button type="button" class="wide" onClick={() => saveFile("take-back.sayso", file(), BUNDLE)}>
        {t("save")}
      </button>
      <Promises entries={now} />
    </>
  );
}
