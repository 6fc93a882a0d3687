// A node that does not answer is a banner, not a wall: the page shows what the device keeps, and what the person signs
// waits on the device. Nothing is taken back until a node has it, and the page says so.

import { useEffect, useRef, useState } from "preact/hooks";

import { day, t } from "../i18n.js";
import { type NodeInfo, lastNode, nodeInfo, passes } from "../net/api.js";
import { learnNames } from "../company.js";
import { sendGrant, unsentGrants } from "../net/grants.js";
import { allKept } from "../net/kept.js";
import { type App, changed, useWaiting } from "./app.js";
import { Operators, Say, explain } from "./parts.js";
import { deliver } from "./taking.js";

const AGAIN_MS = 5_000;

/** The node: as it answers now, else as it last answered on this device, which is then known to be down. */
export function useNode() {
  const [node, setNode] = useState<NodeInfo | null>(null);
  const [down, setDown] = useState(false);
  const [error, setError] = useState("");
  const look = async () => {
    try {
      setNode(await nodeInfo());
      setDown(false);
      setError("");
    } catch (problem) {
      const last = lastNode();
      if (last) {
        learnNames(last);
        setNode((before) => before ?? last);
        setDown(true);
      }
      setError(explain(problem));
    }
  };
  useEffect(() => void look(), []);
  useWaiting(() => void look()); // it may be down
  useEffect(() => {
    if (!down) return;
    const timer = window.setInterval(() => void look(), AGAIN_MS);
    const heard = () => void look();
    window.addEventListener("online", heard);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", heard);
    };
  }, [down]);
  return { node, down, error, look };
}

interface Delivered {
  takeBacks: number;
  grants: number;
}

/** Sends what waits on this device; returns what was taken, whether something has to wait longer, and whether something was refused. */
async function sendAll(app: Pick<App, "node">): Promise<Delivered & { more: boolean; refused: boolean }> {
  const found = { takeBacks: 0, grants: 0, more: false, refused: false };
  // What is refused for good says so in its list.
  const failed = (problem: unknown) => void (passes(problem) ? (found.more = true) : (found.refused = true));
  for (const one of await allKept()) {
    if (one.queued && !one.sent) await deliver(app, one).then(() => found.takeBacks++, failed);
  }
  for (const one of await unsentGrants()) {
    if (!one.refused) await sendGrant(one).then(() => found.grants++, failed);
  }
  return found;
}

/** Sends what waits when the page opens, when the node answers again, and from time to time; returns how many were taken. */
export function useQueue(app: Pick<App, "node"> | null, down: boolean): Delivered {
  const [sent, setSent] = useState<Delivered>({ takeBacks: 0, grants: 0 });
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((last) => last + 1);
  const missed = useRef(false); // whether the node did not answer, so that what is shown may be old
  useWaiting(() => ((missed.current = true), again()));
  useEffect(() => {
    missed.current ||= down;
    if (!app || down) return;
    let timer = 0;
    let wanted = true;
    void sendAll(app).then(({ takeBacks, grants, more, refused }) => {
      if (takeBacks + grants > 0) {
        setSent((before) => ({ takeBacks: before.takeBacks + takeBacks, grants: before.grants + grants }));
      }
      if (refused || (missed.current && !more)) changed(); // also where another tab has sent what waited
      missed.current &&= more;
      if (more && wanted) timer = window.setTimeout(again, AGAIN_MS);
    });
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [app?.node.node_key, down, turn]);
  return sent;
}

export function Banner({ node, down, sent, again }: { node: NodeInfo; down: boolean; sent: Delivered; again: () => void }) {
  if (down) {
    return (
      <div class="banner" role="status">
        <Say kind="warn">
          <p>{t("down", { date: day(node.time) })}</p>
          <button type="button" onClick={again}>
            {t("again")}
          </button>
          <Operators />
        </Say>
      </div>
    );
  }
  if (sent.takeBacks + sent.grants === 0) return null;
  return (
    <div class="banner" role="status">
      <Say kind="good">
        {sent.takeBacks > 0 && <p>{t("queue_sent", { n: sent.takeBacks })}</p>}
        {sent.grants > 0 && <p>{t("queue_granted", { n: sent.grants })}</p>}
      </Say>
    </div>
  );
}
