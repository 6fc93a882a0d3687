"""Every state of the page, on screens of 320 to 1280 px, dark, at 200 % text, in Hindi and in Arabic.

`make page-full` keeps a picture of each in tests/browser/shots, for people to look at. None has a
violation of axe-core, and none is wider than its screen.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, Page, expect

from browser.test_where import LAB as COMPANY
from browser.test_where import SOLD, passes
from browser.visit import Visit
from browser.world import IMITATOR, KLED, World
from sayso_protocol.primitives import hex_text
from support.machine import lacks

LAB = Account.create().address
WIDTHS = (320, 360, 768, 1280)
FONTS = ("hi", "ar")
HEIGHT = 740
SIGN = "dialog > .danger"
Open = Callable[[], Visit]

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

SPEAK = """(name) => {
  const choice = document.querySelector(".top select");
  choice.value = name;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
}"""


@pytest.fixture
def ada(place: World) -> LocalAccount:
    return place.person()


@pytest.fixture
def visit(browser: Browser, place: World, ada: LocalAccount) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def open_one(**options: object) -> Visit:
        opened.append(Visit(browser, place, **{"account": ada, **options}))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def everywhere(here: Visit, name: str) -> None:
    """Look at the page as it is now on every screen, and in two more languages."""
    page = here.page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        here.look_at(f"full-{name}-{width}")
    page.set_viewport_size({"width": 360, "height": HEIGHT})
    page.emulate_media(color_scheme="dark")
    here.look_at(f"full-{name}-dark")
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    here.look_at(f"full-{name}-large")
    page.evaluate("document.documentElement.style.fontSize = ''")
    if page.locator(".top select").count() == 0:
        return
    for language in FONTS:
        speak(page, language)
        here.look_at(f"full-{name}-{language}")
    speak(page, "en")


def speak(page: Page, language: str) -> None:
    page.evaluate(SPEAK, language)
    page.wait_for_function("(name) => document.documentElement.lang === name", arg=language)


def test_the_fonts_are_here() -> None:
    for language in FONTS:
        listed = subprocess.run(["fc-list", f":lang={language}"], capture_output=True, check=False)
        if not listed.stdout:
            lacks(f"a font for {language} (make page-full installs it on Debian)")


def test_licenses_and_taking_back(visit: Callable[..., Visit], place: World, ada: LocalAccount) -> None:
    here = visit()
    page = here.go()
    everywhere(here, "start")
    page.locator(".wallets button").click()
    expect(page.locator(".account")).to_be_visible()
    expect(page.get_by_text("This node knows no license")).to_be_visible()
    everywhere(here, "no-license")
    purposes = ("likeness-synthesis", "research", "train-ai")
    held = [
        place.license(ada, 4, grantee=KLED.address, via="kled.ai", purposes=purposes) for _ in range(2)
    ]
    place.license(ada, 1, grantee=IMITATOR.address)
    page.reload()
    expect(page.locator(".card")).to_have_count(3)
    everywhere(here, "licenses")
    page.locator(".account summary").click()
    everywhere(here, "account")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Take back all of kled.ai").click()
    everywhere(here, "how-much")
    page.keyboard.press("Escape")
    first = page.locator(f'[data-license="{hex_text(held[0].digest)}"]')
    first.locator(".danger").click()
    everywhere(here, "question")
    page.get_by_text("What your wallet will show").click()
    page.get_by_text("Other ways").click()
    page.get_by_role("button", name="Show a code for a wallet").click()
    everywhere(here, "other-ways")
    signed_and_kept(here, [hex_text(one.digest) for one in held])


def signed_and_kept(here: Visit, held: list[str]) -> None:
    """From the open question to the proof."""
    page = here.page
    assert here.wallet
    here.wallet.refuses = True
    page.locator(SIGN).click()
    expect(page.get_by_role("alert")).to_be_visible()
    everywhere(here, "declined")
    here.wallet.refuses = False
    here.wallet.chain_id = 5
    page.locator(SIGN).click()
    expect(page.get_by_text("Your wallet is on another network")).to_be_visible()
    everywhere(here, "other-network")
    page.get_by_role("button", name="Switch the network").click()
    page.locator(SIGN).click()
    expect(page.locator(".steps")).to_contain_text("On chain in block")
    everywhere(here, "taken-back")
    page.locator("dialog a[href^='#/proof/']").click()
    expect(page.locator(".sheet [data-link]")).to_be_visible()
    everywhere(here, "proof")
    link = page.locator(".sheet [data-link]").get_attribute("data-link") or ""
    page.goto(f"{here.url}/#/taken")
    expect(page.locator("[data-digest] .steps")).to_contain_text("On chain in block")
    everywhere(here, "my-take-backs")
    page.goto(f"{here.url}/#/license/{held[0]}")
    expect(page.locator("[data-digest]")).to_be_visible()
    everywhere(here, "taken-license")
    page.goto(f"{here.url}/#/license/{held[1]}")
    page.get_by_label("Select all 4 files").check()
    everywhere(here, "files-chosen")
    for name, text in (("verified", link), ("not-verified", link[:-1])):
        page.goto(text)
        page.reload()
        expect(page.locator("#page .say")).to_be_visible()
        everywhere(here, name)


def test_where_it_went(visit: Callable[..., Visit], place: World, ada: LocalAccount) -> None:
    held = place.license(ada, 2, grantee=KLED.address, purposes=SOLD)
    place.state(KLED, passes(KLED, COMPANY.address, held.digest, ("train-ai",)), [held.digest])
    here = visit()
    page = here.go(f"#/trace/{hex_text(held.digest)}")
    expect(page.locator("svg.trace")).to_be_visible()
    everywhere(here, "trace")


def test_allowing(visit: Callable[..., Visit], place: World, ada: LocalAccount, tmp_path: Path) -> None:
    here = visit()
    page = here.connect("#/allow")
    everywhere(here, "allow-empty")
    (tmp_path / "walk.txt").write_text("a walk")
    page.get_by_label("Choose files").set_input_files(tmp_path / "walk.txt")
    page.get_by_label("Who may use them").fill(KLED.address)
    page.get_by_label("Marketplace").fill("k1ed.ai")
    for box in page.locator(".purpose input").all():
        box.check()
    page.get_by_role("button", name="1 year").click()
    expect(page.locator("[data-notice]")).to_be_visible()
    everywhere(here, "allow")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    everywhere(here, "allowed")
    item = f"0x{1:064x}"
    asked = f"grantee={LAB}&via=kled.ai&purposes=train-ai&expires=2027-05-03&items={item}"
    page.goto(f"{here.url}/#/allow?{asked}")
    expect(page.locator("[data-notice]")).to_be_visible()
    everywhere(here, "request")


def test_the_rest(visit: Callable[..., Visit], place: World, ada: LocalAccount, tmp_path: Path) -> None:
    held = place.license(ada, 1, grantee=LAB)
    nobody = visit(account=None)
    for name, path in (
        ("no-wallet", ""),
        ("looking", f"#/of/{ada.address}"),
        ("look-up", "#/look"),
        ("hand-in", "#/hand-in"),
        ("unknown", f"#/license/{hex_text(bytes(32))}"),
        ("guardian-asked", f"#/guardian?of={ada.address}"),
    ):
        nobody.page.goto(f"{nobody.url}/{path}")
        expect(nobody.page.locator("h1")).to_be_visible()
        expect(nobody.page.get_by_text("Loading …")).to_have_count(0)
        everywhere(nobody, name)
    (tmp_path / "walk.txt").write_text("a walk")
    nobody.page.goto(f"{nobody.url}/#/look")
    nobody.page.get_by_label("Choose files").set_input_files(tmp_path / "walk.txt")
    expect(nobody.page.get_by_text("This node knows no license of this file.")).to_be_visible()
    everywhere(nobody, "looked-up")
    here = visit()
    here.page.route(
        "**/v1/typed-data/revocation",
        lambda route: route.fulfill(json={"digest": "0x", "typed_data": {}}),
    )
    page = here.connect()
    page.locator(f'[data-license="{hex_text(held.digest)}"] .danger').click()
    page.locator(SIGN).click()
    expect(page.get_by_role("alert")).to_contain_text("Stop.")
    everywhere(here, "lied")


def test_a_node_that_is_down(visit: Callable[..., Visit], place: World, ada: LocalAccount) -> None:
    place.license(ada, 1, grantee=LAB)
    here = visit()
    never = visit(account=None)
    never.page.route("**/v1/node", lambda route: route.abort())
    never.go()
    expect(never.page.get_by_role("alert")).to_be_visible()
    everywhere(never, "unreachable")
    page = here.connect()
    expect(page.locator(".card")).to_have_count(1)
    page.route("**/v1/**", lambda route: route.abort())
    page.reload()
    expect(page.locator(".banner")).to_contain_text("This node does not answer.")
    expect(page.locator(".card")).to_have_count(1)
    everywhere(here, "node-down")
