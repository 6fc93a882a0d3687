// The whole page: header, views, and the connected wallet.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { LANGUAGES, type Language, language, preferred, t, use } from "./i18n.js";
import { type NodeInfo, nodeInfo } from "./net/api.js";
import { type Wallet, connect, findWallets, lastWallet, remember } from "./net/wallet.js";
import { checksummed, readAddress } from "./protocol/bytes.js";
import { Allow } from "./ui/allow.js";
import { AppContext, useApp, useRoute } from "./ui/app.js";
import { Details } from "./ui/details.js";
import { HandIn } from "./ui/handin.js";
import { Home } from "./ui/home.js";
import { Licenses } from "./ui/licenses.js";
import { LookUp } from "./ui/lookup.js";
import { Trouble, explain, short } from "./ui/parts.js";

function Page() {
  const [node, setNode] = useState<NodeInfo | null>(null);
  const [error, setError] = useState("");
  const [, setLanguage] = useState<Language>(language);
  const { wallets, wallet, account, open, close } = useWallet();
  const { path, query } = useRoute();
  const pasted = readAddress(/^\/of\/(0x[0-9a-fA-F]{40})$/.exec(path)?.[1] ?? "");

  const ask = () => nodeInfo().then(setNode, (problem) => setError(explain(problem)));
  useEffect(() => void ask(), []);
  const choose = (name: Language) => use(name, true).then(() => setLanguage(name));

  if (!node) return <Waiting error={error} again={() => (setError(""), void ask())} />;
  const app = { node, wallets, wallet, account, address: pasted ?? account, connect: open, disconnect: close };
  return (
    <AppContext.Provider value={app}>
      <a class="skip" href="#content" onClick={skip}>
        {t("skip")}
      </a>
      <Header path={path} choose={choose} />
      <main id="content" tabIndex={-1}>
        <Place path={path} query={query} />
      </main>
      <footer class="quiet">
        {t("node", { name: node.name })} · <a href="#/hand-in">{t("hand_title")}</a>
      </footer>
    </AppContext.Provider>
  );
}

function skip(event: Event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

/** The open wallet; a wallet that was connected before connects again without a question. */
function useWallet() {
  const [wallets, setWallets] = useState<Wallet[]>([]);
  const [wallet, setWallet] = useState<Wallet | null>(null);
  const [account, setAccount] = useState<string | null>(null);
  useEffect(() => findWallets(setWallets), []);
  useEffect(() => {
    const known = wallets.find((one) => one.id === lastWallet());
    if (!known || wallet) return;
    connect(known, true).then(
      (found) => found && (setWallet(known), setAccount(found)),
      () => undefined, // it is locked; the person can connect it later
    );
  }, [wallets]);
  useEffect(() => {
    const heard = (accounts: string[]) => setAccount(accounts[0] ? checksummed(accounts[0]) : null);
    wallet?.provider.on?.("accountsChanged", heard as (value: never) => void);
  }, [wallet]);
  const open = async (chosen: Wallet) => {
    const found = await connect(chosen);
    setWallet(chosen);
    setAccount(found);
  };
  const close = () => {
    remember("");
    setWallet(null);
    setAccount(null);
  };
  return { wallets, wallet, account, open, close };
}

function Waiting({ error, again }: { error: string; again: () => void }) {
  return (
    <main>
      <p class="brand">sayso</p>
      <h1 class="unseen">{t("title")}</h1>
      {error ? (
        <Trouble error={error} again={again} />
      ) : (
        <p class="quiet" role="status">{t("loading")}</p>
      )}
    </main>
  );
}

function Header({ path, choose }: { path: string; choose: (name: Language) => void }) {
  const { account, disconnect } = useApp();
  const places = [
    ["/", t("nav_mine"), path === "/" || path.startsWith("/of/") || path.startsWith("/license/")],
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
      {account && (
        <button type="button" class="account" title={account} onClick={disconnect}>
          {short(account)}
          <span class="unseen"> {t("disconnect")}</span>
          <span aria-hidden="true"> ×</span>
        </button>
      )}
      <nav aria-label={t("title")}>
        {places.map(([to, name, here]) => (
          <a key={to} href={`#${to}`} aria-current={here ? "page" : undefined}>
            {name}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Place({ path, query }: { path: string; query: URLSearchParams }) {
  const { address } = useApp();
  const license = /^\/license\/(0x[0-9a-f]{64})$/.exec(path)?.[1];
  if (license) return <Details key={license} hash={license} />;
  if (path === "/allow") return <Allow query={query} />;
  if (path === "/look") return <LookUp />;
  if (path === "/hand-in") return <HandIn query={query} />;
  return address ? <Licenses key={address} address={address} /> : <Home />;
}

await use(preferred()).catch(() => undefined); // English if the language file is missing
render(<Page />, document.getElementById("page")!);
