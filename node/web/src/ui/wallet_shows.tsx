// What a wallet shows of a revocation, beside the words of the page: first in short, so that both can be compared
// at a glance, and in full for whoever wants to see every digit.

import { language, t } from "../i18n.js";
import { short } from "../protocol/bytes.js";
import type { Revocation } from "../protocol/messages.js";
import { type Chosen, meaningOf } from "../wish.js";

const SHOWN = 4; // messages whose numbers are shown before they are signed

/** A scope as the wallet shows it, with each hash and address shortened. */
const inShort = (scope: string): string => scope.replace(/0x[0-9a-f]+/g, short);

/** A number as the wallet shows it, how it begins and ends. */
const numberInShort = (number: string): string => (number.length > 12 ? short(number) : number);

type Naming = ReadonlyMap<string, Chosen[]>;

interface Shown {
  revocations: Revocation[];
  /** The files for which a number or a sentence stands. */
  named: Naming | undefined;
}

const FILES = 5; // that are named beside a number

/** The files for which it stands, by the names and short hashes of the list. */
function Meant({ of }: { of: Chosen[] | undefined }) {
  if (!of) return null;
  const more = of.length > FILES ? [`+ ${of.length - FILES}`] : [];
  return <bdi> {[...of.slice(0, FILES).map(({ name, item }) => name || short(item)), ...more].join(", ")}</bdi>;
}

/** The first message in short: its sentences and numbers, each with the files for which it stands. */
export function Named({ revocations, named }: Shown) {
  const [{ scopes, words, masks }] = revocations as [Revocation];
  const rest = words.length - SHOWN;
  return (
    <div class="quiet small" data-named>
      {t("named_in_wallet")}
      <ul class="named">
        {scopes.map((scope) => (
          <li key={scope}>
            <code>{inShort(scope)}</code>
            <Meant of={named?.get(scope)} />
          </li>
        ))}
        {words.slice(0, SHOWN).map((word, at) => (
          <li key={word}>
            <code>words {numberInShort(word)}</code> <code>masks {numberInShort(masks[at]!)}</code>
            <Meant of={named?.get(word)} />
          </li>
        ))}
        {rest > 0 && <li>+ {t("numbers_in_wallet", { n: rest, first: `${words[SHOWN]!.slice(0, 6)}…` })}</li>}
      </ul>
    </div>
  );
}

export function WalletShows({ revocations, named }: Shown) {
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
          {one.words.length > 0 && <Numbers revocation={one} named={named} />}
        </blockquote>
      ))}
    </details>
  );
}

function Numbers({ revocation, named }: { revocation: Revocation; named: Naming | undefined }) {
  return (
    <ul class="numbers">
      {revocation.words.map((word, at) => (
        <li key={word}>
          <code>{word}</code>
          <br />
          <code>{revocation.masks[at]}</code>
          <Meant of={named?.get(word)} />
        </li>
      ))}
    </ul>
  );
}

