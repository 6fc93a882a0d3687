"""The story that must never break: see it, take it back in two taps, the buyer is refused."""

import json
import re
from collections.abc import Callable

from eth_account import Account
from playwright.sync_api import expect

from browser.visit import Visit
from browser.world import World, eventually
from sayso_protocol.messages.revocation import REVOCATION_NOTICE
from sayso_protocol.receipts.text import acknowledgement_from_json
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
Open = Callable[..., Visit]


def test_a_license_is_taken_back_in_two_taps(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 40, grantee=LAB, via="kled.ai")
    eventually(lambda: set(place.reasons(held, LAB, "train-ai")) == {Reason.GRANTED})
    here = visit(account=ada)
    page = here.connect()
    card = page.locator(f'[data-license="0x{held.digest.hex()}"]')
    expect(card).to_contain_text("may train AI with 40 recordings or files until")
    expect(card).to_contain_text("Voice or face cloning: not allowed.")
    here.look_at("licenses")

    card.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("dialog")).to_contain_text(
        "This covers 40 files in 1 license, for 1 purpose."
    )
    here.look_at("question")
    page.get_by_role("button", name="Sign and take back").click()

    steps = page.locator(".steps")
    expect(steps).to_contain_text("North stored it and signed a promise")
    expect(steps).to_contain_text("Sent to 1 peer")
    expect(steps).to_contain_text("1 of 1 other operators have it")
    expect(steps).to_contain_text("On chain in block")  # North relays what it acknowledged
    [block] = re.findall(r"in block ([\d,]+)", steps.inner_text())
    assert ada.address.lower() in place.revoked_in(int(block.replace(",", "")))
    here.look_at("progress")
    assert here.wallet
    assert [one["message"]["notice"] for one in here.wallet.asked] == [REVOCATION_NOTICE]
    agreement = f"agreement 0x{held.message.agreement.hex()}"  # type: ignore[attr-defined]
    assert [one["message"]["scopes"] for one in here.wallet.asked] == [[agreement]]
    assert [one["message"]["words"] for one in here.wallet.asked] == [[]]
    assert set(place.reasons(held, LAB, "train-ai")) == {Reason.REVOKED}
    assert set(place.reasons(held, LAB, "train-ai", at="south")) == {Reason.REVOKED}

    with page.expect_download() as saving:
        page.get_by_role("button", name="signed promise").click()
    promise = acknowledgement_from_json(json.loads(saving.value.path().read_text()))
    assert promise.check(place.trusted).name == "North"

    page.get_by_role("button", name="Done").click()
    expect(card.locator(".pill")).to_have_text("Taken back")
    here.look_at("taken-back")
