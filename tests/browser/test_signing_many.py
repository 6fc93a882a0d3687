"""Many files: nothing is signed before all are read, and what half succeeded is told exactly."""

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
