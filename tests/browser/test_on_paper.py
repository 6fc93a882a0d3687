"""What is printed: a list is a table with all of it, every view can be read, no button stands there."""

from collections.abc import Callable
from typing import Final

import pytest
from eth_account import Account
from playwright.sync_api import Page, ViewportSize, expect

from browser.test_proof import PAGES
from browser.visit import Visit
from browser.world import World
from sayso_protocol.primitives import hex_text

LAB = Account.create().address
Open = Callable[..., Visit]
MANY = 130
A4: Final[ViewportSize] = {"width": 680, "height": 1_009}  # between its margins, in pixels


def printed(page: Page) -> int:
    """How many pages it takes, as a browser prints it."""
    return len(PAGES.findall(page.pdf(prefer_css_page_size=True)))


def nothing_to_press(page: Page) -> None:
    buttons = page.locator("button, .button, input[type=search]").all()
    assert not [one for one in buttons if one.is_visible()]


def test_a_long_list_is_a_table_on_paper(visit: Open, place: World) -> None:
    ada = place.person()
    place.license_many(ada, MANY, grantee=LAB, via="kled.ai")
    here = visit(account=ada)
    page = here.connect()
    expect(page.get_by_text(f"{MANY} licenses")).to_be_visible()
    assert printed(page) <= 1 + MANY // 20  # the browser says so only when it prints
    expect(page.locator(".card")).to_have_count(30)
    page.set_viewport_size(A4)
    page.emulate_media(media="print")
    expect(page.locator(".paper tr")).to_have_count(MANY)
    expect(page.locator(".card")).to_have_count(0)
    expect(page.locator(".paper tr").first).to_contain_text("may train AI with 1 recording or file")
    nothing_to_press(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    here.shot("on-paper-list")
    page.emulate_media(media="screen")
    expect(page.locator(".card")).to_have_count(30)


@pytest.mark.long  # the list is what people print
def test_every_view_can_be_read_on_paper(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 70, grantee=LAB)
    here = visit(account=ada)
    page = here.connect()
    for path in ("#/allow", "#/look", "#/hand-in", "#/taken", f"#/trace/{hex_text(held.digest)}"):
        page.goto(f"{here.url}/{path}")
        expect(page.locator("h1")).to_be_visible()
        page.emulate_media(media="print")
        nothing_to_press(page)
        expect(page.locator("h1")).to_be_visible()
        page.emulate_media(media="screen")
    page.set_viewport_size(A4)
    page.goto(f"{here.url}/#/license/{hex_text(held.digest)}")
    expect(page.locator(".items li")).to_have_count(50)
    page.emulate_media(media="print")
    expect(page.locator(".items li")).to_have_count(70)
    here.shot("on-paper-files")
    page.emulate_media(media="screen")

    # An open question is printed alone, and from its beginning.
    page.locator(".card .danger").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("dialog").get_by_role("heading")).to_be_visible()
    expect(page.locator("h1")).to_be_hidden()
    nothing_to_press(page)
    here.shot("on-paper-question")
