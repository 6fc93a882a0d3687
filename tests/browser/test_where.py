"""Companies and files by the names that people know them by, and where a license went."""

import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from PIL import Image
from playwright.sync_api import Page, Request, Route, expect

from browser.visit import Visit, short
from browser.world import DAY_S, IMITATOR, KLED, NAMES, World, eventually
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import address_from_text, hex_text, salted_item
from sayso_protocol.verdicts.verdict import Reason

LAB: LocalAccount = Account.create()
SILENT: LocalAccount = Account.create()
SOLD = ("resale", "train-ai")
LISTED = "Kled, kled.ai, listed by North"
ZERO = bytes(32)
FILES = ("birthday.png", "garden.png", "old/letter.txt")
Open = Callable[..., Visit]


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def test_a_company_has_its_listed_name_and_nobody_else_has_one(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=KLED.address, via="kled.ai")
    place.license(ada, 1, grantee=IMITATOR.address)
    assert [one["name"] for one in place.north.get("/v1/node")["names"]] == ["Kled"]
    here = visit(account=ada)

    def embellish(route: Route) -> None:
        # A node that serves every name of its file, and a name that pretends to be listed elsewhere.
        told = route.fetch().json()
        told["names"] += [
            {"address": IMITATOR.address, "name": NAMES[1].name, "domain": None, "role": None},
            {
                "address": LAB.address,
                "name": "Kled, kled.ai, listed by South",
                "domain": None,
                "role": None,
            },
        ]
        route.fulfill(json=told)

    here.page.route("**/v1/node", embellish)
    page = here.connect()
    expect(card(page, held)).to_contain_text(f"{LISTED}, may train AI with 2 recordings")
    stranger = f"unknown company {short(IMITATOR.address)}"
    expect(page.get_by_text(f"{stranger} may train AI", exact=False)).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(NAMES[1].name)
    here.look_at("companies")
    card(page, held).get_by_role("button", name="Take back").click()
    question = f"Take back 2 recordings or files from {LISTED}?"
    expect(page.get_by_role("heading", name=question)).to_be_visible()
    page.get_by_role("button", name="Sign and take back").click()
    page.locator("dialog a[href^='#/proof/']").click()
    expect(page.locator(".companies")).to_have_text(f"It was licensed to: {LISTED}")
    assert page.get_by_label("A letter to the company").input_value().startswith(f"To: {LISTED}\n")


