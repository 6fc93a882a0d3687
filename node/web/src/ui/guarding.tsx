// A guardian is invited by a link, agrees with their own wallet, and answers by a link. Anybody can make such a
// link, so the person compares the address by voice before this device uses it.

import { useState } from "preact/hooks";

import { t } from "../i18n.js";
import { keepGuardian, keepWard, wardsOf } from "../net/guardians.js";
import { readAddress, same, short } from "../protocol/bytes.js";
import { useApp } from "./app.js";
import { Wallets } from "./home.js";
import { Copy, Say, Share } from "./parts.js";

const linkTo = (query: Record<string, string>): string => `${location.origin}/#/guardian?${new URLSearchParams(query)}`;

/** A link to send: by the device's own sheet where it has one, or to be copied. */
function Link({ link, hint }: { link: string; hint: string }) {
  return (
    <div class="say good">
      <div>
        <p>{hint}</p>
        <p>
          <code class="long" data-link={link}>
            {link}
          </code>
        </p>
        <p class="actions">
          <Share what={{ url: link }} label="share" />
          <Copy text={link} label="copy_link" />
        </p>
      </div>
    </div>
  );
}

/** In the form of a license: the link that invites somebody. */
export function Invite() {
  const { account } = useApp();
  const [shown, show] = useState(false);
  if (!account) return null;
  if (shown) return <Link link={linkTo({ of: account })} hint={t("invite_hint")} />;
  return (
    <button type="button" onClick={() => show(true)}>
      {t("invite")}
    </button>
  );
}

/** Both ends of an invitation: `of` is who asks, `is` who agreed. */
export function Guardian({ query }: { query: URLSearchParams }) {
  const { account } = useApp();
  const of = readAddress(query.get("of") ?? "");
  const is = readAddress(query.get("is") ?? "");
  const own = account !== null && same(account, (is ? is : of) ?? "");
  return (
    <section>
      <h1>{t("guard_title")}</h1>
      {!of && <Say kind="bad">{t("bad_address")}</Say>}
      {of && !account && (
        <>
          <p class="lead">{t(is ? "guard_offer" : "guard_asked", { address: short(is ?? of) })}</p>
          <Wallets />
        </>
      )}
      {of && account && own && <Say kind="warn">{t("guard_own")}</Say>}
      {of && account && !own && (is ? <Confirm ward={of} guardian={is} /> : <Agree ward={of} />)}
    </section>
  );
}

function Agree({ ward }: { ward: string }) {
  const { account } = useApp();
  const [agreed, setAgreed] = useState(() => wardsOf(account!).includes(ward));
  const agree = () => (keepWard(account!, ward), setAgreed(true));
  return (
    <>
      <p class="lead">{t("guard_asked", { address: short(ward) })}</p>
      <p>
        <code>{ward}</code>
      </p>
      <p>{t("guard_means")}</p>
      {agreed ? (
        <Link link={linkTo({ of: ward, is: account! })} hint={t("guard_back")} />
      ) : (
        <button type="button" class="primary wide" onClick={agree}>
          {t("guard_yes", { address: short(account!) })}
        </button>
      )}
    </>
  );
}

function Confirm({ ward, guardian }: { ward: string; guardian: string }) {
  const { account } = useApp();
  const [kept, setKept] = useState(false);
  if (!same(account!, ward)) return <Say kind="bad">{t("wrong_account", { address: short(ward) })}</Say>;
  const confirm = () => (keepGuardian(ward, guardian), setKept(true));
  return (
    <>
      <p class="lead">{t("guard_offer", { address: short(guardian) })}</p>
      <p>
        <code>{guardian}</code>
      </p>
      <p>{t("guardian_hint")}</p>
      <Say kind="warn">{t("guard_compare")}</Say>
      {kept ? (
        <Say kind="good" focus>
          <p>{t("guard_kept")}</p>
          <a class="button" href="#/allow">
            {t("give_title")}
          </a>
        </Say>
      ) : (
        <button type="button" class="primary wide" onClick={confirm}>
          {t("guard_confirm")}
        </button>
      )}
    </>
  );
}

/** Whose guardian this account agreed to be. */
export function Wards() {
  const { account } = useApp();
  const wards = account ? wardsOf(account) : [];
  if (wards.length === 0) return null;
  return (
    <>
      <p>{t("guard_wards")}</p>
      <p class="actions">
        {wards.map((one) => (
          <a class="button" key={one} href={`#/of/${one}`}>
            {short(one)}
          </a>
        ))}
      </p>
    </>
  );
}
