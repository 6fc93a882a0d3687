"""A wallet on another phone, a guardian's after a phone was lost, a contract, and other wallets."""

from collections.abc import Callable

import pytest
from eth_account import Account
from playwright.sync_api import expect

from browser.reading_codes import read_code, read_request
from browser.visit import Visit, short
from browser.world import World, eventually
from sayso.contributor.onchain import call_for
from sayso_contracts.registry.calls import Calls
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, agreement_subject, scope_word
from sayso_protocol.primitives import address_from_text, address_text, hex_text
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
Open = Callable[..., Visit]
CLONING = "likeness-synthesis"
GRANTED, REVOKED = Reason.GRANTED, Reason.REVOKED

pytestmark = pytest.mark.long


def shown_code(here: Visit) -> bytes:
    """What a camera sees of the one code for the question that is open."""
    here.page.get_by_text("Other ways").click()
    here.page.get_by_role("button", name="Show a code").click()
    return here.page.locator("[data-link]").screenshot()


def test_the_code_for_another_phone_asks_for_what_the_command_would_send(
    visit: Open, place: World
) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB, purposes=(CLONING, "train-ai"))
    here = visit(account=ada)
    page = here.connect(f"#/license/{hex_text(held.digest)}")
    page.get_by_role("button", name="Take back “clone a voice or face”").click()
    asked = read_request(read_code(shown_code(here)))
    here.look_at("code")
    network = place.trusted.network
    assert asked.chain_id == network.chain_id
    assert asked.registry == address_text(network.registry)
    # The other phone's wallet encodes the call by itself, and it is the one that `sayso` sends.
    agreement = agreement_subject(held.message.agreement)  # type: ignore[attr-defined]
    stop = Revocation(address_from_text(ada.address), (Scope(agreement, CLONING).text,))
    assert stop.bits == {asked.word: asked.mask}
    data = call_for(Calls(asked.registry), stop).data
    assert here.wallet
    here.wallet.send({"from": ada.address, "to": asked.registry, "data": "0x" + data.hex()})
    eventually(lambda: set(place.reasons(held, LAB, CLONING)) == {REVOKED})
    eventually(lambda: set(place.reasons(held, LAB, "train-ai")) == {GRANTED})


def test_a_sentence_as_a_code_sets_its_bit(visit: Open, place: World) -> None:
    ada = place.person()
    place.license(ada, 1, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    page.get_by_role("button", name="Take back everything").click()
    page.get_by_label("And never again").check()
    asked = read_request(read_code(shown_code(here)))
    assert (asked.word, asked.mask) == (scope_word("everything"), 1)


def test_a_lost_phone_and_a_guardian(visit: Open, place: World) -> None:
    ada, guardian = place.person(), place.person()
    guards = bytes.fromhex(guardian.address[2:])
    held = place.license(ada, 2, grantee=LAB, via="kled.ai", guardian=guards)
    other = place.license(ada, 2, grantee=LAB, guardian=guards)
    eventually(lambda: set(place.reasons(held, LAB, "train-ai")) == {GRANTED})
    here = visit(account=guardian)
    page = here.connect()
    # The guardian has no license; from there a way leads to whom they guard.
    page.get_by_text("For somebody else, as their guardian").click()
    page.get_by_label("Their address").fill(ada.address)
    page.get_by_role("button", name="Look", exact=True).click()
    name = short(ada.address)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Licenses of {name}")
    expect(page.get_by_text(f"You are the guardian of {name}.")).to_be_visible()
    here.look_at("guardian")
    page.get_by_role("button", name="Take back all of kled.ai").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Take back everything that {name} allowed through kled.ai?")
    expect(dialog).to_contain_text(f"You do this for {name}, as their guardian.")
    expect(dialog).to_contain_text("This covers 2 files in 1 license, for 1 purpose.")
    here.look_at("guardian-question")
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")
    assert here.wallet
    ward = f"ward {ada.address.lower()}"
    assert [one["message"]["scopes"] for one in here.wallet.asked] == [[f"{ward} via kled.ai"]]
    assert set(place.reasons(held, LAB, "train-ai")) == {REVOKED}
    eventually(lambda: set(place.reasons(other, LAB, "train-ai")) == {GRANTED})
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Take back everything").click()
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")
    assert set(place.reasons(other, LAB, "train-ai")) == {REVOKED}


def test_a_wallet_that_does_not_announce_itself(visit: Open, place: World) -> None:
    ada = place.person()
    place.license(ada, 2, grantee=LAB)
    page = visit(account=ada, announces=False).go()
    page.get_by_role("button", name="Connect your wallet").click()
    expect(page.locator(".card")).to_contain_text("may train AI")
    page.reload()  # whoever was connected is so again
    expect(page.locator(".card")).to_contain_text("may train AI")


def test_another_account_in_the_wallet(visit: Open, place: World) -> None:
    ada, ben = place.person(), place.person()
    place.license(ada, 2, grantee=LAB)
    place.license(ben, 3, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    page.get_by_role("button", name="Take back everything").click()
    assert here.wallet
    here.wallet.account, here.wallet.address = ben, ben.address  # the page is not told
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("alert")).to_contain_text("The wallet is on another account.")
    assert here.wallet.asked == []
    page.get_by_role("button", name="Close").click()
    page.evaluate("address => window.__accountsChanged([address])", ben.address)
    expect(page.locator(".card")).to_contain_text("3 recordings")


def test_a_contract_wallet_allows_and_takes_back(visit: Open, place: World) -> None:
    owner = place.person()
    wallet = place.owned_wallet(owner)
    here = visit(account=owner, contract=wallet)
    asked = f"grantee={LAB}&purposes=train-ai&expires=2027-05-03&items=0x" + "13" * 32
    page = here.connect(f"#/allow?{asked}")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="My licenses").click()
    card = page.locator(".card")
    expect(card).to_contain_text("may train AI with 1 recording or file")
    [held] = place.held_by(wallet)
    eventually(lambda: place.reasons(held, LAB, "train-ai") == [GRANTED])
    eventually(lambda: place.reasons(held, LAB, "train-ai", at="south") == [GRANTED])
    card.get_by_role("button", name="Take back").click()
    only_here = f"counts on this chain only (chain {place.trusted.network.chain_id})"
    expect(page.get_by_role("dialog")).to_contain_text(only_here)
    page.get_by_role("button", name="Sign and take back").click()
    steps = page.locator(".steps")
    expect(steps).to_contain_text("North stored it and signed a promise")
    assert place.reasons(held, LAB, "train-ai") == [REVOKED]
    expect(steps).to_contain_text("1 of 1 other operators have it")
    assert place.reasons(held, LAB, "train-ai", at="south") == [REVOKED]
    expect(steps).to_contain_text("On chain in block")  # the registry asked the wallet, too
