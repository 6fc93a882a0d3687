// Wallets in the browser, found by EIP-6963 and used by EIP-1193. Only they hold keys.

import { checksummed } from "../protocol/bytes.js";
import type { TypedData } from "../protocol/messages.js";
import { inForm, isWalletCode } from "../protocol/wallets.js";

export interface Provider {
  request(asked: { method: string; params?: unknown }): Promise<unknown>;
  on?(event: string, listener: (value: never) => void): void;
}

export interface Wallet {
  id: string;
  name: string;
  icon: string;
  provider: Provider;
}

/** Why a wallet did not act: `refused` by the person, `cancelled` on the page, an unknown `chain`, or `failed`. */
export class WalletError extends Error {
  constructor(
    readonly reason: "refused" | "cancelled" | "chain" | "failed",
    /** What the wallet names the fault, for whoever helps. */
    readonly code: string,
  ) {
    super(reason);
  }
}

interface Announced extends Event {
  detail: { info: { uuid: string; name: string; icon: string; rdns: string }; provider: Provider };
}

const LAST = "sayso-wallet";
const LAST_ACCOUNT = "sayso-account";

/** Call back for every wallet that announces itself, and for one that only sets `window.ethereum`. */
export function findWallets(tell: (wallets: Wallet[]) => void): void {
  const found = new Map<string, Wallet>();
  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = (event as Announced).detail;
    found.delete("injected");
    const icon = info.icon.startsWith("data:image/") ? info.icon : "";
    found.set(info.rdns, { id: info.rdns, name: info.name.slice(0, 40), icon, provider });
    tell([...found.values()]);
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  const adopt = () => {
    const injected = (window as { ethereum?: Provider }).ethereum;
    if (!injected || found.size > 0) return;
    found.set("injected", { id: "injected", name: "", icon: "", provider: injected });
    tell([...found.values()]);
  };
  adopt();
  window.addEventListener("ethereum#initialized", adopt); // mobile apps inject it late
}

const waiting = new Set<(error: WalletError) => void>();

/** End every wait for a wallet, because some stay silent for ever; a late answer is dropped. */
export function cancelWaiting(): void {
  for (const stop of waiting) stop(new WalletError("cancelled", ""));
  waiting.clear();
}

async function call<T>(provider: Provider, method: string, params?: unknown): Promise<T> {
  let stop: (error: WalletError) => void = () => undefined;
  try {
    const cancelled = new Promise<never>((_, reject) => waiting.add((stop = reject)));
    const answer = provider.request(params ? { method, params } : { method });
    return (await Promise.race([answer, cancelled])) as T;
  } catch (error) {
    if (error instanceof WalletError) throw error;
    const { code, name } = error as { code?: number; name?: string };
    const reason = code === 4001 ? "refused" : code === 4902 ? "chain" : "failed";
    throw new WalletError(reason, String(code ?? name));
  } finally {
    waiting.delete(stop);
  }
}

/** The open accounts of a wallet, the current one first. Asks the person unless `quietly`. */
export async function connect(wallet: Wallet, quietly = false): Promise<string[]> {
  const accounts = await call<string[]>(wallet.provider, quietly ? "eth_accounts" : "eth_requestAccounts");
  if (accounts[0]) remember(wallet.id, checksummed(accounts[0]));
  return accounts.map(checksummed);
}

function recalled(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return ""; // storage is switched off
  }
}

/** The wallet that was used last, and the account that was open in it. */
export const lastWallet = (): string => recalled(LAST);
export const lastAccount = (): string => recalled(LAST_ACCOUNT);

/** Remember a wallet and its account for the next visit; empty texts forget them. */
export function remember(id: string, account: string): void {
  try {
    localStorage.setItem(LAST, id);
    localStorage.setItem(LAST_ACCOUNT, account);
  } catch {
    // The person connects again on the next visit.
  }
}

export async function chainOf({ provider }: Wallet): Promise<number> {
  return Number(await call<string>(provider, "eth_chainId"));
}

/** The time of a block, in seconds, from the wallet's own endpoint; null if the endpoint serves another chain. */
export async function timeOfBlock(wallet: Wallet, chainId: number, block: number): Promise<number | null> {
  if ((await chainOf(wallet)) !== chainId) return null;
  const found = await call<{ timestamp: string } | null>(wallet.provider, "eth_getBlockByNumber", ["0x" + block.toString(16), false]);
  return found && Number(found.timestamp);
}

export async function switchChain({ provider }: Wallet, chainId: number): Promise<void> {
  await call(provider, "wallet_switchEthereumChain", [{ chainId: "0x" + chainId.toString(16) }]);
}

/** A signature in the form of rule 4.4, however the wallet writes it. */
export async function sign({ provider }: Wallet, account: string, data: TypedData): Promise<string> {
  const contract = isContract(provider, account); // asked while the person signs
  const given = await call<string>(provider, "eth_signTypedData_v4", [account, JSON.stringify(data)]);
  return inForm(given, await contract);
}

/** Whether the account is a contract wallet; one whose code is unknown counts as an account with a key. */
export async function isContract(provider: Provider, account: string): Promise<boolean> {
  return isWalletCode(await call<string>(provider, "eth_getCode", [account, "latest"]).catch(() => "0x"));
}

export function send({ provider }: Wallet, from: string, to: string, data: string): Promise<string> {
  return call<string>(provider, "eth_sendTransaction", [{ from, to, data, value: "0x0" }]);
}

/** Links that open this page, with the part after #, in the browser of a wallet app. */
export function appLinks(page: string): { name: string; url: string }[] {
  const plain = page.replace(/^https?:\/\//, "");
  return [
    { name: "MetaMask", url: `https://metamask.app.link/dapp/${plain}` },
    { name: "Trust Wallet", url: `https://link.trustwallet.com/open_url?coin_id=60&url=${encodeURIComponent(page)}` },
    { name: "Coinbase Wallet", url: `https://go.cb-w.com/dapp?cb_url=${encodeURIComponent(page)}` },
    { name: "OKX Wallet", url: `https://web3.okx.com/download?deeplink=${encodeURIComponent(`okx://wallet/dapp/url?dappUrl=${encodeURIComponent(page)}`)}` },
  ];
}
