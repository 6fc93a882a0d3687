// The whole page: header, views, and the connected wallet.

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { DRAFTS, type Key, LANGUAGES, type Language, language, preferred, t, use } from "./i18n.js";
import { NODE, askEarly, firstLicenses } from "./net/api.js";
import { type Wallet, connect, findWallets, lastAccount, lastWallet, remember } from "./net/wallet.js";
import { checksummed, readAddress, short } from "./protocol/bytes.js";
import { Allow } from "./ui/allowing/allow.js";
import { AppContext, useApp, useRoute } from "./ui/app.js";
import { Banner, useNode, useQueue } from "./ui/down.js";
import { Details } from "./ui/details.js";
import { Guardian } from "./ui/guarding.js";
import { HandIn } from "./ui/handin.js";
import { Home } from "./ui/home.js";
import { Licenses } from "./ui/licenses.js";
import { LookUp } from "./ui/lookup.js";
import { Boundary, Copy, Loading, Operators, Trouble } from "./ui/parts.js";
import { Proof } from "./ui/proof.js";
import { MyTaken } from "./ui/taken.js";
import { Where } from "./ui/tracing/trace.js";

function Page() {
  const { node, down, error, look } = useNode();
  const [, setLanguage] = useState<Language>(language);
  const { accounts, account, setAccount, ...held } = useWallet();
  const { path, query } = useRoute();
  const pasted = readAddress(/^\/of\/(0x[0-9a-fA-F]{40})$/.exec(path)?.[1] ?? "");

  const sent = useQueue(node ? { node } : null, down);
  const choose = (name: Language) => use(name, true).then(() => setLanguage(name));

  usePlace(path);
  if (!node) return <Waiting error={error} again={() => void look()} />;
  const { wallets, wallet, open, close } = held;
  const app = { node, wallets, wallet, accounts, account, choose: setAccount, address: pasted ?? account, connect: open, disconnect: close };
  return (
    <AppContext.Provider value={app}>
      <a class="skip" href="#content" onClick={skip}>
        {t("skip")}
      </a>
      <Header path={path} choose={choose} />
      <main id="content" tabIndex={-1}>
        <Banner node={node} down={down} sent={sent} again={() => void look()} />
        <Boundary key={path}>
          <Place path={path} query={query} />
        </Boundary>
      </main>
      <footer class="quiet">
        {t("node", { name: node.name })} · <a href="#/taken">{t("taken_title")}</a> · <a href="#/hand-in">{t("hand_title")}</a>
      </footer>
    </AppContext.Provider>
  );
}

