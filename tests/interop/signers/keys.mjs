// What wallets of a key make of our typed data, by the code that their makers publish on npm:
// `node keys.mjs < asked.json`, where asked is {key, other_chain, messages: {name: typed data}}.
//
// Prints, for each message, the signature of each library, what MetaMask's check of a request says on the
// chain of the message and on another one, and how many commands (APDUs) a Ledger is sent.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";

import sigUtil from "@metamask/eth-sig-util";
import { transformTypedData } from "@trezor/connect-plugin-ethereum";
import { Signature, TypedDataEncoder, Wallet, concat, keccak256 } from "ethers";
import { parseSignature, serializeCompactSignature, signatureToCompactSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const require = createRequire(import.meta.url);
const { SignTypedDataVersion, signTypedData } = sigUtil;
const { default: Eth } = require("@ledgerhq/hw-app-eth"); // its modules for import lack endings
const controller = dirname(require.resolve("@metamask/signature-controller"));
const { validateTypedSignatureRequest } = require(join(controller, "utils/validation.cjs"));

const { key, other_chain: otherChain, messages } = JSON.parse(readFileSync(0, "utf8"));
const ethers = new Wallet(key);
const viem = privateKeyToAccount(key);

const said = async (act) => {
  try {
    return { result: await act() };
  } catch (error) {
    return { error: error.message };
  }
};

const byMetaMask = (version, data) =>
  signTypedData({ privateKey: Buffer.from(key.slice(2), "hex"), data, version });

/** MetaMask's check of a request, before it shows it; the page is on a chain. */
const checked = (data, chainId) =>
  said(() => {
    validateTypedSignatureRequest({
      currentChainId: `0x${chainId.toString(16)}`,
      internalAccounts: [ethers.address],
      messageData: { from: ethers.address, data: JSON.stringify(data), origin: "https://node.example" },
      request: { origin: "https://node.example" },
      version: SignTypedDataVersion.V4,
    });
    return "accepted";
  });

const named = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const APP = Buffer.concat([Buffer.from([1]), named("Ethereum"), named("1.16.0"), Buffer.from([1, 0])]);
const SIGNATURE = Buffer.concat([Buffer.from([27]), Buffer.alloc(64, 1)]);

/** A device that answers every command, and counts those about the message. */
class Counting {
  apdus = 0;
  decorateAppAPIMethods() {}
  async send(cla) {
    const isAboutApp = cla === 0xb0;
    this.apdus += isAboutApp ? 0 : 1;
    return Buffer.concat([isAboutApp ? APP : SIGNATURE, Buffer.from([0x90, 0])]);
  }
}

async function byLedger(data) {
  const device = new Counting();
  const app = new Eth(device, "w0w", { calServiceURL: null, cryptoassetsBaseURL: null });
  await app.signEIP712Message("44'/60'/0'/0/0", data, true);
  return device.apdus;
}

/** Other ways to write a signature, by the code of two libraries; both call them valid. */
function forms(signature) {
  const { r, s, v, yParity, compactSerialized, networkV } = Signature.from(signature);
  const byEthers = Signature.from({ r, s, v: Signature.getChainIdV(1, v) });
  return {
    "EIP-2098 by ethers": compactSerialized,
    "EIP-2098 by viem": serializeCompactSignature(signatureToCompactSignature(parseSignature(signature))),
    "EIP-155 by ethers": r + s.slice(2) + (networkV ?? byEthers.networkV).toString(16),
    "parity of y": r + s.slice(2) + `0${yParity}`,
  };
}

/** What a Trezor Model One signs: two hashes that its makers' code computes for it. */
function byModelOne(data) {
  const { domain_separator_hash: domain, message_hash: message } = transformTypedData(data, true);
  return keccak256(concat(["0x1901", `0x${domain}`, `0x${message}`]));
}

async function made(data) {
  const { EIP712Domain: _, ...types } = data.types;
  return {
    "eth-sig-util V4": await said(() => byMetaMask(SignTypedDataVersion.V4, data)),
    "eth-sig-util V3": await said(() => byMetaMask(SignTypedDataVersion.V3, data)),
    ethers: await said(() => ethers.signTypedData(data.domain, types, data.message)),
    viem: await said(() => viem.signTypedData(data)),
    forms: forms(await viem.signTypedData(data)),
    digest: TypedDataEncoder.hash(data.domain, types, data.message),
    "trezor model one": byModelOne(data),
    metamask: await checked(data, data.domain.chainId),
    "metamask on another chain": await checked(data, otherChain),
    "ledger apdus": await said(() => byLedger(data)),
  };
}

const found = {};
for (const [name, data] of Object.entries(messages)) found[name] = await made(data);
process.stdout.write(JSON.stringify(found));
