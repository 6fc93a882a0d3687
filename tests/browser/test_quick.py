"""On a slow line, what does not wait for each other is asked at once, and no more than is needed."""

from collections.abc import Callable
from typing import Any

from eth_account import Account
from playwright.sync_api import Page, Request, Route, expect

from browser.visit import Visit
from browser.world import World
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text

LAB = Account.create().address
Open = Callable[..., Visit]
# How many windows were drawn whenever the page asked for what the wallet will sign.
WINDOWS = """
const ask = window.fetch;
window.__windows = [];
window.fetch = (path, init) => {
  if (path.includes("/typed-data/")) window.__windows.push(document.querySelectorAll("dialog").length);
  return ask(path, init);
};
"""


def card(page: Page, held: Envelope) -> Any:
    return page.locator(f'[data-license="{hex_text(held.digest)}"]')


def test_the_list_is_asked_for_before_the_node_has_answered(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 1, grantee=LAB)
    page = visit(account=ada).connect()
    expect(card(page, held)).to_be_visible()
    waiting: list[Route] = []
    page.route("**/v1/node", lambda route: waiting.append(route))  # noqa: PLW0108 - Playwright marks it
    with page.expect_request("**/consents?limit=30"):
        page.reload(wait_until="commit")
    for one in waiting:
        one.continue_()
    expect(card(page, held)).to_be_visible()


def test_few_requests_list_many_licenses(visit: Open, place: World) -> None:
    ada = place.person()
    place.license_many(ada, 150, grantee=LAB)
    page = visit(account=ada).go()
    asked: list[str] = []

    def hear(request: Request) -> None:
        if "/consents" in request.url:
            asked.append(request.url)

    page.on("request", hear)
    page.get_by_role("button", name="Connect Test Wallet").click()
    expect(page.get_by_text("150 licenses")).to_be_visible()
    assert len(asked) == 2  # what the screen shows, and the rest


def test_the_promise_of_the_node_is_enough_to_show_it(visit: Open, place: World) -> None:
    ada = place.person()
    held = [place.license(ada, 2, grantee=LAB, via="kled.ai") for _ in range(2)]
    other = place.license(ada, 2, grantee=LAB, via="silencio.network")
    here = visit(account=ada)
    page = here.connect()
    expect(page.get_by_text("3 licenses")).to_be_visible()
    page.route("**/consents*", lambda route: None)  # the list never comes again
    compared: list[Request] = []
    page.on("request", lambda one: compared.append(one) if "/typed-data/" in one.url else None)
    # What would be signed is compared with the node while the person reads the question.
    with page.expect_response("**/v1/typed-data/revocation"):
        page.get_by_role("button", name="Take back all of kled.ai").click()
    assert here.wallet
    assert here.wallet.asked == []
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    for one in held:
        expect(card(page, one).locator(".pill")).to_have_text("Taken back")
    expect(card(page, other).locator(".pill")).to_have_text("Active")
    assert len(compared) == 1


def test_a_part_is_not_shown_as_the_whole(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 2, grantee=LAB, purposes=("research", "train-ai"))
    page = visit(account=ada).connect()
    expect(page.get_by_text("1 license")).to_be_visible()
    page.get_by_label("Take back a purpose everywhere").select_option("research")
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    expect(card(page, held).locator(".pill")).to_have_text("Partly taken back")


def test_nothing_is_loaded_between_the_signature_and_the_news(visit: Open, place: World) -> None:
    ada = place.person()
    held = place.license(ada, 1, grantee=LAB)
    here = visit(account=ada)
    here.context.add_init_script(WINDOWS)
    page = here.connect()
    with page.expect_response("**/v1/typed-data/revocation"):
        card(page, held).get_by_role("button", name="Take back").click()
    assert page.evaluate("window.__windows") == [0]  # it does not wait until the question is drawn
    late: list[str] = []

    def only_the_promise(route: Route) -> None:
        if route.request.url.endswith("/v1/revocations"):
            return route.continue_()
        late.append(route.request.url)
        return route.abort()

    page.route("**/*", only_the_promise)
    page.get_by_role("button", name="Sign and take back").click()
    expect(page.get_by_role("heading", name="Taken back.")).to_be_visible()
    expect(card(page, held).locator(".pill")).to_have_text("Taken back")
    assert not [one for one in late if "/v1/" not in one]
