"""The proof on paper: one sheet in two languages, whose code anybody verifies without asking a node."""

import base64
import re
from collections.abc import Callable
from typing import Any

from eth_account import Account
from playwright.sync_api import Page, expect

from browser.reading_codes import read_code
from browser.visit import Visit
from browser.world import World
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text

LAB = Account.create().address
Open = Callable[..., Visit]
FIELDS = {
    "chain": 0,
    "registry": 8,
    "key": 28,
    "digest": 60,
    "block": 92,
    "hash": 100,
    "time": 132,
    "signature": 140,
}
PAGES = re.compile(rb"/Type\s*/Page[^s]")


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def proof_of(here: Visit, held: Envelope) -> str:
    """Take a license back, and open its proof: the digest of the revocation."""
    page = here.go()
    page.locator(".wallets button").click()
    card(page, held).locator(".danger").click()
    page.locator("dialog > .danger").click()
    link = page.locator("dialog a[href^='#/proof/']")
    digest = (link.get_attribute("href") or "").removeprefix("#/proof/")
    link.click()
    expect(page.locator(".sheet [data-link]")).to_be_visible()
    return digest


def changed(link: str, at: int) -> str:
    """The link with one bit of a byte changed."""
    start, text = link.split("#")
    data = bytearray(base64.urlsafe_b64decode(text + "=="))
    data[at] ^= 1
    return f"{start}#{base64.urlsafe_b64encode(data).decode().rstrip('=')}"


def test_a_printed_proof_is_verified_by_anybody(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB)
    here = visit(account=ada, language="es-MX")
    digest = proof_of(here, held)
    page = here.page
    sheet = page.locator(".sheet")
    for text in ("Prueba de una retirada", "Proof of a take-back", ada.address, digest, "North"):
        expect(sheet).to_contain_text(text)
    here.look_at("proof")
    letter = page.get_by_label("Una carta a la empresa").input_value()
    assert "confirmen por escrito la eliminación" in letter
    assert "confirm the removal to me in writing" in letter
    assert digest in letter

    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Imprimir")).to_be_hidden()
    assert len(PAGES.findall(page.pdf(prefer_css_page_size=True))) == 1
    link = read_code(page.locator(".sheet [data-link]").screenshot())
    assert link in letter
    node = place.north.get("/v1/node")
    data = base64.urlsafe_b64decode(link.split("#")[1] + "==")
    assert (data[28:60].hex(), hex_text(data[60:92])) == (node["node_key"], digest)

    # A stranger, whose browser asks no node for anything but the page, and has no Ed25519 of its own.
    stranger = visit()
    stranger.context.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page = stranger.page
    page.route("**/v1/**", lambda route: route.abort())
    page.goto(link)
    expect(page.get_by_role("status")).to_have_text("The signature is right.")
    expect(page.locator("main, #page")).to_contain_text(digest)
    expect(page.locator(".owner")).to_contain_text("Nothing here shows whose key it is.")
    stranger.look_at("verified")
    page.unroute("**/v1/**")
    page.reload()
    expect(page.locator(".owner")).to_contain_text("the key as that of North, an operator")
    for at in FIELDS.values():
        page.goto(changed(link, at))
        expect(page.get_by_role("alert")).to_contain_text("This proves nothing.")
        expect(page.get_by_role("status")).to_have_count(0)
    page.goto(link[:-1])
    expect(page.get_by_role("alert")).to_contain_text("This proves nothing.")
