"""The page: what a first visit loads, what axe-core finds, and when it can be used on a slow phone.

Beside it in the same browser, on the same slow line: a page of one heading, the price of the line.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from eth_account import Account
from playwright.sync_api import Browser, Page

from bench.figure import REPEATS, Figure
from browser.visit import Visit
from browser.world import World, world

# Chromium's own profile "Slow 4G" (1.6 Mbit/s down, 150 ms), and a quarter of this machine's CPU.
LINE: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 93_750,
}
SLOWER: Final = 4
# A bad day of an old phone: 30 kB/s, 800 ms, and a sixth of this machine's CPU.
SLOWEST_LINE: Final = {
    "offline": False,
    "latency": 800,
    "downloadThroughput": 30_000,
    "uploadThroughput": 30_000,
}
SLOWEST: Final = 6
MANY: Final = 3_000
TURNS: Final = 3  # each takes most of a minute
KILOBYTE: Final = 1_000
LIMIT: Final = "100 kB at the first visit"
# When the first heading of the page is on the screen, with everything that can be pressed beside it.
STOPWATCH: Final = """
new MutationObserver(() => {
  if (!window.__ready && document.querySelector("h1")) {
    requestAnimationFrame(() => requestAnimationFrame(() => { window.__ready ??= performance.now(); }));
  }
}).observe(document, { childList: true, subtree: true });
"""
BARE: Final = b"<!doctype html><html lang=en><title>bare</title><h1>Take back your say-so.</h1>"


def figures() -> Iterator[Figure]:
    """page.*"""
    from browser.conftest import launched

    with tempfile.TemporaryDirectory() as folder, launched() as browser, world(Path(folder)) as place:
        yield _kilobytes(browser, place)
        yield _violations(browser, place)
        yield _interactive(browser, place)
        yield from _many(browser, place)


def _kilobytes(browser: Browser, place: World) -> Figure:
    """What comes over the line until nothing more is asked for, heads of answers included."""
    visit = Visit(browser, place)
    client = visit.context.new_cdp_session(visit.page)
    client.send("Network.enable")
    received: list[float] = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    visit.go()
    visit.page.wait_for_selector(".home")
    visit.page.wait_for_load_state("networkidle")
    visit.close()
    return Figure("page.kilobytes", sum(received) / KILOBYTE, "kB", "lower", limit=LIMIT)


def _violations(browser: Browser, place: World) -> Figure:
    """Over the places that anybody gets to: beginning, list, question, allowing, looking up."""
    ada = place.person()
    place.license(ada, 40, grantee=Account.create().address, via="kled.ai")
    visit = Visit(browser, place, account=ada)
    page = visit.go()
    page.wait_for_selector(".wallets")
    found = visit.axe()
    page.locator(".wallets button").click()
    page.wait_for_selector(".card")
    found += visit.axe()
    for place_name in ("#/allow", "#/look", "#/hand-in"):
        visit.go(place_name)
        page.wait_for_selector("main h1")
        found += visit.axe()
    visit.go("#/")
    page.locator(".card .danger").click()
    found += visit.axe()
    visit.close()
    return Figure("page.axe_violations", len(found), "violations", "lower", limit="0")


def _interactive(browser: Browser, place: World) -> Figure:
    ours: list[float] = []
    bare: list[float] = []
    with closing(_bare_server()) as server:
        for _ in range(REPEATS):
            ours.append(_seconds(browser, place, place.north.url))
            bare.append(_seconds(browser, place, f"http://127.0.0.1:{server.server_port}"))
    peer = {"a page of one heading": statistics.median(bare)}
    return Figure("page.interactive_s", statistics.median(ours), "s", "lower", peer=peer)


def _many(browser: Browser, place: World) -> Iterator[Figure]:
    """3,000 licenses on a bad day.

    `list_3000_s`: until the newest stand on the screen and can be taken back. `list_3000_whole_s`: until
    all are loaded and counted, which the line bounds. `take_back_visible_s`: from the button that signs
    until the card says that it is taken back.
    """
    first: list[float] = []
    whole: list[float] = []
    taken: list[float] = []
    for _ in range(TURNS):
        ada = place.person()  # none of whose licenses is taken back
        place.license_many(ada, MANY, grantee=Account.create().address, via="kled.ai")
        visit = Visit(browser, place, account=ada)
        page = visit.connect()
        _slow(page, SLOWEST_LINE, SLOWEST)
        begun = time.monotonic()
        page.reload(wait_until="commit")
        card = page.locator(".card").first
        card.locator(".danger").wait_for()
        first.append(time.monotonic() - begun)
        page.locator(".everywhere").wait_for()
        whole.append(time.monotonic() - begun)
        card.locator(".danger").click()
        page.get_by_role("button", name="Sign and take back").wait_for()
        begun = time.monotonic()
        page.get_by_role("button", name="Sign and take back").click()
        page.locator(".card .pill.revoked").first.wait_for()
        taken.append(time.monotonic() - begun)
        visit.context.close()
    for name, seen in (
        ("list_3000_s", first),
        ("list_3000_whole_s", whole),
        ("take_back_visible_s", taken),
    ):
        yield Figure(f"page.{name}", statistics.median(seen), "s", "lower")


def _seconds(browser: Browser, place: World, url: str) -> float:
    visit = Visit(browser, place, at=url)
    visit.context.add_init_script(STOPWATCH)
    _slow(visit.page)
    visit.page.goto(url)
    visit.page.wait_for_function("window.__ready")
    taken: float = visit.page.evaluate("window.__ready / 1000")
    visit.context.close()
    return taken


def _slow(page: Page, line: Mapping[str, float] = LINE, slower: int = SLOWER) -> None:
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", dict(line))
    client.send("Emulation.setCPUThrottlingRate", {"rate": slower})


class _Server(ThreadingHTTPServer):
    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Bare(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(BARE)))
        self.end_headers()
        self.wfile.write(BARE)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _bare_server() -> _Server:
    server = _Server(("127.0.0.1", 0), _Bare)
    Thread(target=server.serve_forever, daemon=True).start()
    return server
