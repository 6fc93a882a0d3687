"""Every state of the page, on screens of 320 to 1280 px, dark, at 200 % text, in Hindi and in Arabic.

`make page-full` keeps a picture of each in tests/browser/shots, for people to look at. None has a
violation of axe-core, and in none does anything stick out of the screen. What a person does is done
in each language anew, because a question, an error or a proof is written once, when it is made.
"""

import re
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

LANG = Path(__file__).parents[2] / "node" / "web" / "src" / "lang"
Say = Callable[..., str]


@pytest.fixture
def ada(place: World) -> LocalAccount:
    return place.person()


@pytest.fixture(params=["en", *FONTS])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def say(language: str) -> Say:
    """What the page says for a key of its texts; the last form of several, which fits two or more."""
    pairs = re.compile(r'^  (\w+): (?:"(.*)"|\{.*other: "(.*)" \}),$', re.MULTILINE)
    found = pairs.findall((LANG / f"{language}.ts").read_text())
    texts: dict[str, str] = {key: one or other for key, one, other in found}

    def text(key: str, **values: object) -> str:
        # From right to left, names are isolated from what surrounds them; numbers are not.
        isolated = {k: f"\u2068{v}\u2069" for k, v in values.items() if isinstance(v, str)}
        filled = {**values, **(isolated if language == "ar" else {})}
        return texts[key].format(**filled)

    return text


@pytest.fixture
def visit(
    browser: Browser, place: World, ada: LocalAccount, language: str
) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def open_one(**options: object) -> Visit:
        given = {"account": ada, "language": language, **options}
        opened.append(Visit(browser, place, **given))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def everywhere(here: Visit, name: str) -> None:
    """Look at the page as it is now: in English on every screen, in other languages on a phone."""
    page = here.page
    spoken: str = page.evaluate("document.documentElement.lang")
    if spoken in FONTS:
        here.look_at(f"full-{name}-{spoken}")
        return
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


def connected(here: Visit, path: str = "") -> Page:
    page = here.go(path)
    page.locator(".wallets button").click()
    expect(page.locator(".account")).to_be_visible()
    return page


def test_the_fonts_are_here() -> None:
    for language in FONTS:
        listed = subprocess.run(["fc-list", f":lang={language}"], capture_output=True, check=False)
        if not listed.stdout:
            lacks(f"a font for {language} (make page-full installs it on Debian)")


def test_licenses_and_taking_back(
    visit: Callable[..., Visit], place: World, ada: LocalAccount, say: Say
) -> None:
    here = visit()
    page = here.go()
    everywhere(here, "start")
    page.locator(".wallets button").click()
    expect(page.locator(".account")).to_be_visible()
    expect(page.get_by_text(say("nothing"))).to_be_visible()
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
    page.get_by_role("button", name=say("take_back_via", via="kled.ai")).click()
    everywhere(here, "how-much")
    page.keyboard.press("Escape")
    first = page.locator(f'[data-license="{hex_text(held[0].digest)}"]')
    first.locator(".danger").click()
    everywhere(here, "question")
    page.get_by_text(say("wallet_shows")).click()
    page.get_by_text(say("other_ways")).click()
    page.get_by_role("button", name=say("qr")).click()
    everywhere(here, "other-ways")
    signed_and_kept(here, [hex_text(one.digest) for one in held], say)


