"""Many files: nothing is signed before all are read, and what half succeeded is told exactly."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from eth_account import Account
from playwright.sync_api import Page, expect

from browser.visit import Visit
from browser.world import World, eventually

LAB = Account.create().address
EXPIRES = "2027-05-03"
Open = Callable[..., Visit]

# Holds back the hashing of every file but the first, until the test lets it go on.
HOLD = """
const post = Worker.prototype.postMessage;
const held = [];
Worker.prototype.postMessage = function (message) {
  if (message.id === 1 || window.__free) return post.call(this, message);
  held.push(() => post.call(this, message));
};
window.__go = () => { window.__free = true; held.forEach((one) => one()); };
"""


def fields(page: Page) -> None:
    page.get_by_label("Who may use them").fill(LAB)
    page.get_by_label("train AI", exact=True).check()
    page.get_by_role("button", name="1 year").click()


def test_nothing_is_signed_while_files_are_read(visit: Open, place: World, tmp_path: Path) -> None:
    ada = place.person()
    files = [tmp_path / f"{number}.wav" for number in range(4)]
    for path in files:
        path.write_bytes(os.urandom(1_000))
    here = visit(account=ada)
    here.context.add_init_script(HOLD)
    page = here.connect("#/allow")
    fields(page)
    page.get_by_label("Choose files").set_input_files(files)
    files[3].unlink()  # chosen, and gone before it is read
    expect(page.get_by_text("Still reading: 1 of 4 files")).to_be_visible()
    sign = page.get_by_role("button", name="Sign", exact=True)
    expect(sign).to_be_disabled()
    here.look_at("reading")
    page.evaluate("__go()")
    expect(page.get_by_role("alert")).to_contain_text("3.wav could not be read.")
    expect(sign).to_be_disabled()  # until the person has said what to do about it
    here.look_at("unread")
    page.get_by_role("button", name="Leave them out").click()
    expect(page.locator("[data-notice]")).to_contain_text("use of 3 items of mine")
    sign.click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    assert here.wallet
    assert [one["message"]["items"] for one in here.wallet.asked] == [3]


def test_the_second_of_two_signatures_is_refused(visit: Open, place: World) -> None:
    ada = place.person()
    items = ",".join(f"0x{number:064x}" for number in range(5_000, 5_000 + 1_100))
    here = visit(account=ada)
    page = here.connect(f"#/allow?grantee={LAB}&purposes=train-ai&expires={EXPIRES}&items={items}")
    assert here.wallet
    wallet = here.wallet
    expect(page.get_by_text("Your wallet will ask for 2 signatures")).to_be_visible()

    def refuse() -> None:
        wallet.refuses = True

    wallet.after_signing = refuse
    page.get_by_role("button", name="Sign", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("1,024 files are allowed now, by 1 of 2 signatures.")
    expect(alert).to_contain_text("76 files are not allowed yet.")
    expect(alert).not_to_contain_text("Nothing was signed")
    expect(alert).not_to_contain_text("did not accept it")
    expect(alert).to_be_focused()
    here.look_at("half-allowed")
    eventually(lambda: len(place.held_by(ada.address)) == 1)
    wallet.refuses, wallet.after_signing = False, lambda: None
    page.get_by_role("button", name="Go on with the rest").click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_focused()
    assert [one["message"]["items"] for one in wallet.asked] == [1_024, 76]
    assert {len(one.items) for one in place.held_by(ada.address)} == {1_024, 76}


# Holds back the listing of folders until the test lets it go on, and cannot open one file.
SLOW_FOLDERS = """
const waiting = [];
window.__go = () => { window.__free = true; waiting.forEach((one) => one()); };
const lock = (one) => {
  if (one.name !== "locked.wav") return;
  one.file = (_, failed) => failed(new DOMException("", "NotReadableError"));
};
function slowed(reader) {
  const real = reader.readEntries.bind(reader);
  reader.readEntries = (found, failed) => {
    const read = () => real((some) => (some.forEach(lock), some.forEach(slow), found(some)), failed);
    window.__free ? read() : waiting.push(read);
  };
  return reader;
}
function slow(entry) {
  if (!entry.isDirectory) return;
  const real = entry.createReader.bind(entry);
  entry.createReader = () => slowed(real());
}
const { webkitGetAsEntry } = DataTransferItem.prototype;
DataTransferItem.prototype.webkitGetAsEntry = function () {
  const entry = webkitGetAsEntry.call(this);
  if (entry) slow(entry);
  return entry;
};
"""


def drop(here: Visit, path: Path) -> None:
    """Drag a file or folder of this machine onto the page, and let it fall."""
    here.page.locator(".drop").scroll_into_view_if_needed()
    box = here.page.locator(".drop").bounding_box()
    assert box
    client = here.context.new_cdp_session(here.page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        client.send("Input.dispatchDragEvent", {"type": step, "data": data, **at})


def test_a_folder_is_dropped(visit: Open, place: World, tmp_path: Path) -> None:
    box = tmp_path / "box"
    (box / "old" / "older").mkdir(parents=True)
    for number in range(120):  # a browser lists a hundred at once
        (box / f"{number}.wav").write_text(f"take {number}")
    (box / "old" / "older" / "first.wav").write_text("first")
    (box / "old" / "locked.wav").write_text("locked")
    here = visit(account=place.person())
    here.context.add_init_script(SLOW_FOLDERS)
    page = here.connect("#/allow")
    page.get_by_label("Choose files").set_input_files(box / "7.wav")
    fields(page)
    sign = page.get_by_role("button", name="Sign", exact=True)
    expect(sign).to_be_enabled()
    drop(here, box)
    expect(sign).to_be_disabled()  # what was dropped is not known yet
    page.evaluate("__go()")
    expect(page.get_by_role("alert")).to_contain_text("box/old/locked.wav could not be read.")
    expect(page.locator("#field-files").get_by_text("121 files", exact=True)).to_be_visible()
    expect(sign).to_be_disabled()
    here.look_at("dropped")
    page.get_by_role("button", name="Leave them out").click()
    expect(page.locator("[data-notice]")).to_contain_text("use of 121 items of mine")
    sign.click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the list for the marketplace").click()
    named = {json.loads(line)["file"] for line in saving.value.path().read_text().splitlines()}
    assert named == {*(f"box/{number}.wav" for number in range(120)), "box/old/older/first.wav"}
