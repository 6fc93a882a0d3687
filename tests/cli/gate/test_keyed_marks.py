"""Marks under a user's key: every other content, order, name or key has another mark."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.gate.conftest import Buyer
from sayso.errors import ManifestChanged
from sayso.gate.running import GateFiles
from sayso.gate.since import keyed_marks
from sayso.gate.since.keyed_marks import are_same, keyed_mark

KEY = bytes(range(32))
PIECE = keyed_marks._PIECE_BYTES
DATA = b"a" * PIECE + b"b" * PIECE + b"c"


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "the first byte": lambda data: b"x" + data[1:],
    "the last byte": lambda data: data[:-1] + b"x",
    "a byte less": lambda data: data[:-1],
    "a zero more": lambda data: data + b"\0",
    "pieces in another order": lambda data: data[PIECE : 2 * PIECE] + data[:PIECE] + data[2 * PIECE :],
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_content_has_another_mark(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    mark = keyed_mark(path, KEY)
    assert are_same([path], [mark], KEY)
    path.write_bytes(CHANGES[name](DATA))
    assert not are_same([path], [mark], KEY)


def test_another_key_name_or_number_of_files(tmp_path: Path) -> None:
    path, other = tmp_path / "data", tmp_path / "other"
    path.write_bytes(DATA)
    other.write_bytes(DATA)
    mark = keyed_mark(path, KEY)
    assert keyed_mark(path, KEY).tag != mark.tag  # because of its nonce
    assert not are_same([path], [mark], bytes(32))
    assert not are_same([other], [mark], KEY)
    assert not are_same([path, other], [mark], KEY)
    assert not are_same([], [mark], KEY)


def test_a_bundle_that_changes_before_its_mark_is_taken(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark is of the licenses that were read, or of none."""
    bundle = buyer.bundle()
    again = keyed_marks.keyed_again

    def changed(*given: object) -> object:
        bundle.write_bytes(bundle.read_bytes() + b"\0")
        return again(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("sayso.gate.checking.keyed_again", changed)
    files = GateFiles(receipt=Path("record.json"), with_index=True)
    gate = buyer.gate(offline=[buyer.snapshot()], bundle=bundle)
    with pytest.raises(ManifestChanged), gate:
        gate.check("m.jsonl", files)
    assert not {"record.json", "record.json.index"} & buyer.world.left()
