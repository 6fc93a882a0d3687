"""A check of what is new, or with an index, goes on after it was killed, and says the same."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.conftest import QUERY
from cli.gate.conftest import Buyer as Place
from cli.gate.test_since import FEW, Buyer, buying, queries, same, worlds
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.resuming.progress_file import ProgressFile
from sayso.gate.since.index import IndexWriter
from sayso.gate.since.judging import SinceJudge
from sayso.outputs import Outputs, StagedFile
from sayso_protocol.verdicts.query import Query
from support.known import Heard

# Where a check may be killed: before each of these.
POINTS: list[tuple[Any, str]] = [
    (OfflineJudge, "judge"),
    (SinceJudge, "next"),
    (ProgressFile, "add"),
    (IndexWriter, "add"),
    (IndexWriter, "finish"),
    (StagedFile, "write"),
    (Outputs, "commit"),
    (ProgressFile, "finish"),
]


class Killed(BaseException):
    """The check ends here."""


@contextmanager
def killed_before(patch: pytest.MonkeyPatch, number: int) -> Iterator[list[str]]:
    """Kill before this call of POINTS, counted from 0; yields the calls."""
    calls = list[str]()

    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def count(*given: Any, **named: Any) -> Any:
            calls.append(name)
            if len(calls) - 1 == number:
                raise Killed
            return work(*given, **named)

        return count

    with patch.context() as mine:
        for owner, name in POINTS:
            mine.setattr(owner, name, counted(f"{owner.__name__}.{name}", getattr(owner, name)))
        yield calls


def outputs(buyer: Buyer, name: str) -> dict[str, Any]:
    return {"kept": buyer.folder / f"{name}.jsonl", "rejected": buyer.folder / f"{name}.why"}


def _undisturbed(monkeypatch: pytest.MonkeyPatch, buyer: Buyer, query: Query, since: str | None) -> Any:
    """The record and the number of points of a check that nobody kills."""
    with killed_before(monkeypatch, -1) as calls:
        whole = buyer.check(query, "whole.json", since, resume="p", **outputs(buyer, "whole"))
    return whole, len(calls)


def _goes_on(
    monkeypatch: pytest.MonkeyPatch, history: list[Heard], query: Query, data: st.DataObject
) -> None:
    for judge in (OfflineJudge, SinceJudge):
        monkeypatch.setattr(judge, "part_rows", 3)
    cut = data.draw(st.integers(0, len(history)))
    with buying(history, monkeypatch) as buyer:
        buyer.file(history[:cut])
        since = None
        if data.draw(st.booleans()):
            buyer.check(query, since := "before.json")
            buyer.now += 9
            buyer.file(history)
        whole, points = _undisturbed(monkeypatch, buyer, query, since)
        kept = outputs(buyer, "again")
        for at in sorted(data.draw(st.sets(st.integers(0, points - 1), min_size=1, max_size=3))):
            with pytest.raises(Killed), killed_before(monkeypatch, at):
                buyer.check(query, "again.json", since, resume="p", **kept)
            assert not any(one.suffix == ".part" for one in buyer.folder.iterdir())
        record = buyer.check(query, "again.json", since, resume="p", **kept)
        same(record, whole)
        for name, path in outputs(buyer, "whole").items():
            assert path.read_bytes() == kept[name].read_bytes()
        assert not (buyer.folder / "p").exists()
        buyer.now += 9
        later = buyer.check(query, "later.json", "again.json", index=False)
        same(later, buyer.check(query, "full.json", index=False))
        assert "again.json" in later.notes[-1]
        assert "all rows" not in later.notes[-1]


@pytest.mark.parametrize(
    "histories", [6, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])]
)
def test_it_goes_on_wherever_it_was_killed(monkeypatch: pytest.MonkeyPatch, histories: int) -> None:
    @settings(FEW, max_examples=histories)
    @given(worlds(), queries, st.data())
    def goes_on(history: list[Heard], query: Query, data: st.DataObject) -> None:
        _goes_on(monkeypatch, history, query, data)

    goes_on()


KILL = """
import os, signal, sys
from sayso.gate.judges.offline import OfflineJudge
from sayso.__main__ import main
judge, calls = OfflineJudge.judge, []
def count(self, rows):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return judge(self, rows)
OfflineJudge.judge = count
main()
"""


def test_the_index_of_a_process_that_was_killed(buyer: Place) -> None:
    """Its journal has no places of rows, and the index gets them nevertheless."""
    buyer.snapshot()
    buyer.bundle()
    for at, row in enumerate(buyer.rows):
        buyer.parquet(f"n/{at}.parquet", [row])
    offline = ("--offline", "north.snapshot", "--bundle", "licenses.sayso", "--max-age", "1h")
    options = [*QUERY, *offline, "--resume", "progress", "--receipt", "record.json", "--index"]
    child = subprocess.run(
        [sys.executable, "-c", KILL, "check", "n", *options], cwd=buyer.folder, check=False
    )
    assert child.returncode == -signal.SIGKILL
    told = buyer.world.run("check", "n", *options)
    assert "2 of 4 parts were judged before" in told.stderr
    left = os.listdir(buyer.folder)  # noqa: PTH208
    assert not [one for one in left if one.endswith(".part") or one == "progress"]
    buyer.revoke()
    buyer.add_delta()
    more = ("--since", "record.json", "--resume", "progress", "--out", "kept")
    told = buyer.check("n", *offline, *more, status=3)
    assert "1 of 4 rows have another reason" in told.stderr
    assert sorted(one.name for one in Path(buyer.folder, "kept").iterdir())
