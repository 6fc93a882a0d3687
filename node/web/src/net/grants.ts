// Signed consents, kept on this device before they are sent: until a node has one, it exists nowhere else. Each is sent
// once; a node that does not answer is asked again, and one that refuses is not.

import { ApiError, passes, submitConsent } from "./api.js";
import { all, alone, forget, put, some } from "./database.js";
import type { Consent, Network } from "../protocol/messages.js";

export interface KeptGrant {
  /** The license hash. */
  license: string;
  consent: Consent;
  items: string[];
  network: Network;
  signature: string;
  /** Seconds since the epoch. */
  madeAt: number;
  /** Whether a node has taken it. For a day, other tabs can see that here. */
  sent: boolean;
  /** The code with which the node refused it; empty otherwise. */
  refused: string;
}

const DAY_S = 86_400;

/** Whether the device has stored it for good. */
export const keepGrant = (one: KeptGrant): Promise<boolean> => put("grants", [one]);

export const forgetGrant = (license: string): Promise<void> => forget("grants", license);

/** Whether a node has taken it, as far as this device knows. */
export const isSent = async (license: string): Promise<boolean> => (await some<KeptGrant>("grants", [license]))[0]?.sent ?? false;

/** Those that no node has, oldest first. */
export async function unsentGrants(): Promise<KeptGrant[]> {
  const now = Date.now() / 1000;
  const kept = await all<KeptGrant>("grants");
  await Promise.all(kept.filter((one) => one.sent && one.madeAt < now - DAY_S).map((one) => forgetGrant(one.license)));
  return kept.filter((one) => !one.sent).sort((one, other) => one.madeAt - other.madeAt);
}

/** Sends it to this node, unless that was done meanwhile; throws if it is refused or not answered. */
export const sendGrant = (one: KeptGrant): Promise<void> =>
  alone(async () => {
    if (await isSent(one.license)) return;
    try {
      await submitConsent(one.consent, one.items, one.signature);
    } catch (problem) {
      if (problem instanceof ApiError && !passes(problem)) await keepGrant({ ...one, refused: problem.code });
      throw problem;
    }
    await keepGrant({ ...one, items: [], sent: true, refused: "" });
  });
