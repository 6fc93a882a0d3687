// What Coinbase Smart Wallet's client code in viem signs: `node coinbase.mjs < asked.json`, where asked is
// {url, chain_id, address, key, point, passkey, owner, digest}: owner 0 has the key, owner 1 the passkey, whose
// private key is a JSON Web Key. Prints the signature. A function stands for the browser and its authenticator.

import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";

import { createClient, http } from "viem";
import { toCoinbaseSmartAccount, toWebAuthnAccount } from "viem/account-abstraction";
import { privateKeyToAccount } from "viem/accounts";

const asked = JSON.parse(readFileSync(0, "utf8"));
const RELYING_PARTY = "node.example";
const PRESENT_AND_VERIFIED = 5;
const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const sha256 = async (data) => new Uint8Array(await webcrypto.subtle.digest("SHA-256", data));

/** r and s as an authenticator gives them (DER); either half of s, as authenticators do. */
function der(raw) {
  const integer = (bytes) => {
    const short = bytes.subarray(bytes.findIndex((one) => one !== 0));
    const body = short[0] & 0x80 ? [0, ...short] : [...short];
    return [2, body.length, ...body];
  };
  const body = [...integer(raw.subarray(0, 32)), ...integer(raw.subarray(32))];
  return new Uint8Array([0x30, body.length, ...body]);
}

async function authenticator({ publicKey: { challenge } }) {
  const secret = await webcrypto.subtle.importKey("jwk", asked.passkey, P256, false, ["sign"]);
  const wanted = { type: "webauthn.get", challenge: Buffer.from(challenge).toString("base64url") };
  const clientDataJSON = Buffer.from(JSON.stringify({ ...wanted, origin: `https://${RELYING_PARTY}` }));
  const party = await sha256(Buffer.from(RELYING_PARTY));
  const authenticatorData = Buffer.concat([party, Buffer.from([PRESENT_AND_VERIFIED, 0, 0, 0, 0])]);
  const signed = Buffer.concat([authenticatorData, await sha256(clientDataJSON)]);
  const signature = der(new Uint8Array(await webcrypto.subtle.sign(P256, secret, signed)));
  return { id: "passkey", response: { authenticatorData, clientDataJSON, signature } };
}

const chain = { id: asked.chain_id, name: "here", rpcUrls: {}, nativeCurrency: {} };
const client = createClient({ chain, transport: http(asked.url) });
const credential = { id: "passkey", publicKey: asked.point };
const owners = [
  privateKeyToAccount(asked.key),
  toWebAuthnAccount({ credential, getFn: authenticator, rpId: RELYING_PARTY }),
];
const account = await toCoinbaseSmartAccount({
  client,
  owners,
  ownerIndex: asked.owner,
  address: asked.address,
});
process.stdout.write(await account.sign({ hash: asked.digest }));
