"""Text of twice its size on the narrowest screen: all of it grows, no word is broken (WCAG 1.4.4)."""

from collections.abc import Callable
from typing import Final

import pytest
from eth_account import Account
from playwright.sync_api import Page, ViewportSize, expect

from browser.visit import Visit
from browser.world import World
from sayso_protocol.primitives import hex_text

LAB = Account.create().address
Open = Callable[..., Visit]
# On how many lines the text of each element stands.
LINES = """all => all.map((one) => {
  const text = document.createRange();
  text.selectNodeContents(one);
  return new Set([...text.getClientRects()].map((line) => line.top)).size;
})"""
# The size of each visible text in pixels, by what it says; but not in pictures, which lists repeat.
SIZES = """() => {
  const found = {};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const holder = text.parentElement;
    const seen = holder.checkVisibility() && !holder.closest("svg, .unseen, script");
    const size = parseFloat(getComputedStyle(holder).fontSize);
    if (seen && text.data.trim()) found[`${holder.tagName} ${text.data}`] = size;
  }
  return found;
}"""
NARROW: Final[ViewportSize] = {"width": 320, "height": 640}


def grows(page: Page) -> None:
    """Each text reaches twice its size where the person's text is twice as large."""
    root = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    before = page.evaluate(SIZES)
    page.evaluate("size => { document.documentElement.style.fontSize = size; }", f"{2 * root}px")
    after = page.evaluate(SIZES)
    assert len(before) > 5
    small = [text for text, size in before.items() if after.get(text, 2 * size) < 1.99 * size]
    assert not small, small


def normal(page: Page) -> None:
    page.evaluate("document.documentElement.style.fontSize = ''")


def test_all_text_grows_to_twice_its_size(visit: Open, place: World) -> None:
    ada = place.person()
    place.license(ada, 2, grantee=LAB, via="kled.ai")
    here = visit(account=ada)
    page = here.go()
    page.set_viewport_size(NARROW)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    grows(page)
    here.look_at("large-start")
    normal(page)
    page.get_by_role("button", name="Connect Test Wallet").click()
    expect(page.locator(".card")).to_be_visible()
    grows(page)
    here.look_at("large-licenses")
    normal(page)
    page.get_by_role("button", name="Take back all of kled.ai").click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_be_visible()
    grows(page)
    here.look_at("large-question")


# How high the lines of the picture stand on the screen.
HEIGHTS = "all => all.map((one) => one.getBoundingClientRect().height)"


def test_the_picture_grows_or_its_list_stands_alone(visit: Open, place: World) -> None:
    held = place.license(place.person(), 2, grantee=LAB)
    here = visit()
    page = here.go(f"#/trace/{hex_text(held.digest)}")
    picture = page.locator("svg.trace")
    page.set_viewport_size(NARROW)
    expect(picture).to_be_visible()
    page.set_viewport_size({"width": 768, "height": 900})
    before = picture.locator("text").evaluate_all(HEIGHTS)
    page.evaluate("document.documentElement.style.fontSize = '34px'")
    after = picture.locator("text").evaluate_all(HEIGHTS)
    assert len(before) == 3
    assert all(large >= 1.99 * small for small, large in zip(before, after, strict=True))
    here.look_at("trace-200")
    page.set_viewport_size(NARROW)
    expect(picture).to_be_hidden()
    expect(page.locator(".holders")).to_contain_text("Holds it")
    here.look_at("trace-200-narrow")


def test_tabs_are_whole_words_at_200_percent(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    page = here.connect()
    page.set_viewport_size(NARROW)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.locator(".top nav a").evaluate_all(LINES) == [1, 1, 1]
    here.look_at("tabs-200")


# Short addresses and hashes that stand on more than one line.
BROKEN = """() => {
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.parentElement.checkVisibility()) continue;
    for (const one of text.data.matchAll(/0x[0-9a-fA-F]{4}[^0-9a-fA-F]+[0-9a-fA-F]{4}/g)) {
      const place = document.createRange();
      place.setStart(text, one.index);
      place.setEnd(text, one.index + one[0].length);
      const lines = new Set([...place.getClientRects()].map((line) => Math.round(line.top / 4)));
      if (lines.size > 1) found.push(one[0]);
    }
  }
  return found;
}"""
# Puts the widest letters into all of them.
WIDEST = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    text.data = text.data.replace(/(0x)[0-9a-fA-F]{4}([^0-9a-fA-F]+)[0-9a-fA-F]{4}/g, "$1DDDD$2DDDD");
  }
}"""


@pytest.mark.parametrize("language", ["ar-EG", "en"])
def test_a_short_address_stands_on_one_line(visit: Open, place: World, language: str) -> None:
    """Headings in Arabic broke it at its dots, and its second half stood before the first."""
    ada = place.person()
    place.license(ada, 2, grantee=LAB)
    page = visit(language=language).go(f"#/of/{ada.address}")
    expect(page.locator(".card")).to_be_visible()
    page.evaluate(WIDEST)
    broken = {}
    for width in range(240, 480, 10):
        page.set_viewport_size({"width": width, "height": 800})
        if found := page.evaluate(BROKEN):
            broken[width] = found
    assert broken == {}
