"""An option that takes one value cannot be given twice: the first one would be left out silently."""

import json

import pytest

from cli.conftest import QUERY, World
from sayso_protocol.primitives import address_text

OTHER = address_text(b"\x22" * 20)
TWICE = {
    "two purposes": ("--purpose", "sell"),
    "the same purpose": ("--purpose", "train-ai"),
    "two grantees": ("--grantee", OTHER),
    "two maximum ages": ("--max-age", "1y", "--max-age", "1s"),
    "two outputs": ("--out", "a", "--out", "b"),
    "two networks": ("--network", "network.toml", "--network", "network.toml"),
    "two bundles": ("--bundle", "a", "--bundle=b"),
    "two runs": ("--run-id", "a", "--run-id", "b"),
    "two readings": ("--quoting", "none", "--quoting", "double"),
}


@pytest.mark.parametrize("name", TWICE)
def test_an_option_is_given_twice(world: World, name: str) -> None:
    world.grant("a.jpg")
    told = world.run("check", "m.jsonl", *QUERY, *TWICE[name], status=2)
    assert "is given twice" in told.stderr
    assert TWICE[name][0] in told.stderr
    assert world.node.checks == []


def test_an_option_twice_for_a_receipt(world: World) -> None:
    more = ("--rejected", "a", "--rejected", "b")
    told = world.run("receipt", "verify", "receipt.json", *more, status=2)
    assert "--rejected is given twice" in told.stderr


def test_the_result_names_what_was_asked(world: World) -> None:
    world.grant("a.jpg")
    assert "asked for train-ai by anyone" in world.run("check", "m.jsonl", *QUERY).stdout
    query = ("--grantee", OTHER, "--purpose", "train-ai")
    files = ("--report", "report.html")
    told = world.run("check", "m.jsonl", *query, *files, "--json")
    assert json.loads(told.stdout)["purpose"] == "train-ai"
    assert json.loads(told.stdout)["grantee"] == OTHER
    page = (world.folder / "report.html").read_text()
    assert OTHER in page
    assert "train-ai" in page
