// What a wallet shows of a revocation, beside the words of the page: first in short, so that both can be compared
// at a glance, and in full for whoever wants to see every digit.

import { language, t } from "../i18n.js";
import type { Revocation } from "../protocol/messages.js";
import { meaningOf } from "../wish.js";
import { short } from "./parts.js";

const SHOWN = 4; // messages whose numbers are shown before they are signed

/** A scope as the wallet shows it, with each hash and address shortened. */
const inShort = (scope: string): string => scope.replace(/0x[0-9a-f]+/g, short);

/** The first message in short: its sentences, and how its numbers begin. */
export function Named({ revocations }: { revocations: Revocation[] }) {
  const [{ scopes, words }] = revocations as [Revocation];
  return (
    <p class="quiet small" data-named>
      {t("named_in_wallet")}{" "}
      {scopes.map((scope) => (
        <code class="named" key={scope}>
          {inShort(scope)}
        </code>
      ))}
      {words.length > 0 && t("numbers_in_wallet", { n: words.length, first: `${words[0]!.slice(0, 6)}…` })}
    </p>
  );
}

export function WalletShows({ revocations }: { revocations: Revocation[] }) {
  return (
    <details>
      <summary>{t("wallet_shows")}</summary>
      {revocations.slice(0, SHOWN).map((one, at) => (
        <blockquote lang="en" key={at}>
          <p>{one.notice}</p>
          {one.scopes.map((scope) => (
            <p key={scope}>
              <code>{scope}</code>
              {meaningOf(scope) && (
                <span class="quiet small" lang={language}>
                  {" "}
                  {meaningOf(scope)}
                </span>
              )}
            </p>
          ))}
          {one.words.length > 0 && <Numbers revocation={one} />}
        </blockquote>
      ))}
    </details>
  );
}

function Numbers({ revocation }: { revocation: Revocation }) {
  return (
    <ul class="numbers">
      {revocation.words.map((word, at) => (
        <li key={word}>
          <code>{word}</code>
          <br />
          <code>{revocation.masks[at]}</code>
        </li>
      ))}
    </ul>
  );
}

