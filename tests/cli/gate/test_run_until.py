"""`sayso check --run-until` keeps rows that last so long; `receipt verify --at` says so later."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import QUERY, World
from cli.gate.conftest import Buyer

OUT = ("--out", "kept.jsonl", "--rejected", "why.jsonl", "--receipt", "r.json")
FILES = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
HOUR = 3_600


@pytest.fixture
def short(world: World) -> World:
    """A file whose person wants a new check every two hours, and one with a week."""
    world.grant("a", manifest="a.jsonl", clocks=("--recheck", "2h"))
    world.grant("b", manifest="b.jsonl", clocks=("--recheck", "168h"))
    rows = [(world.folder / name).read_bytes() for name in ("a.jsonl", "b.jsonl")]
    (world.folder / "m.jsonl").write_bytes(b"".join(rows))
    return world


def kept(world: World) -> list[dict[str, Any]]:
    return world.rows("kept.jsonl")


def sources(world: World, offline: bool) -> tuple[object, ...]:
    if not offline:
        return ()
    buyer = Buyer.__new__(Buyer)  # without the rows of its own
    buyer.world, buyer.node, buyer.folder = world, world.node, world.folder
    return "--offline", buyer.snapshot(), "--bundle", buyer.bundle()


@pytest.mark.parametrize("offline", [False, True])
def test_rows_that_end_before_the_run_are_not_kept(short: World, offline: bool) -> None:
    more = sources(short, offline)
    max_age = ("--max-age", "1h")
    short.run("check", "m.jsonl", *QUERY, *OUT, *more, *max_age)
    assert len(kept(short)) == 2
    said = short.run("check", "m.jsonl", *QUERY, *OUT, *more, *max_age, "--run-until", "1d", status=3)
    assert "--run-until" in said.stderr
    assert kept(short) == short.rows("b.jsonl")
    [refused] = short.rows("why.jsonl")
    assert (refused["line"], refused["reason"]) == (1, "stale")
    record = json.loads((short.folder / "r.json").read_bytes())
    assert record["until"] - time.time() > 6 * 24 * HOUR
    assert 0 < record["run_until"] - time.time() <= 24 * HOUR
    # No row of a short license shortens the run of the others.
    covered = short.run("receipt", "verify", "r.json", *FILES, "--at", "5d").stdout
    assert "was covered" in covered
    short.fails("not-covered", "receipt", "verify", "r.json", *FILES, "--at", "8d")


def test_the_shortest_clear_row_says_until_when_a_run_is_covered(short: World) -> None:
    short.run("check", "m.jsonl", *QUERY, *OUT)
    assert "was covered" in short.run("receipt", "verify", "r.json", "--at", "1h").stdout
    short.fails("not-covered", "receipt", "verify", "r.json", "--at", "3h")
    before = datetime.fromtimestamp(time.time() - 60, UTC).isoformat()
    short.fails("not-covered", "receipt", "verify", "r.json", "--at", before)


def test_a_run_without_a_clear_row_covers_nothing(short: World) -> None:
    short.run("revoke", "--file", "a", "--file", "b", "--key", short.key, "--yes")
    short.run("check", "m.jsonl", *QUERY, *OUT, status=3)
    short.fails("not-covered", "receipt", "verify", "r.json", "--at", "1s")


def test_an_offline_record_that_claims_more_time_is_found_out(short: World) -> None:
    more = sources(short, offline=True)
    short.run("check", "m.jsonl", *QUERY, *OUT, *more, "--max-age", "1h")
    record = json.loads((short.folder / "r.json").read_bytes())
    verify = ("receipt", "verify", "r.json", *FILES, *more)
    assert "the same result" in short.run(*verify).stdout
    for until in (record["until"] + 1, record["until"] + HOUR):
        longer = record | {"until": until}
        Path(short.folder / "r.json").write_text(json.dumps(longer))
        short.fails("bad-proof", *verify)
        longer["parts"][0]["until"] = until
        Path(short.folder / "r.json").write_text(json.dumps(longer))
        short.fails("bad-proof", *verify)
