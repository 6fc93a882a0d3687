// Submission of a signed file that was saved, or that another node's page made. It needs no wallet.

import { useEffect, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { type Result, submitBundle } from "../net/api.js";
import { short, unhex } from "../protocol/bytes.js";
import { changed, useApp } from "./app.js";
import { Say, explain, refusalText } from "./parts.js";

export function HandIn({ query }: { query: URLSearchParams }) {
  const [results, setResults] = useState<Result[]>([]);
  const [error, setError] = useState("");
  const brought = query.get("bundle") ?? "";
  async function give(bytes: Uint8Array) {
    setError("");
    try {
      setResults(await submitBundle(bytes));
      changed();
    } catch (problem) {
      setError(explain(problem));
    }
  }
  useEffect(() => {
    if (/^([0-9a-f]{2})+$/.test(brought)) void give(unhex("0x" + brought));
  }, [brought]);
  const read = async (file: File | undefined) => file && give(new Uint8Array(await file.arrayBuffer()));
  const taken = results.filter((one) => one.status !== "refused");
  return (
    <section>
      <h1>{t("hand_title")}</h1>
      <p class="lead">{t("hand_text")}</p>
      <div class="drop">
        <label class="button">
          {t("choose")}
          <input class="unseen" type="file" onChange={(event) => read(event.currentTarget.files?.[0])} />
        </label>
      </div>
      {error && <Say kind="bad">{error}</Say>}
      {taken.length > 0 && <Say kind="good">{t("hand_done", { n: taken.length })}</Say>}
      <div role="status">
      <ul class="items">
        {results.map((one, at) => (
          <Told key={at} one={one} />
        ))}
      </ul>
      </div>
    </section>
  );
}

function Told({ one }: { one: Result }) {
  const { node } = useApp();
  const word = one.error ? refusalText(one.error.code) : one.status === "pending" ? t("step_waits", { node: node.name }) : "";
  return (
    <li>
      <code>{one.digest && short(one.digest)}</code> {one.acknowledgement ? t("step_kept", { node: node.name }) : word}
    </li>
  );
}