def test_a_listed_company_is_chosen_by_its_name(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    page = here.connect("#/allow")
    offered = page.locator("#grantee-offers option")
    assert [one.get_attribute("label") for one in offered.all()] == [LISTED]
    page.get_by_label("Who may use them").fill(offered.first.get_attribute("value") or "")
    expect(page.locator("#grantee-hint")).to_have_text(LISTED)
    page.get_by_label("Who may use them").fill(LAB.address)
    expect(page.locator("#grantee-hint")).to_have_text(f"unknown company {short(LAB.address)}")
    here.look_at("company-chosen")


def passes(signer: LocalAccount, to: str, digest: bytes, purposes: tuple[str, ...]) -> Sublicense:
    now = int(time.time())
    return Sublicense(
        address_from_text(signer.address),
        content_root([digest]),
        1,
        NO_PARENT,
        address_from_text(to),
        purposes,
        ZERO,
        "",
        now - 60,
        now + 90 * DAY_S,
    )


def removed(signer: LocalAccount, digest: bytes, as_of: int) -> Removal:
    return Removal(address_from_text(signer.address), content_root([digest]), 1, as_of, ZERO)


def used(signer: LocalAccount, digest: bytes) -> Use:
    now = int(time.time())
    return Use(
        address_from_text(signer.address), content_root([digest]), 1, "train-ai", "run-7", ZERO, now
    )


def sold(place: World, ada: LocalAccount) -> bytes:
    """A license that was passed on to two: one says what it does with it, the other nothing."""
    held = place.license(ada, 2, grantee=KLED.address, purposes=SOLD)
    digest = held.digest
    for to in (LAB, SILENT):
        place.state(KLED, passes(KLED, to.address, digest, ("train-ai",)), [digest])
    place.state(LAB, used(LAB, digest), [digest])
    return digest


def test_where_did_it_go(visit: Open, place: World) -> None:
    ada = place.person()
    digest = sold(place, ada)
    here = visit(account=ada)
    page = here.connect(f"#/license/{hex_text(digest)}")
    page.get_by_role("link", name="Where did it go?").click()
    picture, listed = page.locator("svg.trace"), page.locator(".holders > li")
    expect(listed).to_have_count(3)
    expect(listed.first).to_contain_text(LISTED)
    expect(picture.get_by_role("img", name=re.compile(f"^{LISTED}. Holds it"))).to_be_visible()
    lab = page.locator(f'[data-listed="{LAB.address}"]')
    expect(lab).to_contain_text("They say that they used it on")
    expect(lab).to_contain_text(f"Has it from {LISTED}, to train AI, until")
    expect(lab).to_contain_text("First seen by North: ")
    quiet = picture.get_by_role(
        "img", name=re.compile(f"unknown company {short(SILENT.address)}.*Not said")
    )
    expect(quiet).to_be_visible()
    expect(page.locator(f'[data-listed="{SILENT.address}"]')).to_contain_text("Not said")
    expect(lab).not_to_contain_text("Not said")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the dates").click()
    saved = saving.value.path().read_bytes().decode()
    assert saved.count("BEGIN:VEVENT") == 3
    assert "SUMMARY:A license ends: Kled\\, kled.ai\\, listed by North" in saved.replace("\r\n ", "")
    here.look_at("trace")
    ends_in_late(here, place, digest)


def ends_in_late(here: Visit, place: World, digest: bytes) -> None:
    """Taken back: the lab confirms, the marketplace has time, and one is late."""
    page = here.page
    picture, lab = page.locator("svg.trace"), page.locator(f'[data-listed="{LAB.address}"]')
    page.get_by_role("link", name="← Back").click()
    page.get_by_role("main").locator(".card .danger").click()
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.locator(".steps")).to_contain_text("On chain in block")
    trace = f"/v1/licenses/{hex_text(digest)}/trace"
    eventually(lambda: all(one["duties"] for one in place.north.get(trace)["holders"]))
    eventually(lambda: place.north.get(trace)["holders"][0]["duties"][0]["revoked"])
    landed = place.north.get(trace)["holders"][0]["duties"][0]["revoked"]["number"]
    place.state(LAB, removed(LAB, digest, landed), [digest])

    def confirmed() -> bool:
        holders = place.north.get(trace)["holders"]
        return any(duty["standing"] == "confirmed" for one in holders for duty in one["duties"])

    eventually(confirmed)

    def age(route: Route) -> None:
        told = json.loads(route.fetch().body())
        [late] = [one for one in told["holders"] if one["address"] == SILENT.address]
        late["duties"][0].update(standing="late", due=late["duties"][0]["due"] - 31 * DAY_S)
        route.fulfill(json=told)

    page.route(f"**{trace}", age)
    page.goto(f"{here.url}/#/trace/{hex_text(digest)}")
    for who, standing in ((LAB, "confirmed"), (KLED, "due"), (SILENT, "late")):
        expect(picture.locator(f'[data-holder="{who.address}"]')).to_have_attribute(
            "data-standing", standing
        )
    expect(lab).to_contain_text("they confirmed that they removed what was taken back")
    late = page.locator(f'[data-listed="{SILENT.address}"]')
    expect(late).to_contain_text(re.compile(r"Late: confirmation was due on .* North knows of none\."))
    expect(page.locator("main")).to_contain_text("does not change a model that was already trained")
    here.look_at("trace-taken-back")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two pictures, and a text in a folder of its own."""
    place = tmp_path / "holiday"
    (place / "old").mkdir(parents=True)
    for at, name in enumerate(FILES[:2]):
        Image.new("RGB", (60 + at, 40), (200, 90 * at, 60)).save(place / name)
    (place / FILES[2]).write_text("Dear Ada")
    return place


def allow(page: Page, folder: Path) -> None:
    page.get_by_label("Choose a folder").set_input_files(folder)
    expect(page.get_by_text("3 files", exact=True)).to_be_visible()
    page.get_by_label("Who may use them").fill(LAB.address)
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
    plain = {f"holiday/{name}": hashlib.sha256((folder / name).read_bytes()).digest() for name in FILES}
    assert {one["file"] for one in salts} == set(plain)
    items = {
        one["file"]: salted_item(bytes.fromhex(one["salt"][2:]), plain[one["file"]]) for one in salts
    }
    held = place.north.get(f"/v1/licenses/{license_hash}")
    assert sorted(held["items"]) == sorted("0x" + one.hex() for one in items.values())

    page.goto(f"{here.url}/#/license/{license_hash}")
    names_are_there_again(page, folder)
    here.look_at("files")

    # One file for one purpose; and all that are left.
    page.get_by_role("checkbox", name="holiday/garden.png").check()
    page.get_by_label("For what").select_option("research")
    page.get_by_role("button", name="Take back 1 file").click()
    page.get_by_role("button", name="Sign and take back").click()
    page.get_by_role("button", name="Done").click()
    (envelope,) = place.held_by(ada.address)
    taken = {one: Reason.REVOKED for one in envelope.items if one == items["holiday/garden.png"]}
    told = [taken.get(one, Reason.GRANTED) for one in envelope.items]
    eventually(lambda: place.reasons(envelope, LAB.address, "research") == told)
    eventually(lambda: set(place.reasons(envelope, LAB.address, "train-ai")) == {Reason.GRANTED})
    what_is_left_is_counted(page)
    names_by_salts(visit(account=ada).connect(f"#/license/{license_hash}"), saving.value.path())
    only_this_device_knows(here, visit().go("#/look"), folder)
    asked = "\n".join(sent)
    for name in (*FILES, "holiday", *(one["salt"] for one in salts)):
        assert name not in asked


def names_are_there_again(page: Page, folder: Path) -> None:
    """With the pictures, and a file is found by its bytes."""
    page.reload()
    expect(page.locator(".items .name", has_text="holiday/birthday.png")).to_be_visible()
    expect(page.locator(".items img")).to_have_count(2)
    page.get_by_label("Choose files").set_input_files(folder / FILES[2])
    expect(page.locator(".items li")).to_have_count(1)
    expect(page.locator(".items .name")).to_have_text("holiday/old/letter.txt")
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox", name="Folder").select_option("holiday")
    expect(page.locator(".items li")).to_have_count(2)


def what_is_left_is_counted(page: Page) -> None:
    """One of three files is taken back for one purpose of two."""
    dialog = page.get_by_role("dialog")
    page.get_by_role("combobox", name="Folder").select_option("")
    page.get_by_label("Select all 3 files").check()
    page.get_by_role("button", name="Take back 3 files").click()
    expect(dialog).to_contain_text("This covers 3 files in 1 license, for 2 purposes.")
    page.keyboard.press("Escape")
    page.get_by_label("For what").select_option("research")
    page.get_by_role("button", name="Take back 2 files").click()
    expect(dialog).to_contain_text("This covers 2 files in 1 license, for 1 purpose.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Take back “do research”").click()
    expect(dialog).to_contain_text("This covers 2 files in 1 license, for 1 purpose.")
    page.keyboard.press("Escape")


def names_by_salts(page: Page, salts: Path) -> None:
    """Another device of the same person learns the names from the saved secrets."""
    page.get_by_label("Choose files").set_input_files(salts)
    expect(page.locator(".items .name", has_text="holiday/birthday.png")).to_be_visible()


def only_this_device_knows(here: Visit, stranger: Page, folder: Path) -> None:
    """Whoever has the same file finds nothing under its plain hash."""
    here.page.get_by_role("link", name="Look up").click()
    for page in (here.page, stranger):
        expect(page.get_by_role("heading", name="Who licensed a file?")).to_be_visible()
        page.get_by_label("Choose files").set_input_files(folder / FILES[0])
    expect(here.page.get_by_text("1 license names this file")).to_be_visible()
    expect(stranger.get_by_text("This node knows no license of this file.")).to_be_visible()
