"""What a person signed is never lost: the device keeps it before it is sent; Back closes a window."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from playwright.sync_api import Page, Route, expect

from browser.visit import Visit
from browser.world import World, eventually
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
MARKET = "market.example"
Open = Callable[..., Visit]
GRANTED, REVOKED = Reason.GRANTED, Reason.REVOKED
SIGN = "Sign and take back"


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def take_back(page: Page, held: Envelope) -> None:
    card(page, held).get_by_role("button", name="Take back").click()


def test_a_closed_window_loses_nothing(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 3, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    on_device: list[int] = []

    def hear(route: Route) -> None:
        # What the device keeps at the moment at which the signed message leaves.
        on_device.append(1)
        route.abort()

    page.route("**/v1/revocations", hear)
    take_back(page, held)
    page.get_by_role("button", name=SIGN).click()
    expect(page.get_by_role("alert")).to_contain_text("This node does not answer.")
    page.go_back()  # as a phone's own button does
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", name="My licenses")).to_be_visible()
    expect(card(page, held)).to_be_focused()
    with page.expect_event("requestfailed", lambda one: one.url.endswith("/v1/revocations")):
        page.reload()  # and the tab is new, too; it sends again what waits
    page.get_by_role("main").get_by_role("link", name="My take-backs").click()
    entry = page.locator("[data-digest]")
    expect(entry).to_contain_text("3 recordings or files")
    expect(entry).to_contain_text("Nothing is taken back yet.")
    here.look_at("kept")
    with page.expect_download() as saving:
        entry.get_by_role("button", name="Save the signed file").click()
    (data,) = decode_bundle(saving.value.path().read_bytes())
    assert hex_text(decode(data, place.trusted.network).digest) == entry.get_attribute("data-digest")
    page.unroute("**/v1/revocations")
    # The page sends it by itself, without another look at the node by the person.
    expect(entry).to_contain_text("North stored it and signed a promise")
    expect(entry.get_by_role("button", name=re.compile("Save North.s signed promise"))).to_be_visible()
    here.look_at("my-take-backs")
    assert set(place.reasons(held, LAB, "train-ai")) == {REVOKED}
    assert len(on_device) >= 2


def test_it_is_on_the_device_before_it_is_sent(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    page.route("**/v1/revocations", lambda route: None)  # it never arrives, and never fails
    take_back(page, held)
    page.get_by_role("button", name=SIGN).click()
    expect(page.get_by_text("Sending …")).to_be_visible()
    second = here.watch(here.context.new_page())
    page.close()
    second.goto(f"{here.url}/#/taken")
    expect(second.locator("[data-digest]")).to_contain_text("2 recordings or files")


def test_another_device_sees_what_the_node_knows(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    page = visit(account=ada).connect()
    take_back(page, held)
    page.get_by_role("button", name=SIGN).click()
    expect(page.locator(".steps")).to_contain_text("1 of 1 other operators have it")
    expect(page.get_by_role("dialog")).to_contain_text("buyers who check with any operator")
    expect(page.locator(".steps")).to_contain_text("On chain in block")
    page.get_by_role("button", name="Done").click()
    proof = card(page, held).get_by_role("link", name="Proof to print, and a letter")
    digest = (proof.get_attribute("href") or "").removeprefix("#/proof/")
    other = visit(account=ada)
    page = other.connect("#/taken")
    entry = page.locator("[data-digest]")
    expect(entry).to_have_attribute("data-digest", digest)
    expect(entry).to_contain_text("One license, with its renewals")
    with page.expect_download() as saving:
        entry.get_by_role("button", name="Save the signed file").click()
    assert len(decode_bundle(saving.value.path().read_bytes())) == 1
    # The license itself tells when it was taken back, where that is on chain, and offers the proof.
    page.get_by_role("link", name="My licenses").click()
    pill = card(page, held)
    said = r"Taken back on \w+ \d+, \d{4} · One license, with its renewals · On chain in block \d+"
    expect(pill).to_contain_text(re.compile(said))
    expect(pill.get_by_role("link", name="Proof to print")).to_have_count(0)  # it is on the other device
    expect(pill).not_to_contain_text("Dated on chain")
    pill.get_by_role("link", name="Files and details").click()
    expect(page.get_by_role("button", name=re.compile("Save North.s signed promise"))).to_be_visible()
    expect(page.get_by_text("You signed", exact=True).first).to_be_visible()
    other.look_at("revoked-details")


def test_until_now_leaves_the_future_open(visit: Open, place: World) -> None:
    ada = place.person()
    held = [place.license(ada, 40, grantee=LAB, via=MARKET) for _ in range(2)]
    elsewhere = place.license(ada, 1, grantee=LAB, via="kled.ai")
    here = visit(account=ada)
    page = here.connect()
    page.get_by_role("button", name=f"Take back all of {MARKET}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("What was licensed until now")).to_be_checked()
    expect(dialog).to_contain_text("This covers 80 files in 2 licenses, for 1 purpose.")
    here.look_at("until-now")
    page.get_by_role("button", name=SIGN).click()
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")
    assert here.wallet
    [asked] = here.wallet.asked
    agreements = [f"agreement 0x{one.message.agreement.hex()}" for one in held]  # type: ignore[attr-defined]
    assert (sorted(asked["message"]["scopes"]), asked["message"]["words"]) == (sorted(agreements), [])
    for one in held:
        assert set(place.reasons(one, LAB, "train-ai")) == {REVOKED}
    eventually(lambda: set(place.reasons(elsewhere, LAB, "train-ai")) == {GRANTED})
    later = place.license(ada, 1, grantee=LAB, via=MARKET)
    eventually(lambda: set(place.reasons(later, LAB, "train-ai")) == {GRANTED})
    # "Never again" is a choice of its own, and says what it means.
    page.reload()
    page.get_by_role("button", name=f"Take back all of {MARKET}").click()
    dialog.get_by_label("And never again").check()
    expect(dialog).to_contain_text(f"It also covers what you sign later through {MARKET}.")
    page.get_by_role("button", name=SIGN).click()
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")
    assert here.wallet.asked[1]["message"]["scopes"] == [f"via {MARKET}"]
    page.goto(f"{here.url}/#/taken")  # each is called what it was
    expect(page.locator("[data-digest] h2")).to_have_text(
        [
            f"Through {MARKET} · And never again: also whatever is licensed later",
            f"Through {MARKET} · What was licensed until now",
        ]
    )


def test_everything_is_not_offered_where_there_is_nothing(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    page = here.connect()
    expect(page.get_by_text("This node knows no license of this address.")).to_be_visible()
    expect(page.get_by_role("button", name="Take back everything")).to_have_count(0)
    expect(page.get_by_label("Take back a purpose everywhere")).to_have_count(0)
    here.look_at("nothing")


def test_many_words_need_several_signatures_told_and_resumed(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license_many(ada, 70, grantee=LAB, via=MARKET)
    here = visit(account=ada)
    page = here.connect()
    expect(page.get_by_text("70 licenses")).to_be_visible()
    page.get_by_role("button", name=f"Take back all of {MARKET}").click()
    expect(page.get_by_text("Your wallet will ask for 2 signatures")).to_be_visible()
    assert here.wallet
    wallet = here.wallet

    def refuse() -> None:
        wallet.refuses = True

    wallet.after_signing = refuse
    page.get_by_role("button", name=SIGN).click()
    expect(page.get_by_role("heading", name="1 of 2 signed")).to_be_visible()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("You declined in the wallet.")
    expect(alert).to_contain_text("1 of 2 signatures are done.")
    expect(alert).not_to_contain_text("Nothing was signed")
    here.look_at("half-taken-back")
    wallet.refuses, wallet.after_signing = False, lambda: None
    page.get_by_role("button", name="Go on with the rest").click()
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")
    assert [len(one["message"]["words"]) for one in wallet.asked] == [64, 6]
    assert {place.reasons(one, LAB, "train-ai")[0] for one in held} == {REVOKED}


@pytest.mark.parametrize("text", ["100%", "200%"])
def test_the_focus_is_on_the_question_and_on_the_news(visit: Open, place: World, text: str) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    page.set_viewport_size({"width": 320, "height": 568})
    page.evaluate("size => { document.documentElement.style.fontSize = size; }", text)
    take = card(page, held).get_by_role("button", name="Take back")
    take.focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("dialog").get_by_role("heading", level=2)
    expect(heading).to_be_focused()
    here.shot(f"opened-320-{text[:-1]}")
    expect(heading).to_be_in_viewport(ratio=0.9)
    page.keyboard.press("Enter")  # twice is not a signature
    assert here.wallet
    assert here.wallet.asked == []
    sign = page.get_by_role("button", name=SIGN)
    described = (sign.get_attribute("aria-describedby") or "").split()
    told = " ".join(page.locator(f"#{one}").inner_text() for one in described)
    assert "This covers 2 files in 1 license, for 1 purpose." in told
    assert "This cannot be undone." in told
    here.look_at(f"question-320-{text[:-1]}")
    sign.click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_focused()
    page.get_by_role("button", name="Done").click()
    expect(card(page, held)).to_be_focused()


def test_sign_and_only_save_says_that_nothing_is_taken_back(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    take_back(page, held)
    page.get_by_text("Other ways").click()
    page.get_by_role("button", name="Sign and only save").click()
    expect(page.get_by_role("heading", name="Signed, not taken back yet")).to_be_focused()
    here.look_at("only-saved")
    second = here.watch(here.context.new_page())  # which sends what waits, and this does not
    second.goto(f"{here.url}/#/taken")
    expect(second.locator("[data-digest]")).to_contain_text("Nothing is taken back yet.")
    expect(second.locator("[data-digest]").get_by_role("button", name="Send it now")).to_be_visible()
    assert set(place.reasons(held, LAB, "train-ai")) == {GRANTED}
    second.close()
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_focused()
    assert set(place.reasons(held, LAB, "train-ai")) == {REVOKED}


def test_a_node_that_is_down_is_a_banner_and_signed_files_wait(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada, installs=True)
    page = here.connect()
    expect(card(page, held)).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("caches.keys().then((names) => names.length === 1)")
    page.reload()  # by the service worker from now on
    expect(card(page, held)).to_be_visible()

    here.context.set_offline(True)
    page.reload()
    banner = page.locator(".banner")
    expect(banner).to_contain_text("This node does not answer.")
    expect(page.get_by_text("This list is from")).to_be_visible()
    expect(card(page, held)).to_contain_text("may train AI with 2 recordings")
    here.look_at("node-down")
    take_back(page, held)
    page.get_by_role("button", name=SIGN).click()
    waits = "It waits on this device."
    expect(page.get_by_role("alert")).to_contain_text(f"{waits} The page sends it as soon as")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is taken back yet.")
    expect(page.get_by_role("heading", name="Taken back.")).to_have_count(0)
    assert set(place.reasons(held, LAB, "train-ai")) == {GRANTED}
    page.goto(f"{here.url}/#/taken")
    expect(page.locator("[data-digest]")).to_contain_text(waits)

    here.context.set_offline(False)
    expect(banner).to_contain_text("The node answers again. 1 take-back that waited was sent.")
    expect(page.locator("[data-digest]")).to_contain_text("North stored it and signed a promise")
    assert set(place.reasons(held, LAB, "train-ai")) == {REVOKED}
