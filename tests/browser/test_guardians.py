"""A guardian is invited by a link, agrees with their own wallet, and is confirmed by whom they guard."""

import re
from collections.abc import Callable

from eth_account import Account
from playwright.sync_api import Page, expect

from browser.visit import Visit, short
from browser.world import World

LAB = Account.create().address
Open = Callable[..., Visit]


def link_on(page: Page) -> str:
    return page.locator("[data-link]").get_attribute("data-link") or ""


def test_a_guardian_is_invited_agrees_and_is_confirmed(visit: Open, place: World) -> None:
    ada, ben = place.person(), place.person()
    hers, his = visit(account=ada), visit(account=ben)
    page = hers.connect("#/allow")
    page.get_by_role("button", name="Invite somebody by a link").click()
    invitation = link_on(page)
    hers.look_at("invite")

    there = his.page
    there.goto(invitation)
    there.get_by_role("button", name="Connect Test Wallet").click()
    expect(there.get_by_text(ada.address, exact=True)).to_be_visible()
    expect(there.get_by_text("You could never allow anything for them.")).to_be_visible()
    his.look_at("guardian-asked")
    there.get_by_role("button", name=f"I agree, with the wallet {ben.address[:6]}").click()
    reply = link_on(there)
    assert his.wallet
    assert his.wallet.asked == []
    # Whose guardian he is, is known to his device.
    there.get_by_role("link", name="My licenses", exact=True).click()
    there.get_by_text("For somebody else, as their guardian").click()
    ward = there.get_by_role("link", name=short(ada.address))
    expect(ward).to_have_attribute("href", f"#/of/{ada.address}")

    page.goto(reply)
    expect(page.get_by_text(ben.address, exact=True)).to_be_visible()
    expect(page.get_by_text("Ask your guardian, by voice, how their address begins")).to_be_visible()
    hers.look_at("guardian-confirm")
    page.goto(f"{hers.url}/#/allow")
    expect(page.get_by_label("Guardian")).to_have_value("")  # nothing is used before she confirms
    page.goto(reply)
    page.get_by_role("button", name=re.compile("It is my guardian.s address")).click()
    page.get_by_role("main").get_by_role("link", name="Allow a use").click()
    guardian = page.get_by_label("Guardian")
    expect(guardian).to_have_value(ben.address)
    guardian.fill("")  # and stays removed
    page.reload()
    expect(page.locator(".account")).to_be_visible()
    expect(guardian).to_have_value("")
    guardian.fill(ben.address)
    page.get_by_label("Choose files").set_input_files(
        files={"name": "a.txt", "mimeType": "text/plain", "buffer": b"guarded"}
    )
    page.get_by_label("Who may use them").fill(LAB)
    page.get_by_label("train AI", exact=True).check()
    page.get_by_role("button", name="1 year").click()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    assert hers.wallet
    assert hers.wallet.asked[0]["message"]["guardian"] == ben.address


def test_a_reply_is_for_the_account_that_asked(visit: Open, place: World) -> None:
    ada, ben, eve = place.person(), place.person(), place.person()
    reply = f"#/guardian?of={ada.address}&is={ben.address}"
    other = visit(account=eve)
    page = other.connect(reply)
    expect(page.get_by_role("alert")).to_contain_text("The wallet is on another account.")
    page.goto(f"{other.url}/#/guardian?of={eve.address}")
    expect(page.get_by_text("This is your own address.")).to_be_visible()
    expect(page.get_by_role("button", name="I agree")).to_have_count(0)
