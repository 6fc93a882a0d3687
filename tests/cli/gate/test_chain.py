"""When every node leaves out a revocation that the chain has, a gate that looks at the chain refuses."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Self
from urllib.request import Request, urlopen

import pytest

from cli.conftest import QUERY, World
from cli.gate.conftest import Buyer
from cli.operator.test_real_node import serving
from sayso.contributor.keystore import save_key
from sayso.devchain import dev_account
from sayso.networks import load_network
from support.fake_node import FakeNode, running
from support.waiting import DEADLINE_S, POLL_S

FILES = ("--rejected", "why.jsonl", "--receipt", "receipt.json", "--report", "report.html")


@pytest.fixture
def rpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A chain with the registry on it, and a network file of it in this folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("SAYSO_NETWORK", "SAYSO_NODE", "SAYSO_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAYSO_PASSWORD", "correct horse")
    with serving("devchain", "--port", 0) as line:
        yield line.split()[3].rstrip(";")


@contextmanager
def buying(rpc: str, folder: Path) -> Iterator[Buyer]:
    """Somebody whose network is on that chain, and a node that knows nothing of it."""
    with running(FakeNode()) as node:
        world = World(folder, node)
        for number, name in enumerate(("payer", "rich")):
            save_key(folder / f"{name}.json", dev_account(number), "correct horse", work=2)
        (folder / "network.toml").unlink()
        world.run("contract", "deploy", "--rpc", rpc, "--key", "payer.json", "--write", "--yes")
        node.network = load_network(folder / "network.toml").network
        world.trust()
        world.key = folder / "rich.json"
        yield Buyer(world)


def test_what_every_node_leaves_out(rpc: str, tmp_path: Path) -> None:
    with buying(rpc, tmp_path) as buyer:
        world, node = buyer.world, buyer.node
        node_and_chain = ("--node", node.url, "--rpc", rpc)
        assert "4 clear" in buyer.check("m.jsonl", *node_and_chain).stdout

        nobody = ("--node", "http://127.0.0.1:1")
        chain = ("--on-chain", "--rpc", rpc, *nobody, "--key", "rich.json", "--yes")
        world.run("revoke", "file", buyer.rows[1]["item"], "for", "train-ai", *chain)
        assert "4 clear" in buyer.check("m.jsonl").stdout
        result = buyer.check("m.jsonl", *node_and_chain, *FILES, status=3)
        assert "granted by every node but revoked on chain: 1 row" in result.stdout
        assert [one["file"] for one in world.rows("why.jsonl")] == ["b.flac"]
        record = json.loads((tmp_path / "receipt.json").read_bytes())
        assert record["overruled"] == 1
        assert record["sources"][1]["block"] > 1
        files = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
        world.run("receipt", "verify", "receipt.json", *files)
        assert "the chain has them as revoked" in (tmp_path / "report.html").read_text()

        world.run("revoke", "everything", *chain)
        assert "4 not clear" in buyer.check("m.jsonl", *node_and_chain, status=3).stdout
        # The consents may come from the bundle instead; without any, nothing is clear.
        buyer.bundle()
        more = ("--bundle", "licenses.sayso", *node_and_chain)
        assert "4 not clear" in buyer.check("m.jsonl", *more, status=3).stdout
        node.twist = lambda route, answer: "not here" if route == "license" else answer
        world.fails("bad-answer", "check", "m.jsonl", *QUERY, *node_and_chain)


class Lagging(ThreadingHTTPServer):
    """An endpoint in front of another, whose newest block seems older, for so many questions."""

    def __init__(self, rpc: str, behind_s: float, *, questions: int = 1_000) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.rpc, self.behind_s, self.questions = rpc, behind_s, questions
        self.url = f"http://secret@127.0.0.1:{self.server_port}/v3/secret"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self.serve_forever, args=(POLL_S,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Passing(BaseHTTPRequestHandler):
    server: Lagging

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.server.rpc, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=DEADLINE_S) as answer:
            told = json.load(answer)
        if json.loads(body)["method"] == "eth_getBlockByNumber" and self.server.questions:
            self.server.questions -= 1
            at = int(told["result"]["timestamp"], 16) - int(self.server.behind_s)
            told["result"]["timestamp"] = hex(at)
        data = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_an_endpoint_that_lags_behind(rpc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.gate.judges.onchain.STALE_POLL_S", 0.01)
    with buying(rpc, tmp_path) as buyer:
        node, outputs = ("--node", buyer.node.url), ("--out", "kept.jsonl", *FILES)
        with Lagging(rpc, 3_600) as late:
            result = buyer.check("m.jsonl", *node, "--rpc", late.url, *outputs, status=3)
            assert "  stale                4" in result.stdout
            assert "every node called granted" not in result.stdout
            assert (tmp_path / "kept.jsonl").read_bytes() == b""
            with buyer.gate(rpc=late.url) as gate:
                assert gate.rows(bytes(64)).counts == {"unknown": 1}  # only what would be granted
                record = gate.check("m.jsonl")
                assert (record.counts, record.overruled) == ({"stale": 4}, 0)
            # What somebody pays for an endpoint with stands nowhere.
            for name in ("receipt.json", "report.html"):
                assert "secret" not in (tmp_path / name).read_text()
            assert f"127.0.0.1:{late.server_port}" in (tmp_path / "report.html").read_text()
            # So old a view was asked for; it is still told how old it is.
            more = ("--max-age", "2h", "--json")
            said = json.loads(buyer.check("m.jsonl", *node, "--rpc", late.url, *more).stdout)
            assert abs(said["receipt"]["sources"][1]["time"] + 3_600 - time.time()) < 1_800
        with Lagging(rpc, -3_600) as early:
            result = buyer.check("m.jsonl", *node, "--rpc", early.url, status=3)
            assert "  stale                4" in result.stdout
        with Lagging(rpc, 3_600, questions=2) as late:
            result = buyer.check("m.jsonl", *node, "--rpc", late.url, "--wait", "60s")
            assert "4 clear" in result.stdout
            assert not late.questions


def test_an_endpoint_that_does_not_answer_or_has_no_registry(buyer: Buyer) -> None:
    nowhere = ("--rpc", "http://127.0.0.1:1")
    buyer.world.fails("rpc-failed", "check", "m.jsonl", *QUERY, *nowhere, "--out", "kept.jsonl")
    with serving("devchain", "--port", 0) as line:
        rpc = ("--rpc", line.split()[3].rstrip(";"))
        buyer.world.fails("not-deployed", "check", "m.jsonl", *QUERY, *rpc, "--out", "kept.jsonl")
    assert "kept.jsonl" not in buyer.world.left()
