"""Allowing a use: files of the person's own, a marketplace's request, warnings; and looking files up."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from eth_account import Account
from playwright.sync_api import Page, Route, expect

from browser.visit import Visit, short
from browser.world import World, eventually
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.primitives import hex_text, salted_item
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
MARKET = "http://market.example"
REFUSED = 3  # how `sayso check` ends when rows are not clear
Open = Callable[..., Visit]

pytestmark = pytest.mark.long


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two small ones, and one that is read in many pieces."""
    found = [tmp_path / name for name in ("walk.jpg", "hello.wav", "long.mp4")]
    for path, size in zip(found, (5_000, 0, 24 * 1024 * 1024), strict=True):
        path.write_bytes(os.urandom(size))
    return found


def items_of(files: list[Path], salts: list[dict[str, str]]) -> list[str]:
    plain = [hashlib.sha256(path.read_bytes()).digest() for path in files]
    return [
        hex_text(salted_item(bytes.fromhex(one["salt"][2:]), bytes_hash))
        for one, bytes_hash in zip(salts, plain, strict=True)
    ]


def fill(page: Page, files: list[Path]) -> None:
    page.get_by_label("Choose files").set_input_files(files)
    expect(page.get_by_text(f"{len(files)} files", exact=True)).to_be_visible()
    page.get_by_label("Who may use them").fill(LAB)
    page.get_by_label("Marketplace").fill("kled.ai")
    page.get_by_label("train AI", exact=True).check()
    page.get_by_role("button", name="1 year").click()


def test_files_are_licensed_and_appear(visit: Open, place: World, files: list[Path]) -> None:
    ada, guardian = place.person(), place.person()
    here = visit(account=ada)
    page = here.connect()
    page.get_by_role("link", name="Allow").click()
    here.look_at("allow-empty")
    fill(page, files)
    page.get_by_label("Guardian").fill(guardian.address)
    notice = page.locator("[data-notice]")
    expect(notice).to_contain_text("I allow use of 3 items of mine for train-ai until ")
    expect(notice).to_contain_text(
        f" by {LAB}, through kled.ai; to be rechecked every 168 hours; removed within 30 days of"
    )
    page.get_by_label("Ask again after").select_option("1 day")
    page.get_by_label("Remove within").select_option("7 days")
    expect(notice).to_contain_text(
        "; to be rechecked every 24 hours; removed within 7 days of revocation;"
    )
    here.look_at("allow")
    shown = notice.text_content()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    here.look_at("allowed")
    assert here.wallet
    assert [one["message"]["notice"] for one in here.wallet.asked] == [shown]

    license_hash = page.locator("[data-license]").get_attribute("data-license") or ""
    told = place.north.get(f"/v1/licenses/{license_hash}")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the secrets for the marketplace").click()
    salts = [json.loads(line) for line in saving.value.path().read_text().splitlines()]
    assert told["items"] == items_of(files, salts)
    assert told["consent"]["guardian"] == guardian.address
    assert (told["consent"]["recheckHours"], told["consent"]["removalDays"]) == (24, 7)
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the list for the marketplace").click()
    rows = [json.loads(line) for line in saving.value.path().read_text().splitlines()]
    assert [one["file"] for one in rows] == ["walk.jpg", "hello.wav", "long.mp4"]
    assert {one["license"] for one in rows} == {license_hash}
    page.get_by_role("main").get_by_role("link", name="My licenses").click()
    card = page.locator(f'[data-license="{license_hash}"]')
    expect(card).to_contain_text("train AI with 3 recordings")

    # The buyer checks the list as it was saved.
    manifest = saving.value.path()
    assert place.check(manifest, LAB, "train-ai") == 0
    card.get_by_role("button", name="Take back").click()
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.locator(".steps")).to_contain_text("North stored it and signed a promise")
    assert place.check(manifest, LAB, "train-ai") == REFUSED


def test_a_marketplace_asks_by_link(visit: Open, place: World) -> None:
    ada = place.person()
    items = [f"0x{number:064x}" for number in range(1, 4)]
    here = visit(account=ada)
    terms = f"grantee={LAB}&via=kled.ai&purposes=train-ai,evaluate&expires=2027-05-03"
    terms += "&recheck_hours=36&removal_days=14"
    page = here.connect(f"#/allow?{terms}&items={','.join(items)}")
    notice = page.locator("[data-notice]")
    expect(notice).to_contain_text(
        "use of 3 items of mine for evaluate, train-ai until 2027-05-03 23:59 UTC"
    )
    expect(notice).to_contain_text("rechecked every 36 hours; removed within 14 days")
    expect(page.locator('[data-answer="recheck"]')).to_contain_text("36 hours")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()


def test_a_marketplace_asks_by_message_and_is_answered(visit: Open, place: World) -> None:
    ada = place.person()
    here = visit(account=ada)
    example = re.findall(
        r"```html\n(.*?)```",
        (Path(__file__).parents[2] / "docs/reference/page.md").read_text(),
        re.DOTALL,
    )[0].replace("https://node.example", here.url)
    here.context.route(f"{MARKET}/", lambda route: route.fulfill(body=example, content_type="text/html"))
    market = here.context.new_page()
    market.goto(f"{MARKET}/")
    with market.expect_popup() as opening:
        market.get_by_role("button", name="Sign the license").click()
    page = here.watch(opening.value)
    page.get_by_role("button", name="Connect Test Wallet").click()
    expect(page.get_by_text(f"{MARKET} asks for this.")).to_be_visible()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    answer = market.locator("#answer")
    expect(answer).not_to_be_empty()
    (given,) = json.loads(answer.text_content() or "")
    envelope = decode(bytes.fromhex(given["envelope"][2:]), place.trusted.network)
    assert isinstance(envelope.message, Consent)
    assert hex_text(envelope.digest) == given["license"]
    assert [hex_text(one) for one in envelope.items] == given["items"]
    grantee = "0x" + envelope.message.grantee.hex()
    eventually(lambda: set(place.reasons(envelope, grantee, "train-ai")) == {Reason.GRANTED})


