"""Without any node: the wallet sends it to the contract, after changing the network if it has to."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from playwright.sync_api import Page, expect

from browser.visit import Visit
from browser.world import World, eventually
from sayso.contributor.onchain import call_for
from sayso_contracts.registry.calls import Calls
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import agreement_subject
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
Open = Callable[..., Visit]
REVOKED = Reason.REVOKED

pytestmark = pytest.mark.long


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def test_on_chain_from_the_wallet_after_changing_the_network(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    assert here.wallet
    here.wallet.chain_id = 1
    card(page, held).get_by_role("button", name="Take back").click()
    page.get_by_text("Other ways").click()
    page.get_by_role("button", name="Send it myself on chain").click()
    expect(page.get_by_role("alert")).to_contain_text("Your wallet is on another network (chain 1).")
    here.look_at("wrong-network")
    page.get_by_role("button", name="Switch the network").click()
    page.get_by_text("Other ways").click()
    page.get_by_role("button", name="Send it myself on chain").click()
    expect(page.locator(".steps")).to_contain_text(re.compile(r"On chain in block \d+"))
    here.look_at("on-chain")
    eventually(lambda: set(place.reasons(held, LAB, "train-ai")) == {REVOKED})
    page.get_by_role("button", name="Done").click()
    expect(card(page, held).locator(".pill")).to_have_text("Taken back")
    assert here.wallet.asked == []


def test_what_the_wallet_sends_is_what_the_command_would_send(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 300, grantee=LAB)
    place.license(ada, 1, grantee=LAB)  # so that there is something left
    assert isinstance(held.message, Consent)
    license_ = Revocation(held.message.contributor, (agreement_subject(held.message.agreement),))
    sentence = Revocation(held.message.contributor, ("everything",))
    here = visit(account=ada)
    page = here.connect()
    for button in (
        card(page, held).get_by_role("button", name="Take back"),
        page.get_by_role("button", name="Take back everything"),
    ):
        button.click()
        never = page.get_by_label("And never again")
        if never.count():
            never.check()
        page.get_by_text("Other ways").click()
        page.get_by_role("button", name="Send it myself on chain").click()
        expect(page.locator(".steps")).to_contain_text("On chain in block")
        page.get_by_role("button", name="Done").click()
    calls = Calls(address_text(place.trusted.network.registry))
    assert here.wallet
    assert [(one["to"].lower(), one["data"]) for one in here.wallet.sent] == [
        (calls.address.lower(), "0x" + call_for(calls, one).data.hex()) for one in (license_, sentence)
    ]
    eventually(lambda: set(place.reasons(held, LAB, "train-ai")) == {REVOKED})
