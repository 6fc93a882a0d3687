"""A check that is broken off, by a full disk or by a signal: nothing is left that looks cleared."""

import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from cli.gate.faults import Case, looks_cleared
from sayso.errors import OutputFailed
from sayso.gate.running import GateFiles
from support.waiting import DEADLINE_S


@contextmanager
def full_disk() -> Iterator[None]:
    """As far as a process can tell: no file may grow beyond a few hundred bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["m.jsonl", "m.parquet", "m.csv", "shards"])
def test_the_disk_is_full(buyer: Buyer, name: str) -> None:
    buyer.parquet()
    buyer.csv()
    buyer.parquet("shards/0.parquet")
    case = Case(name, kept=f"kept{Path(name).suffix}")
    with full_disk():
        buyer.world.fails("output-failed", "check", name, *QUERY, "--out", case.kept)
        with buyer.gate() as gate, pytest.raises(OutputFailed):
            gate.check(name, GateFiles(kept=Path(case.kept)))
    assert not looks_cleared(buyer, case)


class Thinking:
    """A node that thinks until it is let go; `press` is done while it does."""

    def __init__(self, buyer: Buyer, press: Callable[[], object] = lambda: None) -> None:
        self.asked, self.gone, self._press = threading.Event(), threading.Event(), press
        buyer.node.twist = self._think

    def _think(self, route: str, answer: Any) -> Any:
        if route == "check":
            self.asked.set()
            self._press()
            self.gone.wait(DEADLINE_S)
        return answer


LONG = [pytest.param(one, marks=pytest.mark.long) for one in (signal.SIGTERM, signal.SIGKILL)]


@pytest.mark.parametrize("number", [signal.SIGINT, *LONG])
def test_the_command_is_interrupted(buyer: Buyer, number: int) -> None:
    node = Thinking(buyer)
    case = Case()
    buyer.parquet()
    buyer.world.write(case.kept, b"from an earlier run")
    command = [sys.executable, "-m", "sayso", "check", case.manifest, *QUERY, "--out", case.kept]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert node.asked.wait(DEADLINE_S)
        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE_S)
    finally:
        node.gone.set()
        process.kill()
    assert process.returncode not in {0, 3}, errors
    left = looks_cleared(buyer, case)
    if number == signal.SIGKILL:  # nobody can tidy up then: what is left is hidden, until the next check
        assert left
        assert all(one.startswith(".kept") for one in left)
        buyer.node.twist = None
        buyer.check(case.manifest, "--out", case.kept)
        left = looks_cleared(buyer, case) - {case.kept}
    assert not left


def test_the_library_is_interrupted(buyer: Buyer) -> None:
    """While a node thinks, and between two batches of which the first was written."""
    main, case = threading.get_ident(), Case()
    node = Thinking(buyer, lambda: signal.pthread_kill(main, signal.SIGINT))
    buyer.parquet()
    files = GateFiles(kept=Path(case.kept), receipt=Path("receipt.json"))
    try:
        with buyer.gate() as gate, pytest.raises(KeyboardInterrupt):
            gate.check(case.manifest, files)
    finally:
        node.gone.set()
    buyer.node.twist = None
    with buyer.offline() as gate, pytest.raises(KeyboardInterrupt):
        gate.check(case.manifest, files, lambda _done: signal.raise_signal(signal.SIGINT))
    assert not looks_cleared(buyer, case)
