// Verifies a printed proof: the node's signature is checked in the browser, with nothing but the code itself. The
// node that serves this page is asked only whose key it is.

import { day, preferred, t, use } from "./i18n.js";
import { nodeInfo } from "./net/api.js";
import { type Acknowledgement, isSigned, readProof } from "./protocol/promise.js";

const place = document.getElementById("page")!;

function say(tag: string, text: string, kind = ""): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = kind;
  place.append(made);
  return made;
}

/** Where the page is opened without its node, nobody is named. */
async function ownerOf(one: Acknowledgement): Promise<string> {
  const node = await nodeInfo().catch(() => null);
  const found = node?.operators.find((other) => other.node_key === one.node_key);
  return found ? t("verify_known", { node: found.name }) : t("verify_unknown");
}

async function show(): Promise<void> {
  place.replaceChildren();
  document.title = `${t("verify_title")} · Sayso`;
  say("h1", t("verify_title"));
  const one = readProof(location.hash.slice(1));
  const right = one && isSigned(one);
  if (!one || !right) return void say("p", t("verify_wrong"), "say bad").setAttribute("role", "alert");
  say("p", t("verify_right"), "say good").setAttribute("role", "status");
  say("p", t("verify_what", { date: day(one.time) }));
  const facts = { proof_reference: one.digest, proof_key: one.node_key } as const;
  for (const [key, value] of Object.entries(facts)) {
    say("h2", t(key as keyof typeof facts));
    say("code", value, "long");
  }
  say("p", await ownerOf(one), "owner");
}

await use(preferred()).catch(() => undefined);
window.addEventListener("hashchange", () => void show());
await show();
