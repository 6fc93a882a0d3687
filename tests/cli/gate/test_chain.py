"""When every node leaves out a revocation that the chain has, a gate that looks at the chain refuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import QUERY, World
from cli.gate.conftest import Buyer
from cli.test_real_node import serving
from sayso.devchain import dev_account
from sayso.keys import save_key
from sayso.networks import load_network
from support.fake_node import FakeNode, running

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


def test_what_every_node_leaves_out(rpc: str, tmp_path: Path) -> None:
    node = FakeNode()
    with running(node):
        world = World(tmp_path, node)
        for number, name in enumerate(("payer", "rich")):
            save_key(tmp_path / f"{name}.json", dev_account(number), "correct horse", work=2)
        (tmp_path / "network.toml").unlink()
        world.run("contract", "deploy", "--rpc", rpc, "--key", "payer.json", "--write", "--yes")
        node.network = load_network(tmp_path / "network.toml").network
        world.trust()
        world.key = tmp_path / "rich.json"
        buyer = Buyer(world)
        node_and_chain = ("--node", node.url, "--rpc", rpc)
        assert "4 clear" in buyer.check("m.jsonl", *node_and_chain).stdout

        nobody = ("--node", "http://127.0.0.1:1")
        chain = ("--on-chain", "--rpc", rpc, *nobody, "--key", "rich.json", "--yes")
        world.run("revoke", "file", buyer.rows[1]["item"], "for", "train-ai", *chain)
        assert "4 clear" in buyer.check("m.jsonl").stdout
        result = buyer.check("m.jsonl", *node_and_chain, *FILES, status=3)
        assert "1 row that every node called granted: revoked on the chain" in result.stdout
        assert [one["file"] for one in world.rows("why.jsonl")] == ["b.flac"]
        record = json.loads((tmp_path / "receipt.json").read_bytes())
        assert record["overruled"] == 1
        assert record["sources"][1]["block"] > 1
        files = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")
        world.run("receipt", "verify", "receipt.json", *files)
        assert "the chain has as revoked" in (tmp_path / "report.html").read_text()

        world.run("revoke", "everything", *chain)
        assert "4 not clear" in buyer.check("m.jsonl", *node_and_chain, status=3).stdout
        # The consents may come from the bundle instead; without any, nothing is clear.
        buyer.bundle()
        more = ("--bundle", "licenses.sayso", *node_and_chain)
        assert "4 not clear" in buyer.check("m.jsonl", *more, status=3).stdout
        node.twist = lambda route, answer: "not here" if route == "license" else answer
        world.fails("bad-answer", "check", "m.jsonl", *QUERY, *node_and_chain)


def test_an_endpoint_that_does_not_answer_or_has_no_registry(buyer: Buyer) -> None:
    nowhere = ("--rpc", "http://127.0.0.1:1")
    buyer.world.fails("rpc-failed", "check", "m.jsonl", *QUERY, *nowhere, "--out", "kept.jsonl")
    with serving("devchain", "--port", 0) as line:
        rpc = ("--rpc", line.split()[3].rstrip(";"))
        buyer.world.fails("not-deployed", "check", "m.jsonl", *QUERY, *rpc, "--out", "kept.jsonl")
    assert "kept.jsonl" not in buyer.world.left()
