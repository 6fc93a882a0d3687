// The start: connect a wallet, open the page in a wallet app, or only look.

import { useState } from "preact/hooks";

import { t } from "../i18n.js";
import { appLinks } from "../net/wallet.js";
import { readAddress } from "../protocol/bytes.js";
import { useApp } from "./app.js";
import { PageCode } from "./codes.js";
import { Cancel, Say, explain } from "./parts.js";

export function Home() {
  return (
    <section class="home">
      <h1>{t("hello")}</h1>
      <p class="lead">{t("hello_text")}</p>
      <Wallets />
      <Look label={t("read_only")} />
      <Backup />
    </section>
  );
}

export function Wallets() {
  const app = useApp();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  if (app.wallets.length === 0) {
    return (
      <div class="panel">
        <h2>{t("no_wallet")}</h2>
        <p>{t("open_in")}</p>
        <ul class="apps">
          {appLinks(location.href).map(({ name, url }) => (
            <li key={name}>
              <a class="button" href={url} rel="noreferrer">
                {name}
              </a>
            </li>
          ))}
        </ul>
        <PageCode />
      </div>
    );
  }
  const connect = (at: number) => async () => {
    setBusy(true);
    setError("");
    await app.connect(app.wallets[at]!).catch((problem) => setError(explain(problem)));
    setBusy(false);
  };
  return (
    <div class="wallets">
      {app.wallets.map((one, at) => (
        <button type="button" class="primary" key={one.id} disabled={busy} onClick={connect(at)}>
          {one.icon && <img src={one.icon} alt="" width="24" height="24" />}
          {one.name ? t("connect", { wallet: one.name }) : t("connect_any")}
        </button>
      ))}
      <p class="quiet" role="status">
        {busy && t("connecting")}
      </p>
      {busy && <Cancel />}
      {error && <Say kind="bad">{error}</Say>}
    </div>
  );
}

/** The field for an address to look at; licenses are public. */
export function Look({ label }: { label: string }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const look = (event: Event) => {
    event.preventDefault();
    const address = readAddress(text);
    setWrong(!address);
    if (address) location.hash = `#/of/${address}`;
  };
  return (
    <form class="look" onSubmit={look}>
      <label for="look-address">{label}</label>
      <div class="row">
        <input
          id="look-address"
          value={text}
          placeholder={t("address_hint")}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={wrong}
          aria-describedby={wrong ? "look-wrong" : undefined}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit">{t("look")}</button>
      </div>
      {wrong && (
        <p class="wrong" id="look-wrong" role="alert">
          {t("bad_address")}
        </p>
      )}
    </form>
  );
}

function Backup() {
  return (
    <details>
      <summary>{t("backup")}</summary>
      <p>{t("backup_text")}</p>
    </details>
  );
}
