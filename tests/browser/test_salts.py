"""A second device takes names and secrets from the file that was saved when the files were licensed."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Page, expect

from browser.visit import Visit, short
from browser.world import World, eventually
from sayso.files import HashedFile, salt_files
from sayso.gate.formats.json_rows import salt_lines
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
NAMES = ("birthday.txt", "garden.txt", "old/letter.txt")
Open = Callable[..., Visit]


class Held(NamedTuple):
    """What somebody licensed elsewhere."""

    ada: LocalAccount
    license: Envelope
    files: list[HashedFile]
    secrets: bytes


@pytest.fixture
def held(place: World) -> Held:
    """A person's license of salted files, and their secrets as `sayso grant --salted` writes them."""
    ada = place.person()
    plain = [HashedFile(Path(one), hashlib.sha256(one.encode()).digest()) for one in NAMES]
    files = list(salt_files(plain, os.urandom))
    signed = place.license(
        ada, grantee=LAB, items=[one.item for one in files], purposes=("research", "train-ai")
    )
    secrets = b"".join(salt_lines((str(one.path), one.item, one.salt) for one in files))
    return Held(ada, signed, files, secrets)


def choose(page: Page, name: str, content: bytes) -> None:
    page.get_by_label("Choose files").set_input_files(
        files={"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def test_names_and_files_are_known_by_the_file_of_secrets(visit: Open, place: World, held: Held) -> None:
    here = visit(account=held.ada)
    page = here.connect(f"#/license/{hex_text(held.license.digest)}")
    listed = page.locator(".items .name")
    expect(listed).to_have_count(3)
    expect(page.get_by_text("Do you miss names?")).to_be_visible()
    choose(page, "renamed.txt", held.secrets)  # it is known by how it begins, too
    expect(page.get_by_text("3 files in this list have their names now")).to_be_visible()
    expect(page.get_by_text("Do you miss names?")).to_have_count(0)
    assert sorted(listed.all_inner_texts()) == sorted(NAMES)
    here.look_at("salts")

    # The device keeps them; and finds a file by its bytes, whatever its name is now.
    page.reload()
    expect(listed).to_have_count(3)
    expect(listed.filter(has_text="garden.txt")).to_be_visible()
    choose(page, "moved.bin", b"garden.txt")
    expect(listed).to_have_text(["garden.txt"])
    page.get_by_role("checkbox", name="garden.txt").check()
    page.get_by_role("button", name="Take back 1 file").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This covers 1 file in 1 license, for 2 purposes.")
    garden = held.files[1].item
    beside = short(hex_text(garden))
    expect(dialog.get_by_role("listitem").first).to_have_text(f"garden.txt {beside}")
    expect(dialog.locator("[data-named]")).to_contain_text("garden.txt")
    expect(dialog.get_by_role("heading").first).not_to_contain_text("research")  # it is for all
    here.look_at("salts-question")
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".state")).to_contain_text("1 of 3 files taken back")
    expected = [Reason.REVOKED if one == garden else Reason.GRANTED for one in held.license.items]
    eventually(lambda: place.reasons(held.license, LAB, "research") == expected)
    gone_is_not_counted(page)


def gone_is_not_counted(page: Page) -> None:
    """One of three files is gone: the next question covers two, in the list as well."""
    dialog = page.get_by_role("dialog")
    for _ in range(2):
        page.locator(".card .danger").click()
        expect(dialog).to_contain_text("This covers 2 files in 1 license, for 2 purposes.")
        page.keyboard.press("Escape")
        if page.get_by_role("link", name="← Back").count():
            page.get_by_role("link", name="← Back").click()
    page.get_by_label("Take back a purpose everywhere").select_option("research")
    expect(dialog).to_contain_text("This covers 2 files in 1 license, for 1 purpose.")
    page.keyboard.press("Escape")


def test_a_file_of_secrets_is_used_again_and_never_licensed(
    visit: Open, place: World, held: Held, tmp_path: Path
) -> None:
    """Whoever licenses a file elsewhere, too, gives it no second hash, whatever its name is now."""
    secrets, moved, new = (tmp_path / one for one in ("kept.jsonl", "moved.bin", "new.txt"))
    for path, content in ((secrets, held.secrets), (moved, b"garden.txt"), (new, b"new")):
        path.write_bytes(content)
    buyer = Account.create().address
    here = visit(account=held.ada)
    page = here.connect("#/allow")
    page.get_by_label("Choose files").set_input_files([moved, new])
    expect(page.get_by_text("2 files", exact=True)).to_be_visible()
    page.get_by_label("Choose files").set_input_files(secrets)  # for all that is chosen
    expect(page.get_by_text("The file of secrets holds 3 secrets. It is not licensed.")).to_be_visible()
    (tmp_path / "birthday.txt").write_bytes(b"birthday.txt")
    page.get_by_label("Choose files").set_input_files(tmp_path / "birthday.txt")
    expect(page.get_by_text("3 files", exact=True)).to_be_visible()
    page.get_by_label("Who may use them").fill(buyer)
    page.get_by_label("train AI", exact=True).check()
    page.get_by_role("button", name="1 year").click()
    here.look_at("salts-again")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    [again] = [one for one in place.held_by(held.ada.address) if one.digest != held.license.digest]
    known = {held.files[0].item, held.files[1].item}
    assert len(again.items) == 3
    assert known < set(again.items)
    assert hashlib.sha256(held.secrets).digest() not in again.items


def test_a_wrong_file_of_secrets_is_refused_as_a_whole(visit: Open, place: World, held: Held) -> None:
    page = visit(account=held.ada).connect(f"#/license/{hex_text(held.license.digest)}")
    listed = page.locator(".items .name")
    expect(listed).to_have_count(3)
    alert = page.get_by_role("alert")
    row = held.secrets.splitlines(keepends=True)[0]
    fields = json.loads(row)
    wrong = [
        b"not JSON\n",
        b"[" * 60_000 + b"\n",
        json.dumps({**fields, "salt": "0x12"}).encode(),
        json.dumps({**fields, "item": fields["item"].upper()}).encode(),
        json.dumps({**fields, "file": 7}).encode(),
        json.dumps({**fields, "file": "a" * 65_536}).encode(),
        b"null",
    ]
    for one in wrong:
        choose(page, "my.salts.jsonl", row + b"\n" + one)
        expect(alert).to_have_text(
            "my.salts.jsonl, line 3: not a file with its secret. Nothing was taken from it."
        )
        choose(page, "empty.salts.jsonl", b"")
        expect(page.get_by_text("names no file in this list")).to_be_visible()
    choose(page, "my.salts.jsonl", row * (4_000_000 // len(row) + 1))
    expect(alert).to_contain_text("my.salts.jsonl is larger than 4 MB.")
    page.reload()
    expect(listed).to_have_count(3)
    assert all(one.startswith("0x") for one in listed.all_inner_texts())

    # Secrets that do not fit their item give a name, and find nothing.
    other = salt_lines([(NAMES[0], held.files[0].item, os.urandom(32))])
    choose(page, "other.salts.jsonl", b"".join(other))
    expect(page.get_by_text("1 file in this list has its name now")).to_be_visible()
    choose(page, NAMES[0], NAMES[0].encode())
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
