"""The report for people, and what re-checks a run years later: of nodes, and offline."""

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from browser.conftest import launched
from cli.conftest import QUERY, World
from cli.gate.conftest import DAY_S, Buyer
from cli.gate.test_nodes import both, south  # noqa: F401 - a fixture
from docs.markdown import ROOT
from support.fake_node import FakeNode

TOLD = ("--rejected", "why.jsonl", "--receipt", "receipt.json", "--report", "report.html")
FILES = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
OFFLINE = ("--offline", "north.snapshot", "--bundle", "licenses.sayso")


class Page(HTMLParser):
    """The words of a page, and every attribute that could name something outside of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.outside: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.outside += [
            name for name, _ in attrs if name in {"src", "href", "srcset", "data", "action"}
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page() -> Page:
    return Page(Path("report.html").read_text())


def test_the_report_says_what_the_record_says(buyer: Buyer, south: FakeNode) -> None:  # noqa: F811
    buyer.revoke()
    buyer.check("m.jsonl", *both(buyer, south), "--run-id", "<run & 7>", *TOLD, status=3)
    record, report = json.loads(Path("receipt.json").read_bytes()), page()
    for text in (
        "4 rows were checked: 3 may be used, 1 may not.",
        "m.jsonl (jsonl)",
        "<run & 7>",
        "3 granted A consent allows this use",
        "1 revoked A person whose consent is needed has revoked it.",
        "Receipts for exactly these rows are signed by: South, Fake.",
        "Node of South",
        "The nodes disagree about 1 row; the strictest answer counts.",
        f"part 1, 4 rows {record['parts'][0]['results_root']}",
        "The receipt proves that this check was made and what its result was.",
    ):
        assert text in report.text
    for source in record["sources"]:
        for name in ("node_key", "block", "block_hash", "state", "url"):
            assert str(source[name]) in report.text
    assert "answered 4 granted" in report.text
    assert not report.outside
    assert report.tags.isdisjoint({"script", "link", "img", "iframe", "object", "a"})


def test_the_record_is_documented_field_by_field(buyer: Buyer, south: FakeNode) -> None:  # noqa: F811
    buyer.revoke()
    told = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "reference" / "record.md").read_text()))
    buyer.snapshot()
    buyer.bundle()
    for options in (both(buyer, south), OFFLINE):
        buyer.check("m.jsonl", *options, *TOLD, status=3)
        record = json.loads(Path("receipt.json").read_bytes())
        objects = [record, record["network"], record["manifest"], *record["sources"], *record["parts"]]
        assert {name for one in objects for name in one} <= told
        assert {one["kind"] for one in record["sources"]} <= told


def test_a_report_of_one_row_that_is_clear(world: World) -> None:
    world.grant("a.jpg")
    query = ("--grantee", world.address.hex(), "--purpose", "train-ai")
    world.run("check", "m.jsonl", "--grantee", "0x" + query[1], *query[2:], *TOLD)
    assert "1 row was checked: 1 may be used, 0 may not." in page().text
    assert "0x" + query[1] in page().text.lower()


@pytest.mark.long
def test_a_browser_shows_and_prints_it_and_loads_nothing(buyer: Buyer, south: FakeNode) -> None:  # noqa: F811
    buyer.revoke()
    buyer.check("m.jsonl", *both(buyer, south), *TOLD, status=3)
    with launched() as browser:
        opened = browser.new_page(java_script_enabled=False)
        asked: list[str] = []
        said: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        opened.on("console", lambda message: said.append(message.text))
        url = Path("report.html").absolute().as_uri()
        opened.goto(url)
        assert opened.locator(".verdict").is_visible()
        wide = "document.documentElement.scrollWidth"
        for width in (320, 900):
            opened.set_viewport_size({"width": width, "height": 900})
            assert browser_value(opened, wide) <= width
        printed = opened.pdf(format="A4")
        assert asked == [url]
        assert not said
    assert printed.startswith(b"%PDF")


def browser_value(opened: object, script: str) -> int:
    """Of the page itself: its own scripts are off, ours run beside it."""
    return int(opened.evaluate(script))  # type: ignore[attr-defined]


@pytest.fixture
def offline(buyer: Buyer) -> Buyer:
    """A check that asked nobody."""
    buyer.revoke()
    buyer.snapshot()
    buyer.bundle()
    buyer.check("m.jsonl", *OFFLINE, *TOLD, status=3)
    return buyer


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five years on; whatever has a clock."""
    now = time.time

    def clock() -> float:
        return now() + 5 * 365 * DAY_S

    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr("sayso.gate.judges.offline.OfflineJudge.__init__.__defaults__", (clock,))