def test_warnings_where_people_get_hurt(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    asked = (
        "grantee=anyone&via=k1ed.ai&purposes=likeness-synthesis,resale&expires=2031-01-01&items=0x"
        + "11" * 32
    )
    page = here.connect(f"#/allow?{asked}")
    for text in (
        "Anyone may use it, not only the buyer who pays you.",
        "Cloning: they may make your voice or face say and do anything.",
        "Resale: they may pass it on to buyers you do not know.",
        "“k1ed.ai” looks like “kled.ai”, but is a different domain.",
        "This is longer than two years.",
    ):
        expect(page.get_by_text(text)).to_be_visible()
    here.look_at("warnings")
    page.get_by_role("button", name="Change Marketplace").click()
    page.get_by_label("Marketplace").fill("kłed.ai")
    expect(page.get_by_text("The name is written in letters that can look like others")).to_be_visible()
    page.get_by_role("button", name="Change For how long").click()
    page.get_by_label("Until").fill("2047-01-01")
    expect(page.get_by_role("alert")).to_have_text("The maximum is ten years.")
    expect(page.get_by_role("button", name="Sign", exact=True)).to_be_disabled()


def test_what_was_signed_is_not_lost_when_the_node_goes_away(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    asked = f"grantee={LAB}&purposes=train-ai&expires=2027-05-03&items=0x" + "14" * 32
    page = here.connect(f"#/allow?{asked}")
    page.route("**/v1/consents", lambda route: route.abort())
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("It waits on this device.")
    here.look_at("not-taken")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the signed file").click()
    (data,) = decode_bundle(saving.value.path().read_bytes())
    page.unroute("**/v1/consents")
    # The page sends it by itself.
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    assert here.wallet
    assert len(here.wallet.asked) == 1  # it was not asked again
    shown = page.locator("[data-license]").get_attribute("data-license")
    assert hex_text(decode(data, place.trusted.network).digest) == shown


def test_a_node_that_wants_more_signed_is_found_out(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    asked = f"grantee={LAB}&purposes=train-ai&expires=2027-05-03&items=0x" + "15" * 32
    page = here.connect(f"#/allow?{asked}")

    def lie(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["typed_data"]["message"]["purposes"].append("likeness-synthesis")
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/v1/typed-data/consent", lie)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This node asked you to sign something other")
    assert here.wallet
    assert here.wallet.asked == []


def test_a_wrong_network_is_said_before_a_consent_is_signed(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    asked = f"grantee={LAB}&purposes=train-ai&expires=2027-05-03&items=0x" + "12" * 32
    page = here.connect(f"#/allow?{asked}")
    assert here.wallet
    here.wallet.chain_id = 10
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("Your wallet is on another network (chain 10).")).to_be_visible()
    assert here.wallet.asked == []


def test_anybody_looks_a_file_up(visit: Open, place: World, files: list[Path]) -> None:
    ada = place.person()
    page = visit(account=ada).connect("#/allow")
    fill(page, files[:2])
    page.get_by_label("Hide which files these are").uncheck()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()

    stranger = visit()
    page = stranger.go("#/look")
    page.get_by_label("Choose files").set_input_files(files[0])
    expect(page.get_by_text("1 license names this file")).to_be_visible()
    expect(page.locator(".card")).to_contain_text(f"{short(ada.address)} allowed")
    stranger.look_at("look-up")
    page.get_by_label("Choose files").set_input_files(files[2])
    expect(page.get_by_text("This node knows no license of this file.")).to_be_visible()
    # The way from here to the license is open to anybody, too, and offers nothing to take back.
    page.get_by_label("Choose files").set_input_files(files[0])
    page.get_by_role("link", name="Files and details").click()
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)


def test_nobody_without_a_wallet_is_left_alone(visit: Open, place: World) -> None:
    ada = place.person()
    place.license(ada, 2, grantee=LAB)
    here = visit()
    page = here.go()
    apps = page.locator(".apps a")
    expect(apps).to_have_count(4)
    here.look_at("home")
    # What a marketplace asks for is still there when the page opens in the app.
    page = here.go("#/allow?via=kled.ai")
    expect(page.locator('[data-answer="via"]')).to_contain_text("kled.ai")
    links: list[str] = apps.evaluate_all("links => links.map(one => one.href)")
    assert links[0].startswith("https://metamask.app.link/dapp/")
    for one in links:
        assert f"{urlsplit(here.url).netloc}/#/allow?via=kled.ai" in unquote(unquote(one))
    page = here.go("#/")
    page.get_by_label("Or only look").fill("0x12")
    page.get_by_role("button", name="Look", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("This is not a complete address: 0x and 40 digits.")
    page.get_by_label("Or only look").fill(ada.address)
    page.get_by_role("button", name="Look", exact=True).click()
    expect(page.locator(".card")).to_contain_text("may train AI")
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    here.look_at("only-look")
