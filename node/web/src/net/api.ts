// The HTTP API of the node that serves this page, and the other operators of its network file.

import { type Named, learnNames } from "../company.js";
import type { Acknowledgement } from "../protocol/promise.js";
import { readAddress, same } from "../protocol/bytes.js";
import { type Consent, type Network, type Revocation, type TypedData, digestOf, typedData } from "../protocol/messages.js";

export interface NodeInfo {
  name: string;
  node_key: string;
  network: Network;
  time: number;
  block: { number: number } | null;
  operators: { name: string; node_key: string; url: string | null }[];
  names: Named[];
}

export type Status = "active" | "revoked" | "expired" | "not-yet-valid";

/** A license as an entry of a list. */
export interface Listed {
  license: string;
  status: Status;
  consent: Consent;
  arrived_at: number;
  permissions: number;
  revoked_permissions: number;
  anchor_block: number | null;
}

export interface License extends Omit<Listed, "anchor_block"> {
  envelope: string;
  items: string[];
  revoked_masks: string[];
  anchor: { block_number: number } | null;
}

/** A revocation as an entry of a list; `chain_block` is where the last of its bits landed. */
export interface Revoked {
  digest: string;
  revocation: Revocation;
  /** Under which it was signed. */
  chain_id: number;
  arrived_at: number;
  envelope: string;
  on_chain: boolean;
  chain_block: number | null;
}

export interface Claim {
  license: string;
  contributor: string;
  grantee: string;
  via: string;
  purposes: string[];
  revoked_purposes: string[];
  expires_at: number;
}

/** A final block; its time is null until the node has asked for it. */
interface BlockAt {
  number: number;
  time: number | null;
}

interface PassedOn {
  digest: string;
  signer: string;
  depth: number;
  purposes: string[];
  issued_at: number;
  expires_at: number;
  withdrawn: boolean;
  first_seen: number;
}

export interface Duty {
  standing: "confirmed" | "due" | "undated" | "late";
  revoked: BlockAt | null;
  items: number;
  purposes: string[];
  due: number | null;
  removal: { digest: string; anchored: BlockAt } | null;
}

export interface Holder {
  address: string;
  is_grantee: boolean;
  passed_on: PassedOn[];
  uses: { digest: string; purpose: string; run: string; used_at: number; withdrawn: boolean }[];
  more_uses: boolean;
  duties: Duty[];
}

/** Where a license went, as far as its holders stated it (section 15). */
export interface Trace {
  license: string;
  contributor: string;
  grantee: string;
  expires_at: number;
  removal_days: number;
  first_seen: number;
  final: BlockAt | null;
  holders: Holder[];
  next: string | null;
}

export interface Result {
  digest: string | null;
  status: "stored" | "known" | "pending" | "refused";
  error?: { code: string; message: string };
  acknowledgement?: Acknowledgement;
}

export interface Progress {
  status: "stored" | "pending";
  sent_to: number | null;
  chain_block: number | null;
  acknowledgement: Acknowledgement | null;
}

/** A refusal, or no answer at all (`code` is `unreachable`). */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const PASSING = new Set(["unreachable", "node-busy", "no-room", "too-slow", "store-unusable", "clock-put-back", "internal"]);

/** Whether the same request may be taken later: the node did not answer, or has too much to do, or a fault of its own. */
export const passes = (problem: unknown): boolean => problem instanceof ApiError && PASSING.has(problem.code);

const PATIENCE_MS = 20_000;

async function ask<T>(path: string, init: RequestInit = {}, origin = ""): Promise<T> {
  let answer: Response;
  let body: unknown;
  try {
    answer = await fetch(origin + path, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
    body = await answer.json();
  } catch (error) {
    throw new ApiError("unreachable", String(error));
  }
  if (!answer.ok && answer.status !== 422) {
    const refusal = (body as { error?: { code: string; message: string } }).error;
    throw new ApiError(refusal?.code ?? "unreachable", refusal?.message ?? answer.statusText);
  }
  return body as T;
}

const FRESH_MS = 5_000;
const early = new Map<string, Promise<unknown>>();

/** Ask already now, so that the answer is on its way while the page starts. It is used once, and soon. */
export function askEarly(path: string): void {
  const answer = ask<unknown>(path);
  early.set(path, answer);
  const drop = () => void setTimeout(() => early.delete(path), FRESH_MS);
  answer.then(drop, () => early.delete(path));
}

/** The early answer, or a new one. */
function take<T>(path: string): Promise<T> {
  const begun = early.get(path) as Promise<T> | undefined;
  early.delete(path);
  return begun ?? ask<T>(path);
}

const post = <T>(path: string, body: unknown, origin = ""): Promise<T> =>
  ask<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }, origin);

export const NODE = "/v1/node";
const LAST_NODE = "sayso-node";

/** Whether it says of itself what every view needs. */
const isNode = ({ name, network, operators, time }: NodeInfo): boolean =>
  typeof name === "string" && Number.isFinite(time) && Number.isSafeInteger(network?.chain_id) && readAddress(String(network.registry)) !== null && Array.isArray(operators);

export async function nodeInfo(): Promise<NodeInfo> {
  const found = await take<NodeInfo>(NODE);
  if (!isNode(found)) throw new ApiError("unreadable", NODE);
  learnNames(found);
  try {
    localStorage.setItem(LAST_NODE, JSON.stringify(found));
  } catch {
    // Without storage, a node that is down cannot name the others.
  }
  return found;
}

/** The other operators of the network that say where they are. */
export const othersOf = (node: NodeInfo | null): NodeInfo["operators"] =>
  (node?.operators ?? []).filter((one) => one.url && one.node_key !== node!.node_key);

