"""One person's visit to the page: a browser context, a wallet, and eyes for what must never happen.

A visit fails if the page asks anybody but the two nodes for anything, breaks its own policy, or throws.
"""

import os
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, Page, expect

from browser.wallet import TestWallet
from browser.world import DEADLINE_S, World

ROOT: Final = Path(__file__).parents[2]
AXE: Final = ROOT / "node" / "web" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS: Final = Path(__file__).parent / "shots"
SIZES: Final = {"phone": (360, 740), "desktop": (1_180, 860)}
DRAWN: Final = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
# What sticks out of the screen or of the open window at either side, and words of headings and buttons
# that are broken in their middle. To the right of a page one can scroll; what is left of it is lost.
MISPLACED: Final = """() => {
  const found = [];
  const told = (one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 60)}`;
  for (const one of document.querySelectorAll("body *:not(.unseen, .skip, option, pre, svg *)")) {
    const { left, right, width } = one.getBoundingClientRect();
    const out = left < -1 || right > innerWidth + 1;
    if (width > 0 && out && one.checkVisibility()) found.push(`out: ${told(one)}`);
  }
  const isTooWide = (text, index, one) => {  // an address in short, which has no better place to break
    const tokens = [...text.data.matchAll(/\\S+/gu)].filter((it) => it.index <= index);
    const { 0: token, index: start } = tokens.at(-1);
    const range = document.createRange();
    range.setStart(text, start);
    range.setEnd(text, start + token.length);
    const width = [...range.getClientRects()].reduce((sum, rect) => sum + rect.width, 0);
    return token.includes("…") && width > one.clientWidth;
  };
  const sheet = document.querySelector("dialog[open]");
  if (sheet && sheet.scrollWidth > sheet.clientWidth) found.push("out: of the window");
  const named = document.querySelectorAll("h1, h2, button, .button, nav a");
  for (const one of named) {
    const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      for (const { 0: word, index } of text.data.matchAll(/[\\p{L}\\p{M}]+/gu)) {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        const lines = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top)));
        if (lines.size > 1 && one.checkVisibility() && !isTooWide(text, index, one))
          found.push(`broken: ${word} in ${told(one)}`);
      }
    }
  }
  return found;
}"""
expect.set_options(timeout=DEADLINE_S * 1_000)


def short(text: str) -> str:
    """How the page shows a hash or an address in short, with word joiners around its dots."""
    return f"{text[:6]}\N{WORD JOINER}…\N{WORD JOINER}{text[-4:]}"


class Visit:
    """Somebody's browser; `account` None means that there is no wallet in it."""

    def __init__(
        self,
        browser: Browser,
        world: World,
        *,
        account: LocalAccount | None = None,
        contract: str = "",
        announces: bool = True,
        device: Literal["phone", "desktop"] = "phone",
        language: str = "en",
        dark: bool = False,
        at: str = "",
        installs: bool = False,
    ) -> None:
        self.world, self.url, self.device = world, at or world.north.url, device
        width, height = SIZES[device]
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme=scheme,
            has_touch=device == "phone",
            accept_downloads=True,
            reduced_motion="reduce",
            # What a service worker asks for, a test would not see.
            service_workers="allow" if installs else "block",
        )
        self.context.set_default_timeout(DEADLINE_S * 1_000)
        self.wallet = TestWallet(account, world, contract) if account else None
        if self.wallet:
            self.wallet.install(self.context, announces=announces)
        self.problems: list[str] = []
        self.page = self.watch(self.context.new_page())

    def watch(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.problems.append(f"thrown: {error}"))
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("request", lambda request: self._look(request.url))
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "Content Security Policy" in text:
            self.problems.append(text)

    def _look(self, url: str) -> None:
        allowed = {urlsplit(one.url).netloc for one in (self.world.north, self.world.south)}
        if urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc not in allowed:
            self.problems.append(f"asked somebody else: {url}")

    def go(self, path: str = "") -> Page:
        self.page.goto(f"{self.url}/{path}")
        return self.page

    def connect(self, path: str = "") -> Page:
        """Open the page and connect the wallet by its button."""
        page = self.go(path)
        page.get_by_role("button", name="Connect Test Wallet").click()
        expect(page.locator(".account")).to_be_visible()
        return page

    def shot(self, name: str) -> None:
        """Wait until the page is drawn; keep a picture with SAYSO_SHOTS=1, for people to look at."""
        self.page.evaluate(DRAWN)
        if os.environ.get("SAYSO_SHOTS") != "1":
            return
        SHOTS.mkdir(exist_ok=True)
        sheet = self.page.locator("dialog[open]").count() > 0
        self.page.screenshot(path=SHOTS / f"{name}-{self.device}.png", full_page=not sheet)

    def axe(self) -> list[str]:
        """What axe-core finds wrong with the page as it is now."""
        assert AXE.is_file(), "run `make page`, which installs what it needs"
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]

    def look_at(self, name: str) -> None:
        """A picture, no violations, and nothing that sticks out of the screen."""
        self.shot(name)
        found = self.axe()
        assert not found, found
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} px too wide"
        misplaced = self.page.evaluate(MISPLACED)
        assert not misplaced, f"{name}: {misplaced}"

    def close(self) -> None:
        for page in self.context.pages:
            page.unroute_all(behavior="ignoreErrors")  # a request may be on its way
        self.context.close()
        assert not self.problems, self.problems
