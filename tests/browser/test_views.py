"""For everybody: dark, in eight languages, by keyboard, with thousands of licenses, on a slow line."""

from collections.abc import Callable

import pytest
from eth_account import Account
from playwright.sync_api import expect

from browser.visit import Visit
from browser.world import World
from sayso_protocol.primitives import hex_text

LAB = Account.create().address
Open = Callable[..., Visit]
MANY = 2_000

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("language", "heading"),
    [
        ("hi-IN", "मेरे लाइसेंस"),
        ("es-MX", "Mis licencias"),
        ("fr-FR", "Mes licences"),
        ("pt-BR", "Minhas licenças"),
        ("sw-KE", "Leseni zangu"),
        ("ar-EG", "تراخيصي"),
        ("id-ID", "Lisensi saya"),
    ],
)
def test_the_browsers_language_is_spoken(visit: Open, place: World, language: str, heading: str) -> None:
    ada = place.person()
    place.license(ada, 1, grantee=LAB, via="kled.ai")
    place.license(ada, 40, grantee=LAB, via="kled.ai", purposes=("likeness-synthesis", "resale"))
    here = visit(account=ada, language=language, dark=language == "hi-IN")
    page = here.go()
    page.locator(".wallets button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert page.evaluate("document.documentElement.lang") == language[:2]
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar-EG" else "ltr")
    expect(page.locator(".card")).to_have_count(2)
    here.look_at(f"licenses-{language[:2]}")
    page.locator(".card .danger").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    here.look_at(f"question-{language[:2]}")


def test_a_language_is_chosen_and_kept(visit: Open, place: World) -> None:
    page = visit().go()
    page.get_by_label("Language").select_option("sw")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ondoa ruhusa yako.")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ondoa ruhusa yako.")


def test_in_the_dark(visit: Open, place: World) -> None:
    ada = place.person()
    for via in ("kled.ai", "silencio.network"):
        place.license(ada, 40, grantee=LAB, via=via, purposes=("evaluate", "train-ai"))
    here = visit(account=ada, dark=True)
    page = here.connect()
    here.look_at("licenses-dark")
    page.locator(".card .danger").first.click()
    here.look_at("question-dark")
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.locator(".steps")).to_contain_text("North stored it")
    here.look_at("progress-dark")


def test_by_keyboard_alone(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.go()
    connect = page.get_by_role("button", name="Connect Test Wallet")
    connect.focus()
    page.keyboard.press("Enter")
    take = page.locator(f'[data-license="{hex_text(held.digest)}"] .danger')
    expect(take).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if take.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(take).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign and take back").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")


def test_thousands_of_licenses_are_searched_at_once(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license_many(ada, MANY, grantee=LAB, via="kled.ai")
    here = visit(account=ada)
    page = here.connect()
    expect(page.get_by_text(f"{MANY:,} licenses")).to_be_visible()
    assert page.locator(".card").count() == 30
    page.get_by_role("button", name="Show 30 more").click()
    expect(page.locator(".card")).to_have_count(60)
    page.get_by_role("searchbox").fill(hex_text(held[-1].digest))
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_label("Show").select_option("revoked")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    here.look_at("no-match")


def test_items_by_the_thousand(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 1_024, grantee=LAB, purposes=tuple(f"use-{at:02}" for at in range(16)))
    page = visit(account=ada).connect(f"#/license/{hex_text(held.digest)}")
    expect(page.locator(".items li")).to_have_count(50)
    page.get_by_role("searchbox").fill(held.items[1_023].hex())
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Take back 1 file").click()
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")
    found = place.reasons(held, LAB, "use-07")
    assert [at for at, one in enumerate(found) if one.value == "revoked"] == [1_023]


def test_on_a_slow_network(visit: Open, place: World) -> None:
    here = visit()
    client = here.context.new_cdp_session(here.page)
    client.send("Network.enable")
    slow = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    client.send("Network.emulateNetworkConditions", slow)
    page = here.go()
    expect(page.get_by_role("heading", level=1)).to_have_text("Take back your say-so.")


def test_a_node_that_is_gone_is_said(visit: Open, place: World) -> None:
    here = visit()
    here.page.route("**/v1/node", lambda route: route.abort())
    page = here.go()
    expect(page.get_by_role("alert")).to_contain_text("This node does not answer. Nothing is lost.")
    here.look_at("unreachable")
    here.page.unroute("**/v1/node")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Take back your say-so.")
