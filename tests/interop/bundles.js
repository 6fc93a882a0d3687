// Rules 7.1 and 7.4 to 7.8: a frame, as a peer reads it that does not ask the chain.

import { require } from "./bytes.js";
import { checkSignatures, readEnvelope } from "./messages.js";
import { unpack } from "./packing.js";

const AHEAD = 600n;

/** The envelopes of a bundle, every one of them checked; refuses what the first bad one is refused for. */
export async function readBundle(frame, network, now) {
  require(frame.length <= 65_544, "too-large", "a frame has at most 65,544 bytes");
  const messages = unpack(frame);
  const valid = Array.isArray(messages) && messages.length > 0 && messages.every(Buffer.isBuffer);
  require(valid, "malformed", "a bundle is an array of messages, and not empty");
  const envelopes = messages.map((one) => readEnvelope(one, network));
  const alone = envelopes.length === 1 || envelopes.every((one) => one.signature.length <= 65);
  require(alone, "malformed", "a contract wallet's message has no company (4.4)");
  require(new Set(envelopes.map((one) => one.kind)).size === 1, "malformed", "two kinds");
  for (const envelope of envelopes) {
    const { kind, message, sponsor } = envelope;
    require(kind === "Revocation" || sponsor, "not-sponsored", "");
    await checkSignatures(envelope);
    require(kind === "Revocation" || message.issuedAt <= now + AHEAD, "from-the-future", "");
  }
  return envelopes;
}
