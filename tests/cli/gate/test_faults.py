"""What goes wrong around a gate: a clear error from command and library, and nothing that looks cleared.

Other faults are where their cause is: answers of nodes in test_check_denies.py, snapshots in
test_offline.py, manifests in test_check_inputs.py and test_formats.py, several nodes in test_nodes.py.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from cli.conftest import OUTPUTS, QUERY
from cli.gate.conftest import DAY_S, Buyer
from sayso.errors import (
    BadAnswer,
    BadManifest,
    FileUnreadable,
    NodeUnreachable,
    OutputFailed,
    ReceiptNotFresh,
)
from sayso.gate.running import GateFiles
from sayso_protocol.errors import BadProof, BadSignature, SaysoError, WrongNetwork


def _forged(answer: Any) -> Any:
    return answer | {"receipt": answer["receipt"] | {"signature": "0x" + "00" * 64}}


def _twist(change: Callable[[Any], Any]) -> Callable[[Buyer], dict[str, Any]]:
    def make(buyer: Buyer) -> dict[str, Any]:
        buyer.node.twist = lambda route, answer: change(answer) if route == "check" else answer
        return {}

    return make


def _wrong_network(buyer: Buyer) -> dict[str, Any]:
    path = buyer.folder / "network.toml"
    path.write_text(path.read_text().replace("chain_id = 31337", "chain_id = 1"))
    return {}


def _two_nodes_one_down(buyer: Buyer) -> dict[str, Any]:
    return {"nodes": [buyer.node.url, "http://127.0.0.1:1"]}


FAULTS: dict[str, tuple[type[SaysoError], Callable[[Buyer], dict[str, Any]]]] = {
    "the node is down": (NodeUnreachable, lambda _: {"nodes": ["http://127.0.0.1:1"]}),
    "half the nodes are down": (NodeUnreachable, _two_nodes_one_down),
    "a truncated answer": (BadAnswer, _twist(lambda _: b"\x82\xa7reasons")),
    "a wrong network": (WrongNetwork, _wrong_network),
    "a wrong signature": (BadSignature, _twist(_forged)),
    "a revoked row called granted": (BadProof, _twist(lambda a: a | {"reasons": b"\1\1\1\1"})),
}


@pytest.mark.parametrize("name", FAULTS)
def test_from_the_library(buyer: Buyer, name: str) -> None:
    buyer.revoke()
    error, make = FAULTS[name]
    options = make(buyer)
    table = buyer.table()
    manifest = buyer.parquet()
    with buyer.gate(**options) as gate:
        for work in (
            lambda: gate.batch(table),
            lambda: gate.filter(table),
            lambda: gate.check(manifest, GateFiles(kept=buyer.folder / "kept.parquet")),
        ):
            with pytest.raises(error):
                work()
    assert not [one for one in buyer.world.left() if "kept" in one]


def test_a_clock_that_is_wrong_by_a_day(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    table = buyer.table()
    late = {"transport": None, "clock": lambda: time.time() + DAY_S}
    monkeypatch.setattr("sayso.client.NodeClient.__init__.__kwdefaults__", late)
    with buyer.gate() as gate, pytest.raises(ReceiptNotFresh):
        gate.batch(table)
    buyer.world.fails("receipt-not-fresh", "check", "m.jsonl", *QUERY, *OUTPUTS)
    assert "kept.jsonl" not in buyer.world.left()


def test_manifests_from_the_library(buyer: Buyer) -> None:
    files = GateFiles(kept=buyer.folder / "kept")
    bad = {
        "empty.jsonl": (b"\n", BadManifest),
        "lost.jsonl": (json.dumps({"item": "0x" + "00" * 32}).encode(), BadManifest),
        "bad.parquet": (b"PAR1" + bytes(30), BadManifest),
    }
    with buyer.gate() as gate:
        for name, (data, error) in bad.items():
            with pytest.raises(error):
                gate.check(buyer.world.write(name, data), files)
        with pytest.raises(FileUnreadable):
            gate.check(buyer.folder / "missing.parquet", files)
        with pytest.raises(OutputFailed):
            gate.check(buyer.parquet(), GateFiles(kept=buyer.folder / "no" / "kept"))
    assert buyer.node.checks == []
    assert "kept" not in buyer.world.left()


@pytest.mark.parametrize("name", ["m.jsonl", "m.parquet", "m.csv"])
def test_the_disk_is_full(buyer: Buyer, name: str) -> None:
    """As far as a process can tell: no file may grow beyond a few hundred bytes."""
    buyer.parquet()
    buyer.csv()

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))

    command = [sys.executable, "-m", "sayso", "check", name, *QUERY, "--out", f"kept-{name}"]
    done = subprocess.run(command, preexec_fn=small_files, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "error [output-failed]" in done.stderr
    assert not [one for one in buyer.world.left() if "kept" in one]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_interrupted(buyer: Buyer, number: int) -> None:
    """While the node thinks, which it does until the command has gone."""
    asked, gone = threading.Event(), threading.Event()

    def think(route: str, answer: Any) -> Any:
        if route == "check":
            asked.set()
            gone.wait(60)
        return answer

    buyer.node.twist = think
    buyer.world.write("kept.parquet", b"from an earlier run")
    buyer.parquet()
    command = [sys.executable, "-m", "sayso", "check", "m.parquet", *QUERY, "--out", "kept.parquet"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert asked.wait(60)
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=60)
    finally:
        gone.set()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode not in {0, 3}, errors
    assert not [one for one in buyer.world.left() if "kept" in one]


def test_a_slow_node_ends_the_check(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()
    impatient = {"get_s": 5.0, "post_s": 0.2}
    monkeypatch.setattr("sayso.transport.Transport.__init__.__kwdefaults__", impatient)

    def think(route: str, answer: Any) -> Any:
        if route == "check":
            gone.wait(60)
        return answer

    buyer.node.twist = think
    try:
        with buyer.gate() as gate, pytest.raises(NodeUnreachable):
            gate.batch(buyer.table())
        buyer.world.fails("node-unreachable", "check", "m.jsonl", *QUERY, "--out", "kept.jsonl")
    finally:
        gone.set()
    assert "kept.jsonl" not in buyer.world.left()
