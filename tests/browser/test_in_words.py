"""What is signed stands on the page in the person's own words, and under the same name as in the wallet."""

from collections.abc import Callable
from typing import Any

from eth_account import Account
from playwright.sync_api import Page, expect

from browser.visit import Visit
from browser.world import World
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text

LAB = Account.create().address
Open = Callable[..., Visit]


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def short(text: str) -> str:
    return f"{text[:6]}…{text[-4:]}"


def agreement(held: Envelope) -> str:
    assert isinstance(held.message, Consent)
    return hex_text(held.message.agreement)


def test_a_license_has_one_name_on_the_page_and_in_the_wallet(visit: Open, place: World) -> None:
    ada = place.person()
    held = [place.license(ada, 3, grantee=LAB, via="kled.ai") for _ in range(2)]
    here = visit(account=ada)
    page = here.connect()
    for one in held:
        expect(card(page, one)).to_contain_text(f"Agreement {short(agreement(one))}")
    named = page.get_by_role("dialog").locator("[data-named]")
    page.get_by_role("button", name="Take back all of kled.ai").click()
    for one in held:
        expect(named).to_contain_text(f"agreement {short(agreement(one))}")
    page.get_by_role("button", name="Close").click()

    # Single files are numbers, which the page names by how they begin.
    card(page, held[1]).get_by_role("link", name="Files and details").click()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Take back 1 file").click()
    expect(named).to_contain_text("1 number that begins with ")
    beginning = (named.text_content() or "").removesuffix("…")[-6:]
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    assert here.wallet
    [numbers] = here.wallet.asked
    assert str(numbers["message"]["words"][0]).startswith(beginning)
    page.get_by_role("button", name="Done").click()

    page.get_by_role("link", name="← Back").click()
    card(page, held[0]).get_by_role("button", name="Take back").click()
    here.look_at("named")
    shown = [one.text_content() for one in named.locator("code").all()]
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    [scope] = here.wallet.asked[1]["message"]["scopes"]
    kind, value = scope.split(" ")
    assert shown == [f"{kind} {short(value)}"]
