"""The page says what is so: who asks, what failed, what is a draft; never what a node made up."""

import json
import re
from collections.abc import Callable
from typing import Any

from eth_account import Account
from playwright.sync_api import Page, Route, expect

from browser.reading_codes import read_code
from browser.visit import Visit
from browser.world import World, eventually
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
MARKET = "http://market.example"
Open = Callable[..., Visit]
GRANTED, REVOKED = Reason.GRANTED, Reason.REVOKED
CLONING = "likeness-synthesis"
# A page that asks for a license in the name of a marketplace.
ASKING = """<!doctype html><title>Asks</title><button>Ask</button><script>
const terms = { purposes: ["train-ai"], expires: "2027-05-03" };
const request = { grantee: "%s", via: "%s", items: ["0x%s"], ...terms };
let page = null;
document.querySelector("button").onclick = () => { page = window.open("%s/#/allow"); };
addEventListener("message", (event) => {
  if (event.source === page && event.data.type === "sayso-ready-1")
    page.postMessage({ type: "sayso-request-1", request }, "*");
});
</script>"""


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def test_who_asks_for_another_marketplace_cannot_be_overlooked(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    body = ASKING % (LAB, "kled.ai", "31" * 32, here.url)
    here.context.route(f"{MARKET}/", lambda route: route.fulfill(body=body, content_type="text/html"))
    market = here.context.new_page()
    market.goto(f"{MARKET}/")
    with market.expect_popup() as opening:
        market.get_by_role("button", name="Ask").click()
    page = here.page = here.watch(opening.value)
    page.get_by_role("button", name="Connect Test Wallet").click()
    warning = page.get_by_role("alert")
    expect(warning).to_contain_text(
        "market.example asks for this, but the license would name kled.ai as the marketplace."
    )
    sign = page.get_by_role("button", name="Sign", exact=True)
    expect(sign).to_be_disabled()
    here.look_at("strange-asker")
    page.get_by_label("I know who asks, and I want to go on.").check()
    expect(sign).to_be_enabled()
    page.get_by_role("button", name="Change Marketplace").click()
    page.get_by_label("Marketplace").fill("market.example")
    expect(warning).to_have_count(0)
    page.get_by_label("Marketplace").fill("kled.ai")
    expect(warning).to_be_visible()
    page.get_by_label("Marketplace").fill("evil-market.example")  # ends in the same letters only
    expect(warning).to_be_visible()
    expect(sign).to_be_disabled()


def test_swahili_takes_away_and_a_draft_says_so(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB, via="kled.ai")
    here = visit(account=ada, language="sw-KE")
    page = here.go()
    expect(page.get_by_text("Tafsiri hii ni rasimu.")).to_be_visible()
    page.locator(".wallets button").click()
    expect(card(page, held)).to_contain_text("Ondoa ruhusa")
    assert not re.search("rudish", page.locator("main").inner_text(), re.IGNORECASE)
    here.look_at("draft-sw")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="My licenses")).to_be_visible()
    expect(page.get_by_text("This translation is a draft.")).to_have_count(0)


def test_somebody_at_a_desk_gets_a_code_for_the_phone(visit: Open, place: World) -> None:
    page = visit().go("#/allow?via=kled.ai")
    page.get_by_role("button", name="Show a code for your phone").click()
    assert read_code(page.locator("[data-link]").screenshot()) == page.url


def test_the_newest_is_first_and_more_comes_below(visit: Open, place: World) -> None:
    ada = place.person()
    held = [
        place.license(ada, 1, grantee=LAB, via=f"{name}.example")
        for name in ("one", "two", "one", "two")
    ] + place.license_many(ada, 33, grantee=LAB, via="one.example")
    page = visit(account=ada).connect()
    expect(page.get_by_text("37 licenses")).to_be_visible()
    cards = page.locator(".card")
    shown = cards.evaluate_all("all => all.map((one) => one.dataset.license)")
    newest = [hex_text(one.digest) for one in reversed(held)]
    assert shown == newest[:30]
    page.get_by_role("button", name="Show 7 more").click()
    expect(cards).to_have_count(37)
    assert cards.evaluate_all("all => all.map((one) => one.dataset.license)") == newest
    expect(cards.nth(30)).to_be_focused()


