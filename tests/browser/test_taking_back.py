"""Taking back in every width by signature, and what a person sees when something fails."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from playwright.sync_api import Page, Route, expect

from browser.visit import Visit
from browser.world import World, eventually
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
OTHER = Account.create().address
Open = Callable[..., Visit]
CLONING = "likeness-synthesis"
GRANTED, REVOKED = Reason.GRANTED, Reason.REVOKED

pytestmark = pytest.mark.long


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def sign(page: Page) -> None:
    page.get_by_role("button", name="Sign and take back").click()


def never_again(page: Page) -> None:
    page.get_by_label("And never again").check()


def signed_for(page: Page) -> None:
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")


def test_a_wallet_on_another_chain_is_asked_to_switch_first(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    assert here.wallet
    here.wallet.chain_id = 1
    card(page, held).get_by_role("button", name="Take back").click()
    sign(page)
    expect(page.get_by_role("alert")).to_contain_text("Your wallet is on another network (chain 1).")
    assert here.wallet.asked == []
    page.get_by_role("button", name="Switch the network").click()
    sign(page)
    signed_for(page)
    [asked] = here.wallet.asked
    assert asked["domain"]["chainId"] == place.trusted.network.chain_id
    assert asked["domain"]["verifyingContract"].lower() == hex_text(place.trusted.network.registry)
    expect(page.get_by_text("counts on this chain only")).to_have_count(0)


def test_one_file_of_a_license(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 120, grantee=LAB, purposes=("research", "train-ai"))
    eventually(lambda: place.north.get(f"/v1/licenses/{hex_text(held.digest)}")["anchor"])
    here = visit(account=ada)
    page = here.connect()
    card(page, held).get_by_role("link", name="Files and details").click()
    expect(page.locator(".state")).to_contain_text(
        re.compile(r"Dated on chain on \w+ \d+, \d{4}, in block")
    )
    page.get_by_role("searchbox").fill(held.items[101].hex()[:20])
    page.get_by_role("checkbox").check()
    here.look_at("details")
    page.get_by_role("button", name="Take back 1 file").click()
    expect(page.get_by_role("dialog")).to_contain_text(
        "This covers 1 file in 1 license, for 2 purposes."
    )
    sign(page)
    signed_for(page)
    found = place.reasons(held, LAB, "train-ai")
    assert [at for at, one in enumerate(found) if one is REVOKED] == [101]
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".items .pill")).to_have_text("Taken back")


def test_one_purpose_of_a_license(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 3, grantee=LAB, purposes=(CLONING, "train-ai"))
    page = visit(account=ada).connect()
    card(page, held).get_by_role("link", name="Files and details").click()
    page.get_by_role("button", name="Take back “clone a voice or face”").click()
    sign(page)
    signed_for(page)
    assert set(place.reasons(held, LAB, CLONING)) == {REVOKED}
    eventually(lambda: set(place.reasons(held, LAB, "train-ai")) == {GRANTED})


def test_everything_for_a_purpose_everything_via_and_everything(visit: Open, place: World) -> None:
    ada = place.person()
    one = place.license(ada, 2, grantee=LAB, via="kled.ai", purposes=(CLONING, "train-ai"))
    two = place.license(ada, 2, grantee=OTHER, via="silencio.network", purposes=(CLONING, "train-ai"))
    here = visit(account=ada)
    page = here.connect()
    here.look_at("two-licenses")
    page.get_by_label("Take back a purpose everywhere").select_option(CLONING)
    expect(page.get_by_role("dialog")).to_contain_text(
        "This covers 4 files in 2 licenses, for 1 purpose."
    )
    here.look_at("question-purpose")
    never_again(page)
    sign(page)
    signed_for(page)
    assert {*place.reasons(one, LAB, CLONING), *place.reasons(two, OTHER, CLONING)} == {REVOKED}
    page.get_by_role("button", name="Done").click()
    expect(card(page, two)).to_contain_text("Partly taken back")

    page.get_by_role("button", name="Take back all of kled.ai").click()
    never_again(page)
    sign(page)
    signed_for(page)
    assert set(place.reasons(one, LAB, "train-ai")) == {REVOKED}
    eventually(lambda: set(place.reasons(two, OTHER, "train-ai")) == {GRANTED})
    page.get_by_role("button", name="Done").click()

    page.get_by_role("button", name="Take back everything").click()
    never_again(page)
    sign(page)
    signed_for(page)
    assert set(place.reasons(two, OTHER, "train-ai")) == {REVOKED}
    assert here.wallet
    scopes = [asked["message"]["scopes"] for asked in here.wallet.asked]
    assert scopes == [[f"everything for {CLONING}"], ["via kled.ai"], ["everything"]]


def test_whoever_says_no_has_signed_nothing(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    assert here.wallet
    here.wallet.refuses = True
    card(page, held).get_by_role("button", name="Take back").click()
    sign(page)
    expect(page.get_by_role("alert")).to_have_text("You declined in the wallet. Nothing was signed.")
    here.look_at("refused")
    assert place.reasons(held, LAB, "train-ai") != [REVOKED]


def test_a_lying_node_is_found_out_before_the_wallet_is_asked(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()

    def lie(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["typed_data"]["message"]["scopes"] = ["everything for research"]
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/v1/typed-data/revocation", lie)
    card(page, held).get_by_role("button", name="Take back").click()
    sign(page)
    expect(page.get_by_role("alert")).to_contain_text("This node asked you to sign something other")
    here.look_at("lying")
    expect(page.get_by_role("button", name="Sign and take back")).to_have_count(0)
    south = page.get_by_role("dialog").get_by_role("link", name="South")
    expect(south).to_have_attribute("href", f"{place.south.url}/")
    assert here.wallet
    assert here.wallet.asked == []


def test_a_promise_that_is_not_the_nodes_own_is_none(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    page = visit(account=ada).connect()

    def lie(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["results"][0]["acknowledgement"]["time"] += 1
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/v1/revocations", lie)
    card(page, held).get_by_role("button", name="Take back").click()
    sign(page)
    expect(page.get_by_role("alert")).to_contain_text("a promise that it did not sign")
    expect(page.get_by_role("button", name="Save the signed file")).to_be_visible()


def test_a_license_that_the_node_made_up_is_marked(visit: Open, place: World) -> None:
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
    expect(card(page, held).get_by_role("button", name="Take back")).to_have_count(0)


def test_when_the_node_goes_away_the_signed_file_remains(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    eventually(lambda: set(place.reasons(held, LAB, "train-ai", at="south")) == {GRANTED})
    here = visit(account=ada)
    page = here.connect()
    assert here.wallet
    here.wallet.after_signing = place.north.stop
    try:
        card(page, held).get_by_role("button", name="Take back").click()
        sign(page)
        expect(page.get_by_role("alert")).to_contain_text("This node does not answer. Nothing is lost.")
        here.look_at("node-gone")
        with page.expect_download() as saving:
            page.get_by_role("button", name="Save the signed file").click()
        page.get_by_text("Hand it to another node", exact=True).click()
        page.get_by_role("button", name="South").click()
        expect(page.get_by_text("South stored it and signed a promise")).to_be_visible()
        assert set(place.reasons(held, LAB, "train-ai", at="south")) == {REVOKED}
    finally:
        place.north.start()
    # And the file alone does it, at the node that was away, by somebody without a wallet.
    stranger = visit()
    page = stranger.go("#/hand-in")
    page.get_by_label("Choose files").set_input_files(saving.value.path())
    expect(page.get_by_text("1 message taken")).to_be_visible()
    expect(page.get_by_text("North stored it and signed a promise")).to_be_visible()
    stranger.look_at("handed-in")
    assert set(place.reasons(held, LAB, "train-ai")) == {REVOKED}


def test_a_signed_file_travels_in_a_link(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    eventually(lambda: set(place.reasons(held, LAB, "train-ai", at="south")) == {GRANTED})
    here = visit(account=ada)
    page = here.connect()
    card(page, held).get_by_role("button", name="Take back").click()
    page.get_by_text("Other ways").click()
    page.get_by_role("button", name="Sign and only save").click()
    page.get_by_text("Hand it to another node").click()
    page.get_by_label("Its web address").fill(place.south.url)
    link = page.get_by_role("link", name="Open it there").get_attribute("href")
    assert set(place.reasons(held, LAB, "train-ai", at="south")) == {GRANTED}
    elsewhere = visit(at=place.south.url)
    elsewhere.page.goto(link or "")
    expect(elsewhere.page.get_by_text("South stored it and signed a promise")).to_be_visible()
    assert set(place.reasons(held, LAB, "train-ai", at="south")) == {REVOKED}


def test_another_tab_sees_it_too(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    second = here.watch(here.context.new_page())
    second.goto(here.url)
    expect(card(second, held).locator(".pill")).to_have_text("Active")
    card(page, held).get_by_role("button", name="Take back").click()
    sign(page)
    signed_for(page)
    expect(card(second, held).locator(".pill")).to_have_text("Taken back")


def test_what_the_node_does_not_know_is_said_to_be_no_promise(visit: Open, place: World) -> None:
    """South knows the license that the list shows; North, which gets the revocation, does not yet."""
    ada = place.person()
    held = place.signed_license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    listed = {
        "license": hex_text(held.digest),
        "status": "active",
        "consent": typed_data(held.message, place.trusted.network)["message"],
        "arrived_at": 0,
        "permissions": 2,
        "revoked_permissions": 0,
        "anchor_block": None,
    }
    answer = json.dumps({"consents": [listed], "next": None})
    here.page.route("**/consents*", lambda route: route.fulfill(body=answer))
    page = here.connect()
    card(page, held).get_by_role("button", name="Take back").click()
    sign(page)
    expect(page.locator(".steps")).to_contain_text("holds it without a promise")
    here.look_at("no-promise")
    place.submit(held)  # now it knows what it is about
    signed_for(page)
    assert set(place.reasons(held, LAB, "train-ai")) == {REVOKED}
