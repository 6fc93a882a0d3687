"""What a statement names: lists, bundles and checks, in any number and order."""

import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.conftest import OUTPUTS, QUERY, World
from cli.holder.conftest import Company, many
from sayso.errors import BadList, NothingToState
from sayso.gate.formats.base import Columns
from sayso.holder import hashes as module
from sayso.holder.hashes import licenses_of_rows, read_addresses, read_hashes, sorted_once
from sayso_protocol.errors import TooLarge
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import address_text, hash_from_text, hex_text

HASH = "0x" + "ab" * 32


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1), st.randoms())
def test_order_and_repetition_change_nothing(hashes: list[bytes], chance: random.Random) -> None:
    once = sorted_once(hashes)
    assert list(once) == sorted(set(hashes))
    more = [*hashes, *hashes]
    chance.shuffle(more)
    assert sorted_once(more) == once


def test_nothing_is_not_signed() -> None:
    with pytest.raises(NothingToState):
        sorted_once([])


def test_a_list_has_a_hash_on_each_line(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(f"\n  {HASH}\r\n\n{HASH}")
    assert read_hashes(path) == [hash_from_text(HASH)] * 2


@pytest.mark.parametrize(
    "line",
    [
        HASH[:-1],
        HASH + "0",
        HASH.upper(),
        HASH[2:],
        "ab",
        f"{HASH},{HASH}",
        "\udcff",
        "0x" + "0" * 9_999,
    ],
)
def test_a_line_that_is_no_hash_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list"
    path.write_text(f"{HASH}\n{line}\n", errors="surrogateescape")
    with pytest.raises(BadList, match="line 2: "):
        read_hashes(path)


def test_addresses_are_as_people_copy_them(tmp_path: Path) -> None:
    path, address = tmp_path / "list", bytes(range(20))
    path.write_text(f"{address_text(address)}\n{hex_text(address)}\n")
    assert read_addresses(path) == [address] * 2
    path.write_text(address_text(address).replace("0c", "0C") + "\n" + HASH)
    with pytest.raises(BadList):
        read_addresses(path)


def test_a_list_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIST_BYTES", 100)
    path = tmp_path / "list"
    path.write_text(HASH + "\n" + HASH)
    with pytest.raises(TooLarge):
        read_hashes(path)


def test_a_list_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = io.TextIOWrapper(io.BytesIO(HASH.encode()))
    monkeypatch.setattr("sys.stdin", fake)
    assert read_hashes(Path("-")) == [hash_from_text(HASH)]


def test_a_check_names_the_licenses_of_its_granted_rows(world: World) -> None:
    rows = world.grant("a", "b")
    other = world.grant("c", manifest="n.jsonl")
    world.write("m.jsonl", b"\n".join(json.dumps(one).encode() for one in [*rows, *other]) + b"\n")
    world.run("revoke", "--license", other[0]["license"], "--key", world.key, "--yes")
    world.run("check", "m.jsonl", *QUERY, *OUTPUTS, status=3)
    found = licenses_of_rows(Path("m.jsonl"), Path("why.jsonl"), Columns())
    assert found == {hash_from_text(rows[0]["license"])}
    assert licenses_of_rows(Path("m.jsonl"), None, Columns()) == found | {
        hash_from_text(other[0]["license"])
    }


def test_a_bundle_names_what_was_signed(company: Company) -> None:
    held = company.licensed(3)
    named = {one.digest for one in company.saved("licenses") if isinstance(one.message, Consent)}
    assert named == {one.digest for one in held}
    assert len(many(5)) == len({*many(5)})
