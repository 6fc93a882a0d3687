// The licenses that name a file. The file stays in the browser, and no wallet is needed.

import { useState } from "preact/hooks";

import { day, list, purposeText, t } from "../i18n.js";
import { foundAs } from "../net/shelf.js";
import { type Claim, claimsOn } from "../net/api.js";
import { whoTextThen } from "../company.js";
import { FileDrop, type Hashed, useReading } from "./files.js";
import { Pill, Say, explain } from "./parts.js";
import { short } from "../protocol/bytes.js";

export function LookUp() {
  const [file, setFile] = useState<Hashed | null>(null);
  const [claims, setClaims] = useState<Claim[] | null>(null);
  const [error, setError] = useState("");
  const look = ([found]: Hashed[]) => {
    setFile(found!);
    setClaims(null);
    setError("");
    void claimsOnAny(found!.item).then(setClaims, (problem) => setError(explain(problem)));
  };
  const reading = useReading(look);
  return (
    <section>
      <h1>{t("look_title")}</h1>
      <p class="lead">{t("look_text")}</p>
      <FileDrop many={false} label={t("drop")} reading={reading} />
      {error && <Say kind="bad">{error}</Say>}
      {file && (
        <p>
          <strong>{file.name}</strong>
          <br />
          <code class="long">{file.item}</code>
        </p>
      )}
      {claims?.length === 0 && (
        <Say kind="note">
          <strong>{t("no_claims")}</strong>
          <p>{t("no_claims_hint")}</p>
        </Say>
      )}
      {claims && claims.length > 0 && (
        <>
          <div role="status">
            <h2>{t("claims", { n: claims.length })}</h2>
          </div>
          {claims.map((one) => (
            <ClaimCard key={one.license} one={one} />
          ))}
        </>
      )}
    </section>
  );
}

/** The licenses of a file under its plain hash, and under the salted ones that this device knows. */
async function claimsOnAny(plain: string): Promise<Claim[]> {
  const items = new Set([plain, ...(await foundAs(plain)).map((one) => one.item)]);
  return (await Promise.all([...items].map(claimsOn))).flat();
}

function ClaimCard({ one }: { one: Claim }) {
  const gone = one.revoked_purposes.length;
  const all = gone === one.purposes.length;
  const status = all ? "revoked" : one.expires_at * 1000 < Date.now() ? "expired" : "active";
  const partly = gone > 0 ? t("partly", { k: gone, of: t("purposes_n", { n: one.purposes.length }) }) : undefined;
  const values = {
    owner: short(one.contributor),
    who: whoTextThen(one.grantee),
    purposes: list(one.purposes.map(purposeText)),
    date: day(one.expires_at),
  };
  return (
    <article class="card">
      <p class="state">
        <Pill status={status} partly={partly} />
        <span class="quiet">{one.via && t("through", { via: one.via })}</span>
      </p>
      <p class="sentence">{t("claim", values)}</p>
      <p class="actions">
        <a class="button" href={`#/license/${one.license}`}>
          {t("details")}
        </a>
      </p>
    </article>
  );
}
