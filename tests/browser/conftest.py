"""The Chromium of this machine, and a page in it with a wallet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.visit import Visit
from browser.world import World, world
from support.machine import chromium

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, for as long as the block lasts."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


# Playwright keeps a loop running in this thread: no test of this folder has one of its own, and it ends
# with the last of them. So does the world, whose start takes as long as many of the tests; each of these
# brings people of its own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture(params=["phone", pytest.param("desktop", marks=pytest.mark.long)])
def visit(
    request: pytest.FixtureRequest, browser: Browser, place: World
) -> Iterator[Callable[..., Visit]]:
    """Open the page as somebody, on a phone and on a desktop; every visit is looked after."""
    opened: list[Visit] = []

    def open_one(**options: Any) -> Visit:
        opened.append(Visit(browser, place, device=request.param, **options))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
