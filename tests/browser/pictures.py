"""Makes the pictures of docs/how-to/revoke.md from the page itself: `make pictures`."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from browser.conftest import launched
from browser.test_where import LAB, SILENT, sold
from browser.visit import ROOT, Visit
from browser.world import KLED, World, eventually, world
from sayso_protocol.primitives import address_from_text, hex_text

FOLDER: Final = ROOT / "docs" / "how-to" / "pictures"
WIDTH, HEIGHT = 360, 740
COLOURS: Final = 48  # as many as keep the letters smooth
SIGN: Final = "Sign and take back"


def keep(page: Page, name: str, height: int = HEIGHT) -> None:
    """Keep what the phone shows, in few colours."""
    page.mouse.move(0, 0)
    shown = page.screenshot(
        clip={"x": 0, "y": 0, "width": WIDTH, "height": height}, full_page=height > HEIGHT
    )
    picture = Image.open(io.BytesIO(shown)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(FOLDER / f"{name}.png", optimize=True)


def taking_back(here: Visit, place: World) -> None:
    """The list, both questions, the progress, and what the device keeps."""
    assert here.wallet
    held = [
        place.license(here.wallet.account, 40, grantee=KLED.address, via="kled.ai") for _ in range(2)
    ]
    names = [hex_text(one.digest) for one in held]
    eventually(lambda: all(place.north.get(f"/v1/licenses/{one}")["anchor"] for one in names))
    page = here.connect()
    card = page.locator(f'[data-license="{names[0]}"]')
    expect(card).to_contain_text("Dated on chain")
    keep(page, "licenses")
    page.get_by_role("button", name="Take back all of kled.ai").click()
    keep(page, "until-now")
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    keep(page, "question")
    page.get_by_role("button", name=SIGN).click()
    expect(page.locator(".steps")).to_contain_text("On chain in block")
    expect(page.locator(".steps")).to_contain_text("1 of 1 other operators have it")
    keep(page, "progress")
    page.get_by_role("button", name="Done").click()
    page.goto(f"{here.url}/#/taken")
    expect(page.locator("[data-digest] .steps")).to_contain_text("On chain in block")
    keep(page, "my-take-backs")
    page.route("**/v1/**", lambda route: route.abort())
    page.goto(f"{here.url}/#/")
    page.reload()
    expect(page.locator(".banner")).to_contain_text("This node does not answer.")
    expect(page.locator(".card").first).to_be_visible()
    page.evaluate("scrollTo(0, 0)")  # a reload keeps the place
    keep(page, "node-down")


def where_it_went(here: Visit, place: World) -> None:
    """The picture of a trace."""
    assert here.wallet
    digest = sold(place, here.wallet.account)
    page = here.go(f"#/trace/{hex_text(digest)}")
    for one in (KLED, LAB, SILENT):
        expect(page.locator(f'svg.trace [data-holder="{one.address}"]')).to_be_visible()
    keep(page, "trace", 640)


def files(here: Visit, place: World, folder: Path) -> None:
    """Files with names and pictures, one of them chosen for one purpose."""
    names = ("birthday.png", "garden.png", "lake.png")
    (folder / "holiday").mkdir()
    for at, name in enumerate(names):
        colours = Image.linear_gradient("L").resize((120, 80))
        bands = [colours, colours.rotate(180), Image.new("L", (120, 80), 60 + 70 * at)]
        Image.merge("RGB", bands).save(folder / "holiday" / name)
    page = here.connect("#/allow")
    page.get_by_label("Choose a folder").set_input_files(folder / "holiday")
    expect(page.get_by_text("3 files", exact=True)).to_be_visible()
    page.get_by_label("Who may use them").fill(KLED.address)
    for purpose in ("train AI", "do research"):
        page.get_by_label(purpose, exact=True).check()
    page.get_by_role("button", name="1 year").click()
    page.get_by_role("button", name="Sign", exact=True).click()
    license_hash = page.locator("[data-license]").get_attribute("data-license")
    page.goto(f"{here.url}/#/license/{license_hash}")
    page.get_by_role("checkbox", name="holiday/garden.png").check()
    page.get_by_label("For what").select_option("research")
    page.get_by_label("Select all").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('.items').scrollIntoView({ block: 'center' })")
    keep(page, "files")


def guardian(here: Visit, place: World) -> None:
    """A guardian takes back for somebody else."""
    assert here.wallet
    ward = place.person()
    own = address_from_text(here.wallet.address)
    place.license(ward, 40, grantee=KLED.address, via="kled.ai", guardian=own)
    page = here.connect(f"#/of/{ward.address}")
    page.get_by_role("button", name="Take back all of kled.ai").click()
    expect(page.get_by_role("dialog")).to_contain_text("as their guardian")
    keep(page, "guardian")


def main() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as folder, launched() as browser, world(Path(folder)) as place:
        works: list[Callable[[Visit], None]] = [
            lambda here: taking_back(here, place),
            lambda here: where_it_went(here, place),
            lambda here: files(here, place, Path(folder)),
            lambda here: guardian(here, place),
        ]
        for work in works:
            here = _visit(browser, place)
            work(here)
            here.close()


def _visit(browser: Browser, place: World) -> Visit:
    return Visit(browser, place, account=place.person())


if __name__ == "__main__":
    main()
