// QR codes of EIP-681 requests, for a wallet on another phone.

import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../i18n.js";
import { short } from "../protocol/bytes.js";
import { paymentLinks } from "../protocol/calls.js";
import type { Revocation } from "../protocol/messages.js";
import { useApp } from "./app.js";

interface Code {
  link: string;
  size: number;
  path: string;
}

/** The dark modules as one SVG path. */
async function draw(link: string): Promise<Code> {
  const { encode } = await import("uqr");
  const { data, size } = encode(link, { border: 2 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return { link, size, path };
}

/** This page for a phone with a wallet, for whoever reads it at a desk. */
export function PageCode() {
  const [code, setCode] = useState<Code | null>(null);
  const show = async () => setCode(await draw(location.href));
  if (!code) {
    return (
      <button type="button" class="wide" onClick={show}>
        {t("page_code")}
      </button>
    );
  }
  return <Drawn code={code} label={t("page_code_hint")} />;
}

/** A code that is drawn at once. */
export function Drawing({ link, label }: { link: string; label: string }) {
  const [code, setCode] = useState<Code | null>(null);
  useEffect(() => void draw(link).then(setCode), [link]);
  return code && <Drawn code={code} label={label} />;
}

function Drawn({ code, label, alone }: { code: Code; label: string; alone?: boolean }) {
  const { link, size, path } = code;
  return (
    <figure class="code">
      <a href={link}>
        <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} data-link={link}>
          <rect width={size} height={size} fill="#fff" />
          <path d={path} fill="#000" />
        </svg>
      </a>
      {!alone && <figcaption class="quiet">{label}</figcaption>}
    </figure>
  );
}

export function Codes({ revocation }: { revocation: Revocation }) {
  const { node } = useApp();
  const [codes, setCodes] = useState<Code[]>([]);
  const first = useRef<HTMLParagraphElement>(null);
  useEffect(() => first.current?.scrollIntoView({ block: "start" }), [codes]);
  const { registry, chain_id } = node.network;
  const show = async () => setCodes(await Promise.all(paymentLinks(revocation, registry, chain_id).map(draw)));
  if (codes.length === 0) {
    return (
      <p>
        <button type="button" class="wide" onClick={show}>
          {t("qr")}
        </button>
      </p>
    );
  }
  return (
    <>
      <p ref={first}>{t("qr_hint", { address: short(revocation.contributor) })}</p>
      {codes.map((code, at) => (
        <Drawn key={code.link} code={code} label={t("qr_part", { k: at + 1, n: codes.length })} alone={codes.length === 1} />
      ))}
    </>
  );
}
