// Results beside a receipt (9.2), anchors (10.2), and broken promises (9.7).

import { hex, require, unhex } from "./bytes.js";
import { checkSignatures, digestOf, readEnvelope } from "./messages.js";
import { isRevoked, scopeWord, scopesOverAll } from "./scopes.js";
import { batchRoot, checkPath, checkRow, resultsRoot, wideRoot } from "./trees.js";
import { checkTrusted, readHash } from "./trust.js";
import { Known, REASONS } from "./verdict.js";

/** Rule 9.2: that these rows and reasons are those of a receipt. */
export function checkResults(receipt, rows) {
  const joined = rows.map((one) => Buffer.concat([readHash(one.license), readHash(one.item)]));
  const results = joined.map((row, at) => Buffer.concat([row, Buffer.from([numberOf(rows[at].reason)])]));
  const same = hex(wideRoot(joined)) === receipt.manifest_root;
  require(same && hex(resultsRoot(results)) === receipt.results_root, "bad-proof", "other rows or results");
  const counted = rows.filter((one) => one.reason in receipt.counts).length;
  const all = Object.entries(receipt.counts).every(
    ([reason, count]) => rows.filter((one) => one.reason === reason).length === count,
  );
  require(all && counted === rows.length, "bad-proof", "other counts");
}

/** The proof of a row as a file (9.7), against a number of rows and a root. */
export function checkRowFile(proof, count, root) {
  require(proof.type === "sayso-row-proof-1" && Array.isArray(proof.path), "malformed", "no proof");
  const bytes = proof.path.every((one) => typeof one === "string" && /^0x([0-9a-f]{2})*$/.test(one));
  require(bytes && Number.isInteger(proof.index) && proof.index >= 0, "malformed", "no proof");
  const row = Buffer.concat([readHash(proof.license), readHash(proof.item)]);
  checkRow(row, numberOf(proof.reason), proof.index, count, proof.path.map(unhex), root);
}

/** Rule 10.2. */
export function checkAnchor({ license, root, node_key, count, index, path, tree }) {
  require(BigInt(count) < 1n << 64n, "bad-proof", "no batch is that large");
  checkPath(unhex(license), index, Number(count), path.map(unhex), unhex(tree));
  const anchored = batchRoot(Buffer.from(node_key, "hex"), BigInt(count), unhex(tree));
  require(hex(anchored) === root, "bad-proof", "another root is anchored");
}

/** Rule 9.7, in its order; refuses `not-proven` or the code of the check that fails. */
export async function checkMisconduct({ acknowledgement, receipt, proof, ...texts }, trusted) {
  const proven = (condition, why) => require(condition, "not-proven", why);
  const [stop, consent] = [texts.revocation, texts.consent].map((one) => readEnvelope(unhex(one), trusted.network));
  proven(stop.kind === "Revocation" && consent.kind === "Consent", "other messages");
  checkTrusted("acknowledgement", acknowledgement, trusted);
  checkTrusted("receipt", receipt, trusted);
  proven(acknowledgement.node_key === receipt.node_key, "two nodes");
  proven(acknowledgement.digest === digestOf(stop), "another revocation");
  await checkSignatures(stop);
  const rows = Object.values(receipt.counts).reduce((sum, one) => sum + one, 0);
  checkRowFile(proof, rows, unhex(receipt.results_root));
  proven(proof.reason === "granted" && proof.license === digestOf(consent), "another row");
  proven(covers(stop, consent, proof.item, receipt), "it does not cover the row");
  const later = receipt.time > acknowledgement.time && receipt.block.number >= acknowledgement.block.number;
  proven(later, "not later");
}

/** Rule 9.7, 4: whether a revocation alone keeps a row from ever being granted. */
function covers(stop, consent, item, receipt) {
  const query = { grantee: receipt.grantee.toLowerCase(), purpose: receipt.purpose };
  const { bits, licenses } = new Known([stop, consent]);
  const [held] = licenses.values();
  if (!held.items.includes(item)) return false;
  if (isRevoked(bits, held, item, query)) return true;
  const { contributor } = stop.message;
  if (contributor === held.consent.contributor || !held.consent.parties.includes(contributor)) return false;
  return scopesOverAll(item, query).some((one) => (bits.get(contributor).get(scopeWord(one)) ?? 0n) & 1n);
}

function numberOf(reason) {
  require(REASONS.includes(reason), "malformed", `no reason: ${reason}`);
  return REASONS.indexOf(reason) + 1;
}
