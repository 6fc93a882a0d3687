// Rules 7.1 and 7.4 to 7.8: a frame, as a peer reads it that does not ask the chain. What is a [REJECT] is
// looked for in the whole bundle, before anything that is an [IGNORE].

import { require } from "./bytes.js";
import { checkSignatures, readEnvelope, travelsAlone } from "./messages.js";
import { unpack } from "./packing.js";

const AHEAD = 600n;
const TOPICS = { Consent: "consents", Revocation: "revocations" };
const topicOf = ({ kind }) => TOPICS[kind] ?? "statements";

/** The envelopes of a bundle on a topic, every one of them checked; refuses a bundle with a bad one. */
export async function readBundle(frame, topic, network, now) {
  require(frame.length <= 65_544, "too-large", "a frame has at most 65,544 bytes");
  const messages = unpack(frame);
  const valid = Array.isArray(messages) && messages.length > 0 && messages.every(Buffer.isBuffer);
  require(valid, "malformed", "a bundle is an array of messages, and not empty");
  const envelopes = messages.map((one) => readEnvelope(one, network));
  const alone = envelopes.length === 1 || !envelopes.some(travelsAlone);
  require(alone, "malformed", "a contract wallet's message has no company (4.4, 4.8)");
  require(envelopes.every((one) => topicOf(one) === topic), "malformed", "of another topic");
  for (const envelope of envelopes) {
    require(envelope.kind === "Revocation" || envelope.sponsor, "not-sponsored", "");
    await checkSignatures(envelope); // what only the chain can judge is alone
  }
  for (const { message } of envelopes) {
    require((message.issuedAt ?? message.usedAt ?? 0n) <= now + AHEAD, "from-the-future", "");
  }
  return envelopes;
}
