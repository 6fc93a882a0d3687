// The proof of a revocation on one sheet of paper, in the person's language and in English, and a letter to the
// company that asks to confirm the removal. The code carries the node's signed promise.

import { useEffect, useState } from "preact/hooks";

import { day, english, language, t } from "../i18n.js";
import { whoText } from "../company.js";
import { type Kept, allKept } from "../net/kept.js";
import { NOBODY, same } from "../protocol/bytes.js";
import { type Acknowledgement, proofText } from "../protocol/promise.js";
import { Drawing } from "./codes.js";
import { Back, Copy, Loading, Say, Share } from "./parts.js";

const COMPANIES = 4; // as many as one sheet has room for

type Promised = Kept & { promise: Acknowledgement };

export function Proof({ digest }: { digest: string }) {
  const [kept, setKept] = useState<Kept | null | undefined>(undefined);
  useEffect(() => void allKept().then((all) => setKept(all.find((one) => one.digest === digest) ?? null)), [digest]);
  if (kept === undefined) return <Loading />;
  return (
    <section>
      <p class="back">
        <Back to="#/taken" />
      </p>
      {kept?.promise ? (
        <>
          <Sheet kept={kept as Promised} />
          <button type="button" class="primary wide unprinted" onClick={() => window.print()}>
            {t("print")}
          </button>
          <Letter kept={kept as Promised} />
        </>
      ) : (
        <>
          <h1>{t("proof_title")}</h1>
          <Say kind="note">{t("proof_none")}</Say>
        </>
      )}
    </section>
  );
}

/** Where anybody verifies the promise; what follows the # is sent to no server. */
const linkOf = (kept: Promised): string => `${location.origin}/verify#${proofText(kept.promise)}`;

function Sheet({ kept }: { kept: Promised }) {
  const { message, promise, digest, node, madeAt, what, companies = [] } = kept;
  const { block, network } = promise;
  const place = { node, block: String(block.number), chain: String(network.chain_id), address: message.contributor };
  return (
    <article class="sheet">
      <h1>
        {t("proof_title")}
        {language !== "en" && <span class="quiet"> · <span lang="en">{english("proof_title")}</span></span>}
      </h1>
      <p>{t("proof_sentence", { ...place, date: day(madeAt) })}</p>
      {language !== "en" && <p lang="en" class="quiet">{english("proof_sentence", { ...place, date: day(madeAt, "en") })}</p>}
      <p>
        <strong dir="auto">{what}</strong>
        {message.scopes.map((one) => (
          <code class="long named" key={one}>{one}</code>
        ))}
      </p>
      {companies.length > 0 && (
        <p class="companies">
          {t("proof_companies")}: {companies.slice(0, COMPANIES).map((one) => whoText(one, true)).join("; ")}
          {companies.length > COMPANIES && ` + ${companies.length - COMPANIES}`}
        </p>
      )}
      <p>{t("proof_promise", { ...place, date: day(promise.time) })}</p>
      {language !== "en" && <p lang="en" class="quiet">{english("proof_promise", { ...place, date: day(promise.time, "en") })}</p>}
      <dl class="answers">
        {(["proof_reference", "proof_key"] as const).map((key) => (
          <div key={key}>
            <dt>
              {t(key)}
              {language !== "en" && <span class="quiet"> · <span lang="en">{english(key)}</span></span>}
            </dt>
            <dd>
              <code class="long">{key === "proof_key" ? promise.node_key : digest}</code>
            </dd>
          </div>
        ))}
      </dl>
      <Drawing link={linkOf(kept)} label={t("proof_scan")} />
      {language !== "en" && <p lang="en" class="quiet middle">{english("proof_scan")}</p>}
    </article>
  );
}

function Letter({ kept }: { kept: Promised }) {
  const companies = kept.companies ?? [];
  const [to, setTo] = useState(companies[0] ?? "");
  const values = { reference: kept.digest, link: linkOf(kept) };
  const head = to && !same(to, NOBODY) ? `${t("letter_to", { who: whoText(to, true) })}\n\n` : "";
  const texts = [head + t("letter_text", { ...values, date: day(kept.madeAt) })];
  if (language !== "en") texts.push(english("letter_text", { ...values, date: day(kept.madeAt, "en") }));
  const text = texts.join("\n\n");
  return (
    <section class="unprinted">
      {companies.length > 1 && (
        <label>
          <span>{t("letter_for")}</span>
          <select value={to} onChange={(event) => setTo(event.currentTarget.value)}>
            {companies.map((one) => (
              <option key={one} value={one}>
                {whoText(one)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        <span>{t("letter")}</span>
        <textarea rows={9} readOnly value={text} />
      </label>
      <p class="actions">
        <Share what={{ text }} label="letter_send" />
        <Copy text={text} label="letter_copy" />
      </p>
    </section>
  );
}
