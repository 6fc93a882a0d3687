// Writes contracts/test/viem.json: revocations signed by viem, which shares no code with the registry or
// with eth-account. Keys and contents follow from the names, so it writes the same bytes each time.
//
//   node revocations.js [FILE]

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { hashTypedData, keccak256, stringToHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

// For tests only: whoever reads this file knows the keys.
const accountOf = (name) => privateKeyToAccount(keccak256(stringToHex(`viem test key ${name}`)));
const wordOf = (name) => BigInt(keccak256(stringToHex(`word ${name}`))) >> 9n; // below 2^247
const ALL = 2n ** 256n - 1n;
const several = (count) => Array.from({ length: count }, (_, at) => at);

const NOTICE = "I take back what is listed here, now and for ever, wherever my signature counts. This cannot be undone.";
const REGISTRY = "0x5A7500000000000000000000000000000000C0De"; // where contracts/test/Outside.t.sol has it
const TYPES = {
  Revocation: [
    { name: "notice", type: "string" },
    { name: "contributor", type: "address" },
    { name: "scopes", type: "string[]" },
    { name: "words", type: "uint248[]" },
    { name: "masks", type: "uint256[]" },
  ],
};

// name: [chain id, scopes, words, masks]
const CASES = {
  "one permission": [31337, [], [wordOf("one")], [1n << 77n]],
  "a full word": [1, [], [wordOf("full")], [ALL]],
  everything: [8453, ["everything"], [], []],
  nothing: [Number.MAX_SAFE_INTEGER, [], [], []],
  "scopes and words": [
    10,
    ["everything for resale", "via kled.ai"],
    [wordOf("a"), wordOf("b"), 0n, 2n ** 247n - 1n],
    [1n, 2n, 3n, 1n << 255n],
  ],
  "the same word twice": [31337, [], [wordOf("twice"), wordOf("twice")], [1n, 2n]],
  "as many as there may be": [
    42161,
    several(16).map((at) => `via number-${at}.example`),
    several(64).map((at) => wordOf(`many ${at}`)),
    several(64).map(() => ALL),
  ],
};

const hex = (number) => `0x${number.toString(16).padStart(64, "0")}`;

async function signed(name, [chainId, scopes, words, masks]) {
  const account = accountOf(name);
  const typedData = {
    domain: { name: "Sayso", version: "1", chainId, verifyingContract: REGISTRY },
    types: TYPES,
    primaryType: "Revocation",
    message: { notice: NOTICE, contributor: account.address, scopes, words, masks },
  };
  return {
    name,
    contributor: account.address.toLowerCase(),
    chainId,
    scopes,
    words: words.map(hex),
    masks: masks.map(hex),
    digest: hashTypedData(typedData),
    signature: await account.signTypedData(typedData),
  };
}

const found = await Promise.all(Object.entries(CASES).map(([name, what]) => signed(name, what)));
const place = process.argv[2] ?? fileURLToPath(new URL("../../contracts/test/viem.json", import.meta.url));
writeFileSync(place, `${JSON.stringify(found, null, 1)}\n`);