def test_offline_the_report_says_that_nobody_signed(offline: Buyer) -> None:
    record, report = json.loads(Path("receipt.json").read_bytes()), page()
    assert "The check was offline, with snapshots signed by: Fake." in report.text
    assert "--offline SNAPSHOT --bundle CONSENTS" in report.text
    assert "No node signed this result." in report.text
    snapshot, bundle = record["sources"]
    for text in (snapshot["id"], snapshot["state"], bundle["digest"]):
        assert text in report.text


def test_years_later_a_run_of_nodes_verifies(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    buyer.revoke()
    buyer.check("m.jsonl", *TOLD, status=3)
    later(monkeypatch)
    said = buyer.world.run("receipt", "verify", "receipt.json", *FILES).stdout
    assert "signed by Fake" in said


def test_years_later_a_run_offline_is_done_again(
    offline: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch)
    verify = ("receipt", "verify", "receipt.json", *FILES)
    said = offline.world.run(*verify, *OFFLINE).stdout
    assert "the snapshots and the consents give the same result for that moment" in said
    offline.world.fails("snapshot-expired", "check", "m.jsonl", *QUERY, *OFFLINE)
    offline.world.run(*verify, *OFFLINE[:2], status=2)  # without the consents it cannot be


def test_a_run_offline_that_is_not_what_was_written(offline: Buyer) -> None:
    """Somebody makes a record that calls the revoked row granted, with roots that fit."""
    honest = json.loads(Path("receipt.json").read_bytes())
    Path("before.jsonl").write_bytes(Path("m.jsonl").read_bytes())
    offline.node.memory.revoked.clear()
    offline.snapshot("other.snapshot")
    offline.check("m.jsonl", "--offline", "other.snapshot", *OFFLINE[2:], *TOLD)
    forged = json.loads(Path("receipt.json").read_bytes())
    verify = ("receipt", "verify", "forged.json", *FILES)
    # With the sources of the honest run it verifies on its own, but not against the snapshot it names.
    offline.world.write("forged.json", json.dumps(forged | {"sources": honest["sources"]}).encode())
    offline.world.run(*verify)
    offline.world.fails("bad-proof", *verify, *OFFLINE)
    # With its own it is another snapshot.
    offline.world.write("forged.json", json.dumps(forged).encode())
    offline.world.fails("bad-proof", *verify, *OFFLINE)
    offline.world.run(*verify, "--offline", "other.snapshot", *OFFLINE[2:])
    # As at another time the snapshot could not have spoken.
    part = forged["parts"][0] | {"time": forged["parts"][0]["time"] - 10 * DAY_S}
    offline.world.write("forged.json", json.dumps(forged | {"parts": [part]}).encode())
    offline.world.fails("snapshot-expired", *verify, "--offline", "other.snapshot", *OFFLINE[2:])


def test_a_run_offline_is_bound_to_its_rows(offline: Buyer) -> None:
    """Nobody signed for them, so that their root with the reasons is all that binds them."""
    lines = Path("m.jsonl").read_bytes().splitlines(keepends=True)
    offline.world.run("receipt", "verify", "receipt.json", *FILES)
    said = offline.world.fails("bad-proof", "receipt", "verify", "receipt.json", *FILES[:2])
    assert "the rejected rows are also needed" in said.stderr
    offline.world.write("m.jsonl", b"".join([lines[2], *lines[1:]]))  # as many rows, and one is another
    offline.world.fails("bad-proof", "receipt", "verify", "receipt.json", *FILES)


def test_a_receipt_of_a_node_is_not_done_again(offline: Buyer) -> None:
    offline.check("m.jsonl", *TOLD, status=3)
    offline.world.fails("bad-proof", "receipt", "verify", "receipt.json", *FILES, *OFFLINE)
