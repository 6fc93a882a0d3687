"""A policy gives the options that a check does not name, and no check may ask for less."""

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from sayso_protocol.primitives import address_text

A, B = (address_text(bytes([number]) * 20) for number in (1, 2))
POLICY = f"""
[check]
grantee = "anyone"
purposes = ["train-ai"]
max_age = "10m"
heed = ["{A}"]
"""


@pytest.fixture
def bound(buyer: Buyer) -> Buyer:
    buyer.world.write("sayso.toml", POLICY.encode())
    return buyer


def asked(buyer: Buyer) -> dict[str, object]:
    found: dict[str, object] = buyer.node.checks[-1]
    return found


def test_it_gives_what_is_not_named(bound: Buyer) -> None:
    told = bound.world.run("check", "m.jsonl")
    assert "asked for train-ai by anyone" in told.stdout
    assert asked(bound)["max_age_s"] == 600
    assert asked(bound)["heed"] == [bytes([1]) * 20]


def test_a_check_may_ask_for_more(bound: Buyer) -> None:
    bound.world.run("check", "m.jsonl", "--max-age", "5m", "--heed", A, "--heed", B)
    assert asked(bound)["max_age_s"] == 300
    assert asked(bound)["heed"] == [bytes([1]) * 20, bytes([2]) * 20]


LESS = {
    "another grantee": ("--grantee", B),
    "another purpose": ("--purpose", "advertising"),
    "an older view": ("--max-age", "11m"),
    "nobody's disputes": ("--heed", "none"),
    "other disputes": ("--heed", B),
}


@pytest.mark.parametrize("name", LESS)
def test_a_check_may_not_ask_for_less(bound: Buyer, name: str) -> None:
    bound.world.fails("bad-policy", "check", "m.jsonl", *LESS[name], "--out", "kept.jsonl")
    assert bound.node.checks == []


def test_nodes_and_reading_of_a_policy(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the environment names another node."""
    text = f'[check]\nnodes = ["{buyer.node.url}"]\nbad_rows = "reject"\n'
    path = buyer.world.write("strict.toml", text.encode())
    named = ("--policy", path)
    buyer.check("m.jsonl", *named)
    both = ("--node", buyer.node.url, "--node", "http://127.0.0.1:1")
    assert "node-unreachable" in buyer.check("m.jsonl", *named, *both, status=1).stderr
    monkeypatch.setenv("SAYSO_NODE", "http://127.0.0.1:1")
    buyer.world.fails("bad-policy", "check", "m.jsonl", *QUERY, *named)
    monkeypatch.delenv("SAYSO_NODE")
    buyer.world.fails("bad-policy", "check", "m.jsonl", *QUERY, *named, "--bad-rows", "refuse")
    monkeypatch.setenv("SAYSO_POLICY", str(path))
    buyer.world.fails("bad-policy", "check", "m.jsonl", *QUERY, "--bad-rows", "refuse")


def test_several_purposes_are_a_choice(buyer: Buyer) -> None:
    text = '[check]\ngrantee = "anyone"\npurposes = ["evaluate", "train-ai"]\n'
    buyer.world.write("sayso.toml", text.encode())
    assert "--purpose" in buyer.world.run("check", "m.jsonl", status=2).stderr
    buyer.world.run("check", "m.jsonl", "--purpose", "train-ai")
    buyer.world.fails("bad-policy", "check", "m.jsonl", "--purpose", "sell")


BAD = {
    "a misspelt field": '[check]\npurpose = "train-ai"\n',
    "another table": "[checks]\n",
    "another type": "[check]\nnodes = 7\n",
    "no TOML": "[check\n",
    "no text": "\udcff",
    "too long": "#" * 70_000,
    "a deep tree": f"[check]\nnodes = {'[' * 5_000}\n",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_policy(buyer: Buyer, name: str) -> None:
    buyer.world.write("sayso.toml", BAD[name].encode(errors="surrogateescape"))
    buyer.world.fails("bad-policy", "check", "m.jsonl", *QUERY)
    assert buyer.node.checks == []


def test_a_policy_that_is_named_and_missing(buyer: Buyer) -> None:
    buyer.world.fails("file-unreadable", "check", "m.jsonl", *QUERY, "--policy", "lost.toml")


def test_without_a_policy_everything_is_named(buyer: Buyer) -> None:
    assert "--grantee" in buyer.world.run("check", "m.jsonl", status=2).stderr
