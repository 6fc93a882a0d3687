"""An earlier record that does not serve: all rows are judged, and a sentence says why."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from sayso.gate.since import secret
from sayso_protocol.primitives import address_text
from sayso_protocol.snapshots.part import read_parts

OFFLINE = ("--offline", "north.snapshot", "--bundle", "licenses.sayso", "--max-age", "1h")
SINCE = ("--since", "record.json")
KEPT = ("--out", "kept.jsonl", "--rejected", "why.jsonl")
Spoil = Callable[[Buyer], object]


@pytest.fixture
def earlier(buyer: Buyer) -> Buyer:
    """A check with an index, after which a file was revoked."""
    buyer.snapshot()
    buyer.bundle()
    buyer.check("m.jsonl", *OFFLINE, "--receipt", "record.json", "--index")
    buyer.revoke()
    buyer.add_delta()
    return buyer


def test_what_was_revoked_since_is_judged_alone(earlier: Buyer) -> None:
    told = earlier.check("m.jsonl", *OFFLINE, *SINCE, "--receipt", "now.json", "--index", status=3)
    assert "3 clear, 1 not clear" in told.stdout
    assert "1 of 4 rows have another reason; 4 were judged one by one" in told.stderr
    full = earlier.check("m.jsonl", *OFFLINE, "--run-id", "x", "--json", status=3)
    since = earlier.check("m.jsonl", *OFFLINE, *SINCE, "--run-id", "x", "--json", status=3)
    parts = [json.loads(one.stdout)["receipt"]["parts"][0]["results_root"] for one in (full, since)]
    assert parts[0] == parts[1]
    again = earlier.check("m.jsonl", *OFFLINE, "--since", "now.json", *KEPT, status=3)
    assert "0 of 4 rows have another reason" in again.stderr
    assert [one["file"] for one in earlier.world.rows("why.jsonl")] == ["b.flac"]
    assert len(earlier.world.rows("kept.jsonl")) == 3
    files = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
    verify = ("receipt", "verify", "now.json", *files, *OFFLINE[:4])
    assert "give the same result for that moment" in earlier.world.run(*verify).stdout


def changed(name: str, at: int = -1) -> Spoil:
    """A byte of a file is another."""

    def spoil(buyer: Buyer) -> None:
        path = buyer.folder / name
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)

    return spoil


def other_rows(buyer: Buyer) -> None:
    """Other bytes of the same length, with the times of before."""
    path = buyer.folder / "m.jsonl"
    seen = path.stat()
    path.write_bytes(path.read_bytes().replace(b"a.flac", b"z.flac"))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def other_index(buyer: Buyer) -> None:
    """An index that somebody else made, of whom nobody knows what they verified."""
    secret.key_file().unlink()
    secret.own_key()


def open_key(buyer: Buyer) -> None:
    secret.key_file().chmod(0o644)


def another_snapshot(buyer: Buyer) -> None:
    buyer.snapshot()


def more_licenses(buyer: Buyer) -> None:
    buyer.world.grant("e.flac", manifest="e.jsonl")
    buyer.bundle()


FAULTS: dict[str, tuple[Spoil, str]] = {
    "other rows of the same size and time": (other_rows, "the manifest has changed"),
    "a changed record": (changed("record.json", -3), "the record was changed"),
    "a changed block of the index": (changed("record.json.index", 20), "was changed"),
    "changed verdicts in the index": (changed("record.json.index", 16 + 6 * 4), "was changed"),
    "a changed header of the index": (changed("record.json.index", -60), "was changed"),
    "a changed end of the index": (changed("record.json.index"), "changed"),
    "no index": (lambda buyer: (buyer.folder / "record.json.index").unlink(), "is missing"),
    "the index of somebody else": (other_index, "somebody else made it"),
    "a key that others can read": (open_key, "somebody else made it"),
    "a new full snapshot": (another_snapshot, "with further deltas"),
    "another license in the bundle": (more_licenses, "the license bundle has changed"),
}
OTHERS = {
    "another grantee": (("--grantee", address_text(b"\x22" * 20), "--purpose", "train-ai"), OFFLINE),
    "another purpose": (("--grantee", "anyone", "--purpose", "advertising"), OFFLINE),
    "another reading": ((*QUERY, "--bad-rows", "reject"), OFFLINE),
    "another column": ((*QUERY, "--item-column", "item"), OFFLINE),
    "nodes": (QUERY, ()),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_record_that_does_not_serve(earlier: Buyer, name: str) -> None:
    spoil, why = FAULTS[name]
    spoil(earlier)
    told = earlier.check("m.jsonl", *OFFLINE, *SINCE, *KEPT, status=3)
    assert "all rows are judged" in told.stderr
    assert why in told.stderr
    assert [one["reason"] for one in earlier.world.rows("why.jsonl")] == ["revoked"]


@pytest.mark.parametrize("name", OTHERS)
def test_a_record_of_another_question(earlier: Buyer, name: str) -> None:
    query, offline = OTHERS[name]
    told = earlier.world.run("check", "m.jsonl", *query, *offline, *SINCE, status=3)
    assert "all rows are judged" in told.stderr
    full = earlier.world.run("check", "m.jsonl", *query, *offline, status=3)
    assert told.stdout.splitlines()[:3] == full.stdout.splitlines()[:3]


def test_a_record_of_another_network(earlier: Buyer) -> None:
    path = earlier.folder / "network.toml"
    path.write_text(path.read_text().replace("chain_id = 31337", "chain_id = 1"))
    earlier.world.fails("wrong-network", "check", "m.jsonl", *QUERY, *OFFLINE, *SINCE)


def test_a_gap_in_the_deltas(earlier: Buyer) -> None:
    path = earlier.add_delta()
    first, _, last = (one.data for one in read_parts(path.read_bytes()))
    path.write_bytes(first + last)
    earlier.world.fails("missing-delta", "check", "m.jsonl", *QUERY, *OFFLINE, *SINCE)


def test_a_record_that_is_missing(earlier: Buyer) -> None:
    more = ("--since", "lost.json")
    earlier.world.fails("file-unreadable", "check", "m.jsonl", *QUERY, *OFFLINE, *more)


def test_the_record_is_not_overwritten(earlier: Buyer) -> None:
    more = (*SINCE, "--receipt", "record.json")
    earlier.world.fails("output-is-input", "check", "m.jsonl", *QUERY, *OFFLINE, *more)
    assert (earlier.folder / "record.json").exists()


@pytest.mark.parametrize("options", [("--receipt", "r.json"), (*OFFLINE,)])
def test_an_index_without_its_record(earlier: Buyer, options: tuple[str, ...]) -> None:
    earlier.world.fails("nothing-to-ask", "check", "m.jsonl", *QUERY, *options, "--index")
    assert not (earlier.folder / "r.json.index").exists()


def test_licenses_that_the_bundle_chose_are_chosen_again(earlier: Buyer) -> None:
    Path("media").mkdir()
    for name in ("a.flac", "b.flac"):
        shutil.copy(name, "media")
    earlier.check("media", *OFFLINE, "--receipt", "media.json", "--index", status=3)
    told = earlier.check("media", *OFFLINE, "--since", "media.json", status=3)
    assert "the bundle may choose others now" in told.stderr