/** What this node said when it last answered; null if it never did on this device. */
export function lastNode(): NodeInfo | null {
  try {
    return JSON.parse(localStorage.getItem(LAST_NODE) ?? "null") as NodeInfo | null;
  } catch {
    return null;
  }
}

export const license = (hash: string): Promise<License> => ask<License>(`/v1/licenses/${hash}`);

const HOLDERS = 1_000; // as many as are asked for

/** Where a license went, with all pages of its holders. */
export async function traceOf(hash: string): Promise<Trace> {
  const first = await ask<Trace>(`/v1/licenses/${hash}/trace`);
  let { next } = first;
  while (next && first.holders.length < HOLDERS) {
    const page: Trace = await ask<Trace>(`/v1/licenses/${hash}/trace?after=${next}`);
    first.holders.push(...page.holders);
    next = page.next;
  }
  return { ...first, next };
}

const LISTED = 16_384; // entries, after which no further page is asked for

/** The entries of all pages of a list, which each page has under this name. */
async function pagesOf<T>(path: string, name: string): Promise<T[]> {
  const found: T[] = [];
  let next: string | null = "";
  do {
    const page: { [entries: string]: unknown; next: string | null } = await ask(next ? `${path}?cursor=${next}` : path);
    found.push(...(page[name] as T[]));
    next = page.next;
  } while (next && found.length < LISTED);
  return found;
}

/** The revocations that an address signed and this node stores; a listed one that is not as signed is left out. */
export async function revocationsOf(address: string, network: Network): Promise<Revoked[]> {
  const found = await pagesOf<Revoked>(`/v1/contributors/${address}/revocations`, "revocations");
  const right = (one: Revoked) => digestOf(typedData(one.revocation, { ...network, chain_id: one.chain_id })) === one.digest;
  return found.filter((one) => right(one) && same(one.revocation.contributor, address));
}

const FIRST = 30; // as many as are drawn at first, so that a slow line shows them early

/** Where the newest licenses of an address are. */
export const firstLicenses = (address: string): string => `/v1/contributors/${address}/consents?limit=${FIRST}`;

/** Every license of an address, newest first, a page at a time. */
export async function* licensesOf(address: string): AsyncGenerator<Listed[]> {
  let next: string | null = "";
  do {
    const path: string = next ? `/v1/contributors/${address}/consents?cursor=${next}` : firstLicenses(address);
    const page: { consents: Listed[]; next: string | null } = await take(path);
    yield page.consents;
    next = page.next;
  } while (next);
}

export const claimsOn = (item: string): Promise<Claim[]> => pagesOf(`/v1/items/${item}/claims`, "claims");

export function typedDataOf(
  kind: "consent" | "revocation",
  fields: unknown,
): Promise<{ digest: string; typed_data: TypedData }> {
  return post(`/v1/typed-data/${kind}`, fields);
}

export const revocationFields = (one: Revocation) => ({
  contributor: one.contributor,
  scopes: one.scopes,
  words: one.words,
  masks: one.masks,
});

export const consentFields = (one: Consent, items: string[]) => ({
  contributor: one.contributor,
  parties: one.parties,
  grantee: one.grantee,
  via: one.via,
  items,
  purposes: one.purposes,
  terms: one.terms,
  terms_uri: one.termsUri,
  guardian: one.guardian,
  issued_at: one.issuedAt,
  expires_at: one.expiresAt,
  recheck_hours: one.recheckHours,
  removal_days: one.removalDays,
});

/** Submit a revocation that was signed under this chain id. */
export async function submitRevocation(one: Revocation, chainId: number, signature: string, consents: string[] = []): Promise<Result> {
  const body = { ...revocationFields(one), chain_id: chainId, signature, consents };
  return first(await post<{ results: Result[] }>("/v1/revocations", body));
}

export async function submitConsent(one: Consent, items: string[], signature: string): Promise<Result> {
  const body = { ...consentFields(one, items), signature };
  return first(await post<{ results: Result[] }>("/v1/consents", body));
}

/** Submit a bundle unchanged (rule 7.1), here or to another operator. */
export async function submitBundle(bytes: Uint8Array, origin = ""): Promise<Result[]> {
  const headers = { "Content-Type": "application/msgpack", Accept: "application/json" };
  const init = { method: "POST", headers, body: bytes as BufferSource };
  return (await ask<{ results: Result[] }>("/v1/messages", init, origin)).results;
}

export const progressOf = (digest: string, origin = ""): Promise<Progress> =>
  ask<Progress>(`/v1/revocations/${digest}`, {}, origin);

function first({ results }: { results: Result[] }): Result {
  const refused = results.find((one) => one.error);
  if (refused?.error) throw new ApiError(refused.error.code, refused.error.message);
  return results[0]!;
}

/** Call back for every new revocation of an address; returns a function that stops. */
export function onRevocation(address: string, tell: () => void): () => void {
  let stream: EventSource | null = null;
  const listen = () => {
    stream = new EventSource("/v1/events");
    stream.addEventListener("revocation", (event) => {
      const { contributor } = JSON.parse((event as MessageEvent<string>).data) as { contributor: string };
      if (contributor.toLowerCase() === address.toLowerCase()) tell();
    });
  };
  // A hidden page holds no connection, because a browser has six for a node over all tabs.
  const turn = () => {
    stream?.close();
    if (document.hidden) return;
    listen();
    tell();
  };
  if (!document.hidden) listen();
  document.addEventListener("visibilitychange", turn);
  return () => {
    stream?.close();
    document.removeEventListener("visibilitychange", turn);
  };
}
