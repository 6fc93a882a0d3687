// The two messages, their notices and their typed data: sections 3 and 4. The page builds the signed data
// from the fields that a person sees, and never takes it from a node.

import { NOBODY, NO_HASH, big, checksummed, hex, join, keccak, same, unhex, utf8 } from "./bytes.js";
import { contentRoot } from "./trees.js";

export interface Network {
  chain_id: number;
  registry: string;
}

/** The typed data of a consent (4.2), with addresses in EIP-55. */
export interface Consent {
  notice: string;
  contributor: string;
  parties: string[];
  grantee: string;
  via: string;
  content: string;
  items: number;
  purposes: string[];
  terms: string;
  termsUri: string;
  guardian: string;
  issuedAt: number;
  expiresAt: number;
  recheckHours: number;
  removalDays: number;
}

export interface Revocation {
  notice: string;
  contributor: string;
  scopes: string[];
  words: string[];
  masks: string[];
}

export interface TypedData {
  types: Record<string, { name: string; type: string }[]>;
  primaryType: "Consent" | "Revocation";
  domain: Record<string, string | number>;
  message: Consent | Revocation;
}

/** The fields of a consent from which notice and content are computed. */
export type Terms = Omit<Consent, "notice" | "content" | "items">;

const REVOKING =
  "I take back what is listed here, now and for ever, wherever my signature counts. This cannot be undone.";

export const LIMITS = { items: 1024, purposes: 16, parties: 16, words: 64, scopes: 16, validity: 315_619_200, recheckHours: 8760, removalDays: 365 };

const fields = (text: string) =>
  text.split(",").map((one) => {
    const [type, name] = one.split(" ") as [string, string];
    return { name, type };
  });

const DOMAIN = fields("string name,string version,uint256 chainId,address verifyingContract");
const CONSENT = fields(
  "string notice,address contributor,address[] parties,address grantee,string via,bytes32 content," +
    "uint32 items,string[] purposes,bytes32 terms,string termsUri,address guardian,uint64 issuedAt," +
    "uint64 expiresAt,uint16 recheckHours,uint16 removalDays",
);
const REVOCATION = fields(
  "string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks",
);

/** A consent on these items, in order (3.1 to 3.7). */
export function consentOf(terms: Terms, items: string[]): Consent {
  const parties = [...new Set([terms.contributor, ...terms.parties].map(checksummed))].sort((one, other) =>
    one.toLowerCase() < other.toLowerCase() ? -1 : 1,
  );
  const consent: Consent = {
    notice: "",
    contributor: checksummed(terms.contributor),
    parties,
    grantee: checksummed(terms.grantee || NOBODY),
    via: terms.via,
    content: contentRoot(items),
    items: items.length,
    purposes: [...new Set(terms.purposes)].sort(),
    terms: terms.terms || NO_HASH,
    termsUri: terms.termsUri,
    guardian: checksummed(terms.guardian || NOBODY),
    issuedAt: terms.issuedAt,
    expiresAt: terms.expiresAt,
    recheckHours: terms.recheckHours,
    removalDays: terms.removalDays,
  };
  return { ...consent, notice: noticeOf(consent) };
}

export function revocationOf(
  contributor: string,
  scopes: string[],
  masks: [bigint, bigint][] = [],
): Revocation {
  return {
    notice: REVOKING,
    contributor: checksummed(contributor),
    scopes,
    words: masks.map(([word]) => String(word)),
    masks: masks.map(([, mask]) => String(mask)),
  };
}

/** Rule 4.6. */
export function noticeOf(one: Consent): string {
  const date = (time: number) => new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
  const others = one.parties.filter((party) => !same(party, one.contributor));
  return [
    `I allow use of ${one.items === 1 ? "1 item" : `${one.items} items`} of mine for ${one.purposes.join(", ")}`,
    ` until ${date(one.expiresAt)} by ${same(one.grantee, NOBODY) ? "ANYONE" : one.grantee}`,
    one.via && `, through ${one.via}`,
    `; to be rechecked every ${one.recheckHours === 1 ? "hour" : `${one.recheckHours} hours`}`,
    `; removed within ${one.removalDays === 1 ? "1 day" : `${one.removalDays} days`} of revocation`,
    `; from ${date(one.issuedAt)}`,
    others.length > 0 && `; together with ${others.join(", ")}`,
    !same(one.guardian, NOBODY) && `; ${one.guardian} may revoke it too`,
    ". I can revoke at any time.",
  ]
    .filter(Boolean)
    .join("");
}

/** Typed data (4.2, 4.3), under the network for which the person signs. */
export function typedData(message: Consent | Revocation, network: Network): TypedData {
  const isConsent = "content" in message;
  const name = isConsent ? "Consent" : "Revocation";
  return {
    types: {
      EIP712Domain: DOMAIN,
      [name]: isConsent ? CONSENT : REVOCATION,
    },
    primaryType: name,
    domain: { name: "Sayso", version: "1", chainId: network.chain_id, verifyingContract: checksummed(network.registry) },
    message,
  };
}

/** The EIP-712 digest, which is signed and names the message (4.2, 4.3). */
export function digestOf(data: TypedData): string {
  const domain = structHash("EIP712Domain", data.types, data.domain);
  const struct = structHash(data.primaryType, data.types, data.message as never);
  return hex(keccak(join(Uint8Array.of(0x19, 1), domain, struct)));
}

function structHash(name: string, types: TypedData["types"], values: Record<string, unknown>): Uint8Array {
  const members = types[name]!;
  const type = `${name}(${members.map((one) => `${one.type} ${one.name}`).join(",")})`;
  return keccak(join(keccak(utf8(type)), ...members.map((one) => slot(one.type, values[one.name]))));
}

function slot(type: string, value: unknown): Uint8Array {
  if (type.endsWith("[]")) return keccak(join(...(value as unknown[]).map((one) => slot(type.slice(0, -2), one))));
  if (type === "string") return keccak(utf8(value as string));
  if (type === "bytes32") return unhex(value as string);
  if (type === "address") return big(BigInt(value as string));
  return big(BigInt(value as string | number));
}
