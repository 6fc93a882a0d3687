"""The example shop in Chromium: files are uploaded, licensed in the node's page, bought, taken back."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Page, expect

from browser.visit import Visit
from browser.world import DEADLINE_S, World, eventually, run
from sayso.contributor.licensing import sign_message
from sayso.demo.ports import free_ports
from sayso.node_client.client import NodeClient
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_from_text

pytestmark = pytest.mark.long
EXAMPLES = Path(__file__).parents[2] / "examples"
LAB = Account.create().address
Open = Callable[..., Visit]


@pytest.fixture
def shop(place: World, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of the shop and of its own page; the shop is the process that a reader starts."""
    (port,) = free_ports(1)
    network = place.north.folder.parent / "network.toml"
    named = ("--node", place.north.url, "--network", str(network), "--folder", str(tmp_path / "shop"))
    command = [sys.executable, "-m", "marketplace", "--port", str(port), *named]
    process = subprocess.Popen(command, cwd=EXAMPLES, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        words = process.stdout.readline().split()
        assert words, "the shop did not start"
        yield words[1].rstrip("/"), words[5]
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _take_back(place: World, who: LocalAccount) -> None:
    message = Revocation(address_from_text(who.address), ("everything for resale",))
    async with NodeClient(place.north.url, place.trusted) as node:
        await node.submit([sign_message(who, message, place.trusted.network)])


def upload(uploader: Page, address: str, song: Path) -> None:
    uploader.goto(f"{address}/")
    uploader.get_by_label("Title").fill("Songs")
    uploader.get_by_label("Files").set_input_files([song])
    uploader.get_by_role("button", name="Upload").click()
    expect(uploader.get_by_role("heading", name="Songs")).to_be_visible()


def order(buyer: Page, address: str) -> str:
    """Buy everything once it is in stock; return the link of the delivery."""

    def in_stock() -> bool:
        buyer.goto(f"{address}/")
        return "In stock: 1 files" in buyer.content()

    eventually(in_stock)
    buyer.get_by_label("Your address").fill(LAB)
    buyer.get_by_role("button", name="Order everything in stock").click()
    expect(buyer.get_by_role("heading", name="Your order")).to_be_visible()
    link = buyer.locator("a[download]").get_attribute("href")
    assert link
    return address + link


def test_from_upload_to_removal(
    visit: Open, place: World, shop: tuple[str, str], tmp_path: Path
) -> None:
    address, desk = shop
    ada = place.person()
    song = tmp_path / "song.wav"
    song.write_bytes(b"la la la")
    here = visit(account=ada)
    uploader = here.context.new_page()
    upload(uploader, address, song)
    with uploader.expect_popup() as opening:
        uploader.get_by_role("button", name="License these files").click()
    page = here.page = here.watch(opening.value)
    page.get_by_role("button", name="Connect Test Wallet").click()
    # The warning of other askers does not show: the shop names no other marketplace.
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    expect(uploader.locator("#state")).to_have_text("Licensed. Thank you.")
    assert here.wallet
    assert [one["message"]["purposes"] for one in here.wallet.asked] == [
        ["evaluate", "resale", "train-ai"]
    ]

    buyer = here.context.new_page()
    link = order(buyer, address)

    def delivered() -> bool:
        answer = here.context.request.get(link)
        return answer.status == 200 and answer.body() == b"la la la"

    eventually(delivered)
    uploader.reload()
    expect(uploader.get_by_text("Bought by")).to_contain_text(LAB)

    run(_take_back(place, ada))
    eventually(lambda: here.context.request.get(link).status == 403)

    def told() -> bool:
        buyer.reload()
        return "stop using it" in buyer.content()

    eventually(told)
    owner = here.context.new_page()
    owner.goto(desk)
    owner.get_by_label("resale").check()
    owner.get_by_role("button", name="I removed these").click()
    expect(owner.get_by_text("yes, not confirmed yet")).to_be_visible()
    assert urlsplit(owner.url).path.startswith("/shop/")
