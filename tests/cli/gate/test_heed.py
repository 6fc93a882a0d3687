"""`--heed`: whose disputes count, as it is asked, signed, recorded and told."""

import json
from pathlib import Path

import pytest

from cli.buyer.test_check_denies import resigned
from cli.conftest import QUERY, World
from cli.gate.conftest import Buyer
from sayso_protocol.primitives import address_text

A, B = (bytes([number]) * 20 for number in (1, 2))
OUT = ("--out", "kept.jsonl", "--rejected", "why.jsonl", "--receipt", "r.json")
FILES = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")


@pytest.fixture
def licensed(world: World) -> World:
    world.grant("a.jpg", "b.jpg")
    return world


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), None),
        (("--heed", "none"), []),
        (("--heed", address_text(B), "--heed", address_text(A), "--heed", address_text(B)), [A, B]),
    ],
)
def test_the_list_is_asked_for_and_verified(
    licensed: World, options: tuple[str, ...], asked: list[bytes] | None
) -> None:
    licensed.run("check", "m.jsonl", *QUERY, *OUT, "--report", "r.html", *options)
    assert licensed.node.checks[-1].get("heed") == asked
    said = licensed.run("receipt", "verify", "r.json", *FILES).stdout
    texts = [address_text(one) for one in asked or []]
    assert (" and ".join(texts) if texts else "No disputes counted: the check heeded nobody.") in said
    report = (licensed.folder / "r.html").read_text()
    assert "disputes that count" in report
    assert all(one in report for one in texts)


@pytest.mark.parametrize(
    ("given", "status"),
    [(("none", address_text(A)), 2), (("0x00",), 1), ((address_text(bytes(20)),), 1)],
)
def test_a_wrong_list_asks_nobody(licensed: World, given: tuple[str, ...], status: int) -> None:
    options = [part for one in given for part in ("--heed", one)]
    licensed.run("check", "m.jsonl", *QUERY, *OUT, *options, status=status)
    assert licensed.node.checks == []


def test_seventeen_are_too_many(licensed: World) -> None:
    some = [part for n in range(1, 18) for part in ("--heed", address_text(bytes([n]) * 20))]
    licensed.fails("malformed", "check", "m.jsonl", *QUERY, *OUT, *some)


@pytest.mark.parametrize(("given", "signed"), [("none", [address_text(A)]), (address_text(A), [])])
def test_an_answer_under_another_list_is_not_used(
    licensed: World, given: str, signed: list[str]
) -> None:
    change = resigned(licensed.node, heed=signed)
    licensed.node.twist = lambda route, answer: change(answer) if route == "check" else answer
    licensed.fails("bad-answer", "check", "m.jsonl", *QUERY, *OUT, "--heed", given)
    assert not (licensed.folder / "kept.jsonl").exists()


def test_offline_nothing_is_clear_for_who_heeds_anybody(licensed: World, tmp_path: Path) -> None:
    """Rule 13.10.6: files list no disputes yet."""
    buyer = Buyer.__new__(Buyer)  # without the rows of its own
    buyer.world, buyer.node, buyer.folder = licensed, licensed.node, licensed.folder
    files = ("--offline", buyer.snapshot(), "--bundle", buyer.bundle(), "--max-age", "1h")
    for options, stated in (((), []), (("--heed", "none"), [])):
        licensed.run("check", "m.jsonl", *QUERY, *OUT, *files, *options)
        assert json.loads((licensed.folder / "r.json").read_bytes())["heed"] == stated
    said = licensed.run("check", "m.jsonl", *QUERY, *OUT, *files, "--heed", address_text(A), status=3)
    assert "--heed" in said.stderr
    assert {one["reason"] for one in licensed.rows("why.jsonl")} == {"stale"}
    record = json.loads((licensed.folder / "r.json").read_bytes())
    assert record["heed"] == [address_text(A)]
    again = ("--offline", files[1], "--bundle", files[3])
    assert address_text(A) in licensed.run("receipt", "verify", "r.json", *FILES, *again).stdout
