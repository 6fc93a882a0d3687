"""A signed consent waits on the device while its node is down, and is sent once when it is back."""

from collections.abc import Callable

from eth_account import Account
from playwright.sync_api import Page, Request, expect

from browser.visit import Visit
from browser.world import World, eventually
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.wire import decode_bundle
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import Reason

LAB = Account.create().address
Open = Callable[..., Visit]
CONSENTS = "**/v1/consents"
WAITS = "It waits on this device."


def asking(number: int) -> str:
    return f"#/allow?grantee={LAB}&purposes=train-ai&expires=2027-05-03&items=0x{number:064x}"


def sign(page: Page) -> None:
    page.get_by_role("button", name="Sign", exact=True).click()


def count(here: Visit) -> list[str]:
    """The consents that leave this browser and are answered, from now on."""
    answered: list[str] = []

    def hear(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/v1/consents"):
            answered.append(request.url)

    here.context.on("requestfinished", hear)
    return answered


def test_a_consent_waits_for_its_node_and_is_sent_once(visit: Open, place: World) -> None:
    ada = place.person()
    here = visit(account=ada, at=place.south.url, installs=True)
    page = here.connect(asking(7001))
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("caches.keys().then((names) => names.length === 1)")
    expect(page.locator("[data-notice]")).to_be_visible()
    place.south.stop()
    try:
        sign(page)
        expect(page.get_by_role("alert")).to_contain_text(WAITS)
        expect(page.get_by_role("alert")).to_contain_text("Nothing is allowed yet.")
        expect(page.get_by_role("heading", name="Allowed.")).to_have_count(0)
        here.look_at("consent-waits")
        second = here.watch(here.context.new_page())
        second.goto(f"{here.url}/")  # by the service worker
        entry = second.locator("[data-waits]")
        expect(entry).to_contain_text("Not sent yet")
        expect(entry).to_contain_text("may train AI with 1 recording or file")
        here.page = second
        here.look_at("not-sent-yet")
        with second.expect_download() as saving:
            entry.get_by_role("button", name="Save the signed file").click()
    finally:
        answered = count(here)
        place.south.start()
    (data,) = decode_bundle(saving.value.path().read_bytes())
    envelope = decode(data, place.trusted.network)
    # Both windows have waited for the node.
    expect(second.locator(f'[data-license="{hex_text(envelope.digest)}"]')).to_contain_text("Active")
    expect(entry).to_have_count(0)
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    sent = "The node answers again. 1 license that waited was sent."
    assert sum(one.get_by_text(sent).count() for one in (page, second)) == 1
    third = here.watch(here.context.new_page())
    third.goto(f"{here.url}/")
    expect(third.locator("[data-license]")).to_have_count(1)
    assert here.wallet
    assert (len(here.wallet.asked), len(answered)) == (1, 1)
    eventually(lambda: set(place.reasons(envelope, LAB, "train-ai")) == {Reason.GRANTED})


def test_a_consent_that_is_refused_or_not_wanted_is_not_sent_again(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    page = here.connect(asking(7002))
    page.route(CONSENTS, lambda route: route.abort())
    sign(page)
    expect(page.get_by_role("alert")).to_contain_text(WAITS)
    refusal = {"digest": None, "status": "refused", "error": {"code": "bad-signature", "message": ""}}
    here.context.route(CONSENTS, lambda route: route.fulfill(status=422, json={"results": [refusal]}))
    page.unroute(CONSENTS)  # from now on it is refused, by the route of all windows
    page.goto(f"{here.url}/#/")
    page.reload()
    entry = page.locator("[data-waits]")
    expect(entry).to_contain_text("This node refused it. (Code bad-signature)")
    here.look_at("consent-refused")
    here.context.unroute(CONSENTS)
    answered = count(here)
    page.reload()
    expect(page.get_by_text("This node knows no license of this address.")).to_be_visible()
    entry.get_by_role("button", name="Do not send it").click()
    expect(entry).to_have_count(0)
    page.reload()
    expect(page.get_by_text("This node knows no license of this address.")).to_be_visible()
    expect(entry).to_have_count(0)
    assert answered == []


def test_a_consent_that_waits_is_not_signed_again(visit: Open, place: World) -> None:
    here = visit(account=place.person())
    page = here.connect(asking(7003))
    page.route(CONSENTS, lambda route: route.abort())
    sign(page)
    expect(page.get_by_role("alert")).to_contain_text(WAITS)
    page.unroute(CONSENTS)
    # The page itself sends it within seconds; what was signed is not signed again.
    expect(page.get_by_role("heading", name="Allowed.")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="My licenses").click()
    expect(page.locator("[data-license]")).to_contain_text("Active")
    expect(page.locator("[data-waits]")).to_have_count(0)
    assert here.wallet
    assert len(here.wallet.asked) == 1