function skip(event: Event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

/** Each view has a title of its own, begins at its top, and takes the focus from the link that led to it. */
function usePlace(path: string) {
  const first = useRef(true);
  useEffect(() => {
    document.title = `${nameOf(path)} · Sayso`;
  }, [path, language]);
  useEffect(() => {
    if (!first.current) {
      window.scrollTo(0, 0);
      document.getElementById("content")?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [path]);
}

function nameOf(path: string): string {
  const names: Record<string, Key> = { "/allow": "give_title", "/look": "look_title", "/hand-in": "hand_title", "/taken": "taken_title", "/guardian": "guard_title" };
  if (path.startsWith("/license/")) return t("license");
  if (path.startsWith("/proof/")) return t("proof_title");
  if (path.startsWith("/trace/")) return t("tr_title");
  return t(names[path] ?? "nav_mine");
}

/** The open wallet; a wallet that was connected before connects again without a question. */
function useWallet() {
  const [wallets, setWallets] = useState<Wallet[]>([]);
  const [wallet, setWallet] = useState<Wallet | null>(null);
  const [accounts, setAccounts] = useState<string[]>([]);
  const [account, setAccount] = useState<string | null>(null);
  const take = (found: string[]) => {
    setAccounts(found);
    setAccount((now) => (now && found.includes(now) ? now : (found[0] ?? null)));
  };
  useEffect(() => findWallets(setWallets), []);
  useEffect(() => {
    const known = wallets.find((one) => one.id === lastWallet());
    if (!known || wallet) return;
    connect(known, true).then(
      (found) => found.length > 0 && (setWallet(known), take(found)),
      () => undefined, // it is locked; the person can connect it later
    );
  }, [wallets]);
  useEffect(() => {
    // The wallet's own choice of another account is followed.
    const heard = (found: string[]) => (setAccounts(found.map(checksummed)), setAccount(found[0] ? checksummed(found[0]) : null));
    wallet?.provider.on?.("accountsChanged", heard as (value: never) => void);
  }, [wallet]);
  const open = async (chosen: Wallet) => {
    const found = await connect(chosen);
    setWallet(chosen);
    take(found);
  };
  const close = () => {
    remember("", "");
    setWallet(null);
    take([]);
  };
  return { wallets, wallet, accounts, account, setAccount, open, close };
}

function Waiting({ error, again }: { error: string; again: () => void }) {
  return (
    <main>
      <header class="top">
        <span class="brand">sayso</span>
      </header>
      <h1 class="unseen">{t("title")}</h1>
      {error ? (
        <Trouble error={error} again={again} />
      ) : (
        <>
          <Loading />
          <Operators />
        </>
      )}
    </main>
  );
}

function Header({ path, choose }: { path: string; choose: (name: Language) => void }) {
  const { account } = useApp();
  const places = [
    ["/", t("nav_mine"), path === "/" || path.startsWith("/of/") || /^\/(license|trace)\//.test(path) || path === "/taken"],
    ["/allow", t("nav_give"), path === "/allow"],
    ["/look", t("nav_look"), path === "/look"],
  ] as const;
  return (
    <header class="top">
      <a class="brand" href="#/">
        sayso
      </a>
      <select aria-label={t("language")} value={language} onChange={(event) => choose(event.currentTarget.value as Language)}>
        {Object.entries(LANGUAGES).map(([name, own]) => (
          <option key={name} value={name} lang={name}>
            {own}
          </option>
        ))}
      </select>
      {account && <Account account={account} />}
      <nav aria-label={t("title")}>
        {places.map(([to, name, here]) => (
          <a key={to} href={`#${to}`} aria-current={here ? "page" : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <Draft choose={choose} />
    </header>
  );
}

/** The address in full, to be copied; another account; and the way out, which no single tap takes by accident. */
function Account({ account }: { account: string }) {
  const { accounts, choose, disconnect } = useApp();
  return (
    <details class="account" key={account}>
      <summary>
        <span class="unseen">{t("account")} </span>
        {short(account)}
      </summary>
      <div class="panel">
        <p>
          <code>{account}</code>
        </p>
        <Copy wide text={account} label="copy" />
        {accounts.length > 1 && (
          <label>
            <span>{t("account")}</span>
            <select value={account} onChange={(event) => choose(event.currentTarget.value)}>
              {accounts.map((one) => (
                <option key={one} value={one}>
                  {short(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        <button type="button" class="wide" onClick={disconnect}>
          {t("disconnect")}
        </button>
      </div>
    </details>
  );
}

/** A text that no native speaker has read is said to be a draft. */
function Draft({ choose }: { choose: (name: Language) => void }) {
  if (!DRAFTS.has(language)) return null;
  return (
    <p class="quiet small draft">
      {t("draft")}{" "}
      <button type="button" class="plain" lang="en" onClick={() => choose("en")}>
        {LANGUAGES.en}
      </button>
    </p>
  );
}

function Place({ path, query }: { path: string; query: URLSearchParams }) {
  const { address } = useApp();
  const license = /^\/license\/(0x[0-9a-f]{64})$/.exec(path)?.[1];
  if (license) return <Details key={license} hash={license} />;
  const proof = /^\/proof\/(0x[0-9a-f]{64})$/.exec(path)?.[1];
  if (proof) return <Proof key={proof} digest={proof} />;
  const went = /^\/trace\/(0x[0-9a-f]{64})$/.exec(path)?.[1];
  if (went) return <Where key={went} hash={went} />;
  if (path === "/allow") return <Allow key={String(query)} query={query} />;
  if (path === "/guardian") return <Guardian key={String(query)} query={query} />;
  if (path === "/look") return <LookUp />;
  if (path === "/taken") return <MyTaken />;
  if (path === "/hand-in") return <HandIn query={query} />;
  return address ? <Licenses key={address} address={address} /> : <Home />;
}

/** Asks for the node, and for the licenses that this device showed last, before the page is drawn. */
function askFirst(): void {
  askEarly(NODE);
  const path = location.hash.replace(/^#/, "").split("?")[0]!;
  const address = path === "" || path === "/" ? lastAccount() : (readAddress(/^\/of\/(0x[0-9a-fA-F]{40})$/.exec(path)?.[1] ?? "") ?? "");
  if (address) askEarly(firstLicenses(address));
}

/** The page opens without its node from then on; only where the connection is safe, and where the browser can. */
function install(): void {
  void navigator.serviceWorker?.register("/sw.js").catch(() => undefined);
}

askFirst();
await use(preferred()).catch(() => undefined); // English if the language file is missing
render(<Page />, document.getElementById("page")!);
window.addEventListener("load", install);
if (document.readyState === "complete") install();
