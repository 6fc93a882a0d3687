// A node that does not answer is a banner, not a wall: the page shows what the device keeps, and what the person signs
// waits on the device. Nothing is taken back until a node has it, and the page says so.

import { useEffect, useRef, useState } from "preact/hooks";

import { day, t } from "../i18n.js";
import { type NodeInfo, lastNode, nodeInfo } from "../net/api.js";
import { learnNames } from "../company.js";
import { allKept, keep } from "../net/kept.js";
import type { App } from "./app.js";
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

/** Sends what waits on this device, when the page opens and whenever the node answers again; returns how many were taken. */
export function useQueue(app: Pick<App, "node"> | null, down: boolean): number {
  const [sent, setSent] = useState(0);
  const busy = useRef(false);
  useEffect(() => {
    if (!app || down || busy.current) return;
    busy.current = true;
    void (async () => {
      for (const one of await allKept()) {
        if (!one.queued || one.sent) continue;
        await deliver(app, one).then(
          async (after) => (await keep({ ...after, queued: false }), setSent((before) => before + 1)),
          () => undefined, // it goes on waiting, and the list of take-backs says so
        );
      }
      busy.current = false;
    })();
  }, [app?.node.node_key, down]);
  return sent;
}

export function Banner({ node, down, sent, again }: { node: NodeInfo; down: boolean; sent: number; again: () => void }) {
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
  if (sent === 0) return null;
  return (
    <div class="banner" role="status">
      <Say kind="good">{t("queue_sent", { n: sent })}</Say>
    </div>
  );
}