def test_search_and_a_half_filled_form_are_not_lost(visit: Open, place: World) -> None:
    ada = place.person()
    held = [place.license(ada, 1, grantee=LAB, via=f"market-{n}.example") for n in range(5)]
    here = visit(account=ada)
    page = here.connect()
    page.get_by_role("searchbox").fill("market-3")
    expect(page.locator(".card")).to_have_count(1)
    names = {one.get_attribute("aria-label") for one in page.locator(".card .danger").all()}
    page.get_by_role("link", name="Files and details").click()
    expect(page).to_have_title("A license · Sayso")
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("market-3")
    expect(card(page, held[3])).to_be_visible()
    expect(page).to_have_title("My licenses · Sayso")
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".card")).to_have_count(5)
    assert all(names)
    link = page.locator(".card").nth(3).get_by_role("link", name="Files and details")
    link.hover()
    stood = page.evaluate("scrollY")
    assert stood > 0
    link.click()
    expect(page).to_have_title("A license · Sayso")
    page.go_back()
    page.wait_for_function("y => Math.abs(scrollY - y) < 3", arg=stood)
    page.get_by_role("link", name="Allow", exact=True).click()
    expect(page).to_have_title("Allow a use · Sayso")
    page.get_by_label("Marketplace").fill("kled.ai")
    page.get_by_label("train AI", exact=True).check()
    page.reload()
    expect(page.get_by_label("Marketplace")).to_have_value("kled.ai")
    expect(page.get_by_label("train AI", exact=True)).to_be_checked()


SILENT = """
addEventListener("eip6963:announceProvider", (event) => {
  const { provider } = event.detail;
  const request = provider.request;
  provider.request = (asked) => window.__silent && asked.method === "eth_signTypedData_v4"
    ? new Promise(() => undefined) : request(asked);
}, { capture: true });
"""


