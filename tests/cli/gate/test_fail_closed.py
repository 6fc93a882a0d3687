"""The table of faults: each ends in rows that are not clear or in an error, from command and library.

In no case is there a file afterwards that could pass for a cleared one, whatever stood there before.
Beside each fault stands what comes of it: the code of an error, or the reasons of the refused rows.
"""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from cli.gate.faults import FILES, TABLE, UNKNOWN, Case, Patch, looks_cleared
from sayso.gate.running import GateFiles
from sayso_protocol.errors import SaysoError


def arranged(buyer: Buyer, name: str, patch: Patch) -> tuple[str | dict[str, int], Case]:
    """A data set with a revoked row, the fault, and files of an earlier run."""
    buyer.revoke()
    buyer.parquet()
    expected, arrange = TABLE[name]
    case = arrange(buyer, patch)
    for one in [*FILES.values(), case.kept]:
        if Path(one).suffix:
            buyer.world.write(one, b"from an earlier run")
    return expected, case


def check_kept(buyer: Buyer, case: Case, refused: int) -> None:
    """The clear rows are kept, and none of the others; each of the others is told."""
    rows = pq.read_table(case.manifest).to_pylist()
    kept = pq.read_table(case.kept).to_pylist()
    assert len(kept) == len(rows) - refused > 0
    assert "b.flac" not in {one["file"] for one in kept}
    assert UNKNOWN not in {"0x" + one["license"].hex() for one in kept}
    assert "call.flac" not in {one["file"] for one in kept}
    assert len(buyer.world.rows("why.jsonl")) == refused


@pytest.mark.parametrize("name", TABLE)
def test_from_the_command_line(buyer: Buyer, name: str, monkeypatch: Patch) -> None:
    expected, case = arranged(buyer, name, monkeypatch)
    files = [part for key, file in FILES.items() for part in (f"--{key}", file)]
    command = ("check", case.manifest, *QUERY, *case.options, *files, "--out", case.kept)
    if isinstance(expected, str):
        buyer.world.fails(expected, *command)
        assert not looks_cleared(buyer, case)
        return
    said = buyer.world.run(*command, status=3).stdout
    for reason, rows in expected.items():
        assert f"  {reason:<20} {rows}\n" in said
    check_kept(buyer, case, sum(expected.values()))


@pytest.mark.parametrize("name", TABLE)
def test_from_the_library(buyer: Buyer, name: str, monkeypatch: Patch) -> None:
    expected, case = arranged(buyer, name, monkeypatch)
    more: dict[str, Any] = {key: Path(one) for key, one in FILES.items()}
    files = GateFiles(kept=Path(case.kept), **more)
    with buyer.gate(**case.settings) as gate:
        if isinstance(expected, str):
            with pytest.raises(SaysoError) as caught:
                gate.check(case.manifest, files)
            assert caught.value.code == expected
            assert not looks_cleared(buyer, case)
            return
        record = gate.check(case.manifest, files)
    assert {key: rows for key, rows in record.counts.items() if key != "granted"} == expected
    check_kept(buyer, case, sum(expected.values()))


OF_THE_MANIFEST = ("manifest", "Parquet", "no license", "half-way")


@pytest.mark.parametrize(
    "name", [one for one in TABLE if not any(two in one for two in OF_THE_MANIFEST)]
)
def test_from_the_library_on_a_table(buyer: Buyer, name: str, monkeypatch: Patch) -> None:
    """As every adapter asks: a batch, and a stream of batches."""
    expected, case = arranged(buyer, name, monkeypatch)
    table = pq.read_table(case.manifest)
    with buyer.gate(**case.settings) as gate:
        if isinstance(expected, dict):
            assert gate.batch(table).counts == expected | {
                "granted": len(table) - sum(expected.values())
            }
            assert len(gate.filter(table)) == len(table) - sum(expected.values())
            return
        for work in (
            lambda: gate.batch(table),
            lambda: gate.filter(table),
            lambda: gate.filter(table.to_reader()).read_all(),
        ):
            with pytest.raises(SaysoError) as caught:
                work()
            assert caught.value.code == expected


def test_the_table_is_whole() -> None:
    faults = (
        "node is down|half the nodes|slow|truncated|wrong network|wrong signature|expired|tampered"
        "|delta|day late|day early|unknown|party|empty|no license|twice|Parquet file is cut|flipped"
    )
    assert not [one for one in faults.split("|") if not any(one in name for name in TABLE)]
