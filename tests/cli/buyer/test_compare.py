"""`sayso receipt compare`: misconduct is proven by what a node really signed, and by nothing less."""

import json
from typing import Any

import pytest
from nacl.signing import SigningKey

from cli.conftest import QUERY, World
from sayso.networks import save_network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.receipts.receipt import sign_statement
from sayso_protocol.receipts.text import acknowledgement_from_json, acknowledgement_to_json

PIECES = ("ack.json", "r.json", "--revocation", "stop.sayso", "--consents", "c.sayso")
FILES = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")


def earlier(world: World, seconds: int) -> None:
    """Let the node date its promises back, in its own hand: then no test has to wait for a second."""

    def twist(route: str, answer: Any) -> Any:
        for result in answer["results"] if route == "messages" else ():
            if "acknowledgement" in result:
                now = result["acknowledgement"]["time"]
                read = acknowledgement_from_json(result["acknowledgement"] | {"time": now - seconds})
                signed = sign_statement(world.node.key, read.statement)
                result["acknowledgement"] = acknowledgement_to_json(signed)
        return answer

    world.node.twist = twist


def check(world: World, *, forgetting: bool) -> None:
    """Ask the node again; one that forgets calls granted what it had promised to keep as revoked."""
    if forgetting:
        world.node.memory.revoked.clear()
    files = ("--out", "kept.jsonl", "--rejected", "why.jsonl", "--receipt", "r.json")
    world.run("check", "m.jsonl", *QUERY, *files, status=0 if forgetting else 3)


@pytest.fixture
def promised(world: World) -> World:
    """Three licensed files; the node has signed for keeping the revocation of the second."""
    for name in ("a", "b", "d"):
        world.write(name)
    terms = (*QUERY, "--via", "kled.ai", "--expires", "1y")
    world.run(
        "grant", "a", "b", "d", "--key", world.key, *terms, "--manifest", "m.jsonl", "--save", "c.sayso"
    )
    world.run("revoke", "--file", "b", "--key", world.key, "--yes", "--save", "stop.sayso")
    earlier(world, 5)
    world.run("submit", "stop.sayso", "--acknowledgement", "ack.json")
    return world


@pytest.fixture
def broken(promised: World) -> World:
    """The node has broken its promise."""
    check(promised, forgetting=True)
    promised.node.asked.clear()
    return promised


def test_a_lying_node_is_caught_by_its_own_signatures(broken: World) -> None:
    text = broken.run("receipt", "compare", *PIECES, *FILES, "--out", "row.json").stdout
    assert "Fake (" in text
    assert "broke its promise" in text
    b = next(row for row in broken.rows("m.jsonl") if row["file"] == "b")
    assert b["item"] in text
    assert b["license"] in text
    again = broken.run("receipt", "compare", *PIECES, "--proof", "row.json").stdout
    assert again == text
    assert broken.node.asked == [], "it is offline"


def test_one_row_is_all_that_a_stranger_needs(broken: World) -> None:
    broken.run("receipt", "compare", *PIECES, *FILES, "--out", "row.json")
    for name in ("m.jsonl", "why.jsonl", "kept.jsonl"):
        (broken.folder / name).unlink()
    broken.run("receipt", "compare", *PIECES, "--proof", "row.json")
    row = json.loads((broken.folder / "row.json").read_bytes())
    broken.write("row.json", json.dumps(row | {"index": 0}).encode())
    broken.fails("bad-proof", "receipt", "compare", *PIECES, "--proof", "row.json")


def test_an_honest_node_is_not(promised: World) -> None:
    check(promised, forgetting=False)
    promised.fails("not-proven", "receipt", "compare", *PIECES, *FILES, "--out", "row.json")
    assert "row.json" not in promised.left()


def test_an_answer_from_before_the_promise_is_no_lie(world: World) -> None:
    world.write("b")
    terms = (*QUERY, "--expires", "1y", "--manifest", "m.jsonl", "--save", "c.sayso")
    world.run("grant", "b", "--key", world.key, *terms)
    check(world, forgetting=True)
    world.run("revoke", "everything", "--key", world.key, "--yes", "--save", "stop.sayso")
    earlier(world, -5)
    world.run("submit", "stop.sayso", "--acknowledgement", "ack.json")
    world.fails("not-proven", "receipt", "compare", *PIECES, *FILES)


def test_a_revocation_of_something_else(broken: World) -> None:
    broken.run("revoke", "--file", "a", "--key", broken.key, "--yes", "--save", "other.sayso")
    other = tuple("other.sayso" if one == "stop.sayso" else one for one in PIECES)
    broken.fails("not-proven", "receipt", "compare", *other, *FILES)


def test_several_promises_in_one_file(broken: World) -> None:
    (broken.folder / "stop.sayso").rename(broken.folder / "first.sayso")
    broken.run("revoke", "via", "kled.ai", "--key", broken.key, "--yes", "--save", "stop.sayso")
    broken.run("submit", "first.sayso", "stop.sayso", "--acknowledgement", "both.json")
    assert len(json.loads((broken.folder / "both.json").read_bytes())) == 2
    broken.run("receipt", "compare", "both.json", *PIECES[1:], *FILES)


def test_without_the_consent_nothing_is_proven(broken: World) -> None:
    broken.run("receipt", "compare", *PIECES, *FILES, "--out", "row.json")
    none = tuple("stop.sayso" if one == "c.sayso" else one for one in PIECES)
    broken.fails("not-proven", "receipt", "compare", *none, *FILES)
    broken.fails("not-proven", "receipt", "compare", *none, "--proof", "row.json")


def test_only_operators_of_the_network_file_are_judged(broken: World) -> None:
    other = Operator("Other", bytes(SigningKey(b"o" * 32).verify_key))
    save_network(broken.folder / "network.toml", NetworkFile(broken.node.network, 1, 0, (other,)))
    broken.fails("unknown-signer", "receipt", "compare", *PIECES, *FILES)


@pytest.mark.parametrize("name", ["ack.json", "r.json"])
def test_a_changed_statement(broken: World, name: str) -> None:
    value = json.loads((broken.folder / name).read_bytes())
    broken.write(name, json.dumps(value | {"time": value["time"] - 1}).encode())
    broken.fails("bad-signature", "receipt", "compare", *PIECES, *FILES)


@pytest.mark.parametrize("name", ["ack.json", "r.json", "stop.sayso", "c.sayso"])
@pytest.mark.parametrize("data", [b"{}", b"[", b"\xff", b"7"])
def test_a_file_that_is_something_else(broken: World, name: str, data: bytes) -> None:
    broken.write(name, data)
    broken.fails("malformed", "receipt", "compare", *PIECES, *FILES)
    (broken.folder / name).unlink()
    broken.fails("file-unreadable", "receipt", "compare", *PIECES, *FILES)


@pytest.mark.parametrize("options", [(), FILES[:2], FILES[2:], (*FILES, "--proof", "row.json")])
def test_options_that_do_not_fit(broken: World, options: tuple[str, ...]) -> None:
    broken.run("receipt", "compare", *PIECES, *options, status=2)
