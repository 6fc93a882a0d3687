// The service worker: the page opens without its node. It keeps the page's own files and nothing that a node says;
// lists and signed files are kept by the page itself.

declare const ASSETS: string[]; // inserted by build.mjs, with a hash in each name
declare const NAME: string; // of this version's cache

interface Worker {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(name: string, heard: (event: Awaiting) => void): void;
}
interface Awaiting {
  request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}

const PAGE = "/";
const PATIENCE_MS = 4_000;
const worker = self as unknown as Worker;

async function install(): Promise<void> {
  const cache = await caches.open(NAME);
  await cache.addAll([PAGE, ...ASSETS]);
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  for (const one of await caches.keys()) if (one.startsWith("sayso-") && one !== NAME) await caches.delete(one);
  await worker.clients.claim();
}

/** The page as the node has it now, and as it was where the node does not answer. */
async function page(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) return answer;
  } catch {
    // It is down, or slower than anybody waits.
  }
  return (await cache.match(PAGE)) ?? Response.error();
}

/** A file with a hash in its name never changes. */
async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  const known = await cache.match(request.url);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request.url, answer.clone());
  return answer;
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (pathname === PAGE) event.respondWith(page(event.request));
  else if (pathname.startsWith("/assets/")) event.respondWith(asset(event.request));
});
