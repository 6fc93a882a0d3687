"""What is signed is on the disk before it is sent, and what does not fit into a file is not signed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import World
from sayso.contributor import saved_messages
from sayso.node_client.client import NodeClient
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import hex_text

TERMS = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "1y")
GRANT = ("grant", "a.jpg", "b.jpg", *TERMS, "--manifest", "m.jsonl", "--salted")


def finish(world: World) -> None:
    """Everything that the license needs is there, and one command sends it."""
    assert {"m.jsonl", "m.salts.jsonl", "m.sayso"} <= world.left()
    assert (world.folder / "m.salts.jsonl").stat().st_mode & 0o077 == 0
    world.node.twist = None
    world.run("submit", "m.sayso")
    rows, salts = world.rows("m.jsonl"), world.rows("m.salts.jsonl")
    assert [row["item"] for row in rows] == [salt["item"] for salt in salts]
    assert {row["license"] for row in rows} == {hex_text(one) for one in world.node.memory.envelopes}


@pytest.mark.parametrize("route", ["messages", "license"])
def test_an_answer_that_is_lost_loses_no_secret(world: World, route: str) -> None:
    """The node had the license, and manifest and secrets were gone: nobody could prove its files."""
    world.write("a.jpg")
    world.write("b.jpg")
    world.node.twist = lambda where, answer: [] if where == route else answer
    result = world.fails("bad-answer", *GRANT, "--key", world.key)
    assert "sayso submit m.sayso" in result.stderr
    finish(world)


def test_whoever_interrupts_the_sending_can_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("a.jpg")
    world.write("b.jpg")

    async def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(NodeClient, "submit", interrupted)
        result = world.run(*GRANT, "--key", world.key, status=1)
    assert "sayso submit m.sayso" in result.stderr
    finish(world)


def test_a_grant_that_went_well_leaves_what_was_asked_for(world: World) -> None:
    world.write("a.jpg")
    world.write("b.jpg")
    before = world.left()
    world.run(*GRANT, "--key", world.key)
    assert world.left() - before == {"m.jsonl", "m.salts.jsonl"}
    for name in ("m.jsonl", "m.salts.jsonl"):
        (world.folder / name).unlink()
    world.run(*GRANT, "--key", world.key, "--save", "kept.sayso")
    assert world.left() - before == {"m.jsonl", "m.salts.jsonl", "kept.sayso"}


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file hold two messages."""
    monkeypatch.setattr(saved_messages, "LIMITS", replace(LIMITS, items=2))


HASHES = [hex_text(number.to_bytes(32)) for number in range(1, 2 * LIMITS.scopes + 2)]


@pytest.mark.parametrize("command", ["revoke", "withdraw"])
def test_more_than_a_file_holds_is_not_signed(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A thousand messages were signed, and then the file could not be written."""
    small(monkeypatch)
    named = [part for one in HASHES for part in ("--item", one)] if command == "revoke" else HASHES
    options = ("--key", world.key, "--save", "stop.sayso")
    missing = Path("no-password")  # to sign, the command would have to read it
    result = world.fails("too-large", command, *named, *options, "--password-file", missing, "--yes")
    assert "at most 2 messages" in result.stderr
    assert "stop.sayso" not in world.left()
    most = named[:-2] if command == "revoke" else named[:-1]
    world.run(command, *most, *options, "--yes")
    assert "stop.sayso" in world.left()


def test_more_consents_than_a_file_holds_are_not_signed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_messages, "LIMITS", replace(LIMITS, items=0))
    world.write("a.jpg")
    options = ("--key", world.key, "--password-file", "no-password")
    before = world.left()
    world.fails("too-large", "grant", "a.jpg", *TERMS, "--manifest", "m.jsonl", *options)
    assert world.left() == before