def signed_and_kept(here: Visit, held: list[str], say: Say) -> None:
    """From the open question to the proof."""
    page = here.page
    on_chain = re.compile(re.escape(say("step_chain", block=0)).replace("0", r"\d+"))
    assert here.wallet
    here.wallet.refuses = True
    page.locator(SIGN).click()
    expect(page.get_by_role("alert")).to_be_visible()
    everywhere(here, "declined")
    here.wallet.refuses = False
    here.wallet.chain_id = 5
    page.locator(SIGN).click()
    expect(page.get_by_text(say("wrong_network", theirs="5", ours="31337"))).to_be_visible()
    everywhere(here, "other-network")
    page.get_by_role("button", name=say("switch")).click()
    page.locator(SIGN).click()
    expect(page.locator(".steps")).to_contain_text(on_chain)
    everywhere(here, "taken-back")
    page.locator("dialog a[href^='#/proof/']").click()
    expect(page.locator(".sheet [data-link]")).to_be_visible()
    everywhere(here, "proof")
    link = page.locator(".sheet [data-link]").get_attribute("data-link") or ""
    page.goto(f"{here.url}/#/taken")
    expect(page.locator("[data-digest] .steps")).to_contain_text(on_chain)
    everywhere(here, "my-take-backs")
    page.goto(f"{here.url}/#/license/{held[0]}")
    expect(page.locator("[data-digest]")).to_be_visible()
    everywhere(here, "taken-license")
    page.goto(f"{here.url}/#/license/{held[1]}")
    page.get_by_label(say("select_all", n=4)).check()
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


def test_allowing(visit: Callable[..., Visit], say: Say, tmp_path: Path) -> None:
    here = visit()
    page = connected(here, "#/allow")
    everywhere(here, "allow-empty")
    (tmp_path / "walk.txt").write_text("a walk")
    page.get_by_label(say("choose"), exact=True).set_input_files(tmp_path / "walk.txt")
    page.get_by_label(say("who_may"), exact=True).fill(KLED.address)
    page.get_by_label(say("via"), exact=True).fill("k1ed.ai")
    for box in page.locator(".purpose input").all():
        box.check()
    page.get_by_role("button", name=say("year")).click()
    expect(page.locator("[data-notice]")).to_be_visible()
    everywhere(here, "allow")
    page.get_by_role("button", name=say("give_sign"), exact=True).click()
    expect(page.get_by_role("heading", name=say("given"))).to_be_visible()
    everywhere(here, "allowed")
    item = f"0x{1:064x}"
    asked = f"grantee={LAB}&via=kled.ai&purposes=train-ai&expires=2027-05-03&items={item}"
    page.goto(f"{here.url}/#/allow?{asked}")
    expect(page.locator("[data-notice]")).to_be_visible()
    everywhere(here, "request")


def test_the_rest(
    visit: Callable[..., Visit], place: World, ada: LocalAccount, say: Say, tmp_path: Path
) -> None:
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
        expect(nobody.page.get_by_text(say("loading"))).to_have_count(0)
        everywhere(nobody, name)
    (tmp_path / "walk.txt").write_text("a walk")
    nobody.page.goto(f"{nobody.url}/#/look")
    nobody.page.get_by_label(say("choose"), exact=True).set_input_files(tmp_path / "walk.txt")
    expect(nobody.page.get_by_text(say("no_claims"))).to_be_visible()
    everywhere(nobody, "looked-up")
    here = visit()
    here.page.route(
        "**/v1/typed-data/revocation",
        lambda route: route.fulfill(json={"digest": "0x", "typed_data": {}}),
    )
    page = connected(here)
    page.locator(f'[data-license="{hex_text(held.digest)}"] .danger').click()
    page.locator(SIGN).click()
    expect(page.get_by_role("alert")).to_contain_text(say("lying"))
    everywhere(here, "lied")


def test_a_node_that_is_down(
    visit: Callable[..., Visit], place: World, ada: LocalAccount, say: Say
) -> None:
    place.license(ada, 1, grantee=LAB)
    here = visit()
    never = visit(account=None)
    never.page.route("**/v1/node", lambda route: route.abort())
    never.go()
    expect(never.page.get_by_role("alert")).to_be_visible()
    everywhere(never, "unreachable")
    page = connected(here)
    expect(page.locator(".card")).to_have_count(1)
    page.route("**/v1/**", lambda route: route.abort())
    page.reload()
    expect(page.locator(".banner")).to_be_visible()
    everywhere(here, "node-down")
