// What a user trusts, and what people type: rules 1.2 to 1.4 and 9.5.

import { parse } from "smol-toml";
import { getAddress } from "viem";

import { NOBODY, Refused, hex, require, unhex } from "./bytes.js";
import { checkDomain } from "./scopes.js";
import { checkStatement } from "./statements.js";

/** Rule 1.2: an address as lower-case text. */
export function readAddress(text) {
  const valid = /^0x[0-9a-fA-F]{40}$/.test(text);
  const right = valid && (text === text.toLowerCase() || text === getAddress(text.toLowerCase()));
  require(right, "invalid-address", text);
  return text.toLowerCase();
}

/** Rule 1.3: a hash as bytes. */
export function readHash(text) {
  require(typeof text === "string" && /^0x[0-9a-f]{64}$/.test(text), "malformed", `not a hash: ${text}`);
  return unhex(text);
}

/** Rule 1.4: {network, keys} of a network file. */
export function readNetworkFile(text) {
  try {
    require(text.length <= 65_536 && !text.startsWith("\ufeff"), "", "at most 65,536 characters");
    const file = parse(text, { integersAsBigInt: true });
    const numbers = [file.chain_id, file.deploy_block, file.finality];
    const whole = numbers.every((one) => typeof one === "bigint" && one >= 0n);
    const fits = whole && file.chain_id > 0n && file.chain_id < 1n << 53n; // 1.1
    const keys = (file.operators ?? []).map(({ name, key }) => {
      require(typeof name === "string" && name !== "" && /^[0-9a-f]{64}$/.test(key), "", "an operator");
      return key;
    });
    checkNamed(file.heed ?? [], 16);
    checkNamed(file.names ?? [], Infinity);
    require(fits && new Set(keys).size === keys.length, "", "numbers and keys");
    return { network: { chainId: file.chain_id, registry: readAddress(file.registry) }, keys };
  } catch (error) {
    throw new Refused("invalid-network-file", error.message);
  }
}

/** Rules 1.4.6 to 1.4.8. */
function checkNamed(entries, most) {
  const addresses = entries.map(({ address, name, domain, role }) => {
    require(typeof name === "string" && name !== "" && readAddress(address) !== NOBODY, "", "a name");
    if (domain !== undefined) checkDomain(domain);
    require(role === undefined || typeof role === "string", "", "a role");
    return readAddress(address);
  });
  require(addresses.length <= most && new Set(addresses).size === addresses.length, "", "too many, or one twice");
}

/** Rules 9.5 and 9.9: that one of the operators signed a statement for this network. */
export function checkTrusted(kind, json, trusted) {
  return checkStatement(kind, json, (chainId, registry, key) => {
    const here = chainId === trusted.network.chainId && hex(registry) === trusted.network.registry;
    require(here, "wrong-network", `${chainId}`);
    require(trusted.keys.includes(key), "unknown-signer", key);
  });
}