def test_a_silent_wallet_can_be_cancelled(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    here.context.add_init_script(SILENT)
    page = here.connect()
    page.evaluate("window.__silent = true")
    card(page, held).get_by_role("button", name="Take back").click()
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_text("Sign in your wallet")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_have_text(
        "You cancelled. If your wallet still asks, decline there. Nothing was signed."
    )
    here.look_at("cancelled")
    page.evaluate("window.__silent = false")
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()


def test_the_account_is_shown_in_full_copied_and_changed(visit: Open, place: World) -> None:
    ada, ben = place.person(), place.person()
    place.license(ben, 3, grantee=LAB)
    here = visit(account=ada)
    here.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert here.wallet
    here.wallet.others = [ben.address]
    page = here.connect()
    page.locator(".account > summary").click()  # and nothing is disconnected
    expect(page.locator(".account")).to_contain_text(ada.address)
    here.look_at("account")
    page.get_by_role("button", name="Copy the address").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == ada.address
    page.locator(".account select").select_option(ben.address)
    expect(page.locator(".card")).to_contain_text("3 recordings")


def test_a_claim_that_the_node_made_up_is_not_displayed(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)

    def lie(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["consents"][0]["consent"]["purposes"] = [CLONING]
        route.fulfill(response=answer, body=json.dumps(body))

    here.page.route("**/consents*", lie)
    page = here.connect()
    expect(card(page, held)).to_contain_text("does not match what you signed")
    expect(card(page, held)).not_to_contain_text("clone")
    expect(card(page, held).get_by_role("link", name="South")).to_be_visible()
    here.look_at("made-up")


def test_an_error_is_a_sentence_with_a_code(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada, language="es-MX")
    page = here.go()
    page.locator(".wallets button").click()
    refusal = {"error": {"code": "store-unusable", "message": "disk I/O error"}}
    page.route("**/v1/revocations", lambda route: route.fulfill(status=503, json=refusal))
    card(page, held).locator(".danger").click()
    page.locator("dialog > .danger").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Este nodo tiene un fallo propio.")
    expect(alert).to_contain_text("store-unusable")
    expect(alert).not_to_contain_text("disk")
    # A node that is down names the others, as far as this device knows them.
    page.route("**/v1/node", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("link", name="South")).to_have_attribute("href", re.compile(place.south.url))
    here.look_at("node-down")


def test_a_guardian_is_offered_what_they_reach_and_single_files(visit: Open, place: World) -> None:
    ada, guardian = place.person(), place.person()
    guards = bytes.fromhex(guardian.address[2:])
    held = place.license(ada, 3, grantee=LAB, via="kled.ai", guardian=guards)
    other = place.license(ada, 2, grantee=LAB, via="silencio.network", purposes=("research",))
    here = visit(account=guardian)
    page = here.connect()
    page.goto(f"{here.url}/#/of/{ada.address}")
    expect(page.get_by_role("button", name="Take back all of kled.ai")).to_be_visible()
    expect(page.get_by_role("button", name="Take back all of silencio.network")).to_have_count(0)
    offered = page.get_by_label("Take back a purpose everywhere").locator("option").all_inner_texts()
    assert offered == ["Choose a purpose", "train AI"]
    card(page, held).get_by_role("link", name="Files and details").click()
    expect(page.get_by_text("What was signed")).to_be_visible()
    page.get_by_role("checkbox").nth(2).check()  # the first selects all
    page.get_by_role("button", name="Take back 1 file").click()
    expect(page.get_by_role("dialog")).to_contain_text(
        "It covers these files in every license that names you"
    )
    here.look_at("guardian-file")
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    eventually(lambda: place.reasons(held, LAB, "train-ai") == [GRANTED, REVOKED, GRANTED])
    assert here.wallet
    ward = f"ward {ada.address.lower()} file {hex_text(held.items[1])}"
    assert [one["message"]["scopes"] for one in here.wallet.asked] == [[ward]]
    page.goto(f"{here.url}/#/license/{hex_text(other.digest)}")
    expect(page.get_by_text("What was signed")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)


# What Chromium does where a person has blocked all data of sites.
REFUSED = """
const no = () => { throw new DOMException("denied", "SecurityError"); };
Object.defineProperty(window, "localStorage", { get: no });
Object.defineProperty(window, "sessionStorage", { get: no });
IDBFactory.prototype.open = no;
LockManager.prototype.request = async () => no();
"""


def test_a_browser_that_refuses_storage_still_takes_back(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    here.context.add_init_script(REFUSED)
    page = here.connect()
    card(page, held).get_by_role("button", name="Take back").click()
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    expect(page.get_by_text("This browser keeps nothing.")).to_be_visible()


def test_an_answer_without_sense_leaves_a_page_that_says_so(visit: Open, place: World) -> None:
    ada = place.person()
    place.license(ada, 2, grantee=LAB)
    page = visit(account=ada).connect()

    def garble(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=spoilt(answer.json()))

    def spoilt(body: Any) -> Any:
        for one in body.get("consents", [body]):
            one["consent"] = {"notice": "I allow"}
        return body

    page.route("**/consents*", garble)
    page.reload()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("That did not work.")
    expect(alert.get_by_role("link", name="South")).to_be_visible()
    # Another view of the page is not gone with it.
    page.get_by_role("link", name="Look up").click()
    expect(page.get_by_role("heading", name="Who licensed a file?")).to_be_visible()
    # The same where the node says nothing of itself that can be read.
    page.route("**/v1/node", lambda route: route.fulfill(json={"name": 3, "names": []}))
    page.reload()
    banner = page.locator(".banner")
    expect(banner).to_contain_text("This node does not answer.")
    expect(banner.get_by_role("link", name="South")).to_be_visible()
