"""Files as people know them: names and pictures stay on the device, and hashes are salted."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_account import Account
from PIL import Image
from playwright.sync_api import Page, Request, expect

from browser.visit import Visit
from browser.world import World
from sayso_protocol.primitives import salted_item
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
NAMES = ("birthday.png", "garden.png", "old/letter.txt")
Open = Callable[..., Visit]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two pictures, and a text in a folder of its own."""
    place = tmp_path / "holiday"
    (place / "old").mkdir(parents=True)
    for at, name in enumerate(NAMES[:2]):
        Image.new("RGB", (60 + at, 40), (200, 90 * at, 60)).save(place / name)
    (place / NAMES[2]).write_text("Dear Ada")
    return place


def allow(page: Page, folder: Path) -> None:
    page.get_by_label("Choose a folder").set_input_files(folder)
    expect(page.get_by_text("3 files", exact=True)).to_be_visible()
    page.get_by_label("Who may use them").fill(LAB)
    for purpose in ("train AI", "do research"):
        page.get_by_label(purpose, exact=True).check()
    page.get_by_role("button", name="1 year").click()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()


def test_files_keep_their_names_and_are_salted(visit: Open, place: World, folder: Path) -> None:
    ada = place.person()
    here = visit(account=ada)
    page = here.connect()
    sent: list[str] = []

    def hear(request: Request) -> None:
        sent.append(request.url + (request.post_data or ""))

    page.on("request", hear)
    page.get_by_role("link", name="Allow").click()
    expect(page.get_by_label("Hide which files these are")).to_be_checked()
    allow(page, folder)
    license_hash = page.locator("[data-license]").get_attribute("data-license") or ""
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the secrets for the marketplace").click()
    salts = [json.loads(line) for line in saving.value.path().read_text().splitlines()]
    plain = {f"holiday/{name}": hashlib.sha256((folder / name).read_bytes()).digest() for name in NAMES}
    assert {one["file"] for one in salts} == set(plain)
    items = {
        one["file"]: salted_item(bytes.fromhex(one["salt"][2:]), plain[one["file"]]) for one in salts
    }
    held = place.north.get(f"/v1/licenses/{license_hash}")
    assert sorted(held["items"]) == sorted("0x" + one.hex() for one in items.values())

    # The names and pictures are there again, and a file is found by its bytes.
    page.goto(f"{here.url}/#/license/{license_hash}")
    page.reload()
    expect(page.locator(".items .name", has_text="holiday/birthday.png")).to_be_visible()
    expect(page.locator(".items img")).to_have_count(2)
    page.get_by_label("Choose files").set_input_files(folder / NAMES[2])
    expect(page.locator(".items li")).to_have_count(1)
    expect(page.locator(".items .name")).to_have_text("holiday/old/letter.txt")
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox", name="Folder").select_option("holiday")
    expect(page.locator(".items li")).to_have_count(2)
    here.look_at("files")

    # One file for one purpose; and all that are left.
    page.get_by_role("checkbox", name="holiday/garden.png").check()
    page.get_by_label("For what").select_option("research")
    page.get_by_role("button", name="Take back 1 file").click()
    page.get_by_role("button", name="Sign and take back").click()
    page.get_by_role("button", name="Done").click()
    (envelope,) = place.held_by(ada.address)
    taken = {one: Reason.REVOKED for one in envelope.items if one == items["holiday/garden.png"]}
    told = place.reasons(envelope, LAB, "research")
    assert told == [taken.get(one, Reason.GRANTED) for one in envelope.items]
    assert set(place.reasons(envelope, LAB, "train-ai")) == {Reason.GRANTED}
    page.get_by_role("combobox", name="Folder").select_option("")
    page.get_by_label("Select all 3 files").check()
    page.get_by_role("button", name="Take back 3 files").click()
    expect(page.get_by_role("dialog")).to_contain_text("This covers")
    page.keyboard.press("Escape")

    only_this_device_knows(here, visit().go("#/look"), folder)
    asked = "\n".join(sent)
    for name in (*NAMES, "holiday", *(one["salt"] for one in salts)):
        assert name not in asked


def only_this_device_knows(here: Visit, stranger: Page, folder: Path) -> None:
    """Whoever has the same file finds nothing under its plain hash."""
    here.page.get_by_role("link", name="Look up").click()
    for page in (here.page, stranger):
        page.get_by_label("Choose files").set_input_files(folder / NAMES[0])
    expect(here.page.get_by_text("1 license names this file")).to_be_visible()
    expect(stranger.get_by_text("This node knows no license of this file.")).to_be_visible()
