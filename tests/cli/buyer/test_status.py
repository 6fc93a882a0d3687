"""`sayso status`: a license as a node tells it, a row as a node has signed it."""

import json

import pytest

from cli.conftest import World
from sayso_protocol.receipts.status import status_from_json

QUERY = ("--grantee", "anyone", "--purpose", "train-ai")


@pytest.fixture
def licensed(world: World) -> World:
    world.grant("a", "b")
    world.run("revoke", "--file", "b", "--key", world.key, "--yes")
    return world


def place(world: World, name: str) -> tuple[str, str]:
    row = next(one for one in world.rows("m.jsonl") if one["file"] == name)
    return row["license"], row["item"]


def test_a_license(licensed: World) -> None:
    name, _ = place(licensed, "a")
    text = licensed.run("status", name).stdout
    assert " by ANYONE" in text
    assert "1 of 2 permissions revoked" in text
    assert json.loads(licensed.run("status", name, "--json").stdout)["revoked_permissions"] == 1
    licensed.fails("not-held", "status", "0x" + "77" * 32)


def test_a_row(licensed: World) -> None:
    result = licensed.run("status", *place(licensed, "a"), *QUERY, "--out", "answer.json")
    assert result.stdout.startswith("granted\nsigned by Fake on ")
    answer = status_from_json(json.loads((licensed.folder / "answer.json").read_bytes()))
    assert answer.check(licensed.node.trusted).name == "Fake"
    shown = licensed.run("status", *place(licensed, "b"), *QUERY, "--json", status=3).stdout
    assert json.loads(shown)["reason"] == "revoked"
    assert licensed.run("status", *place(licensed, "b"), *QUERY, status=3).stdout.startswith("revoked\n")


def test_an_answer_that_is_not_proved(licensed: World) -> None:
    def lie(route: str, answer: object) -> object:
        return answer | {"reason": "granted"} if route == "status" else answer  # type: ignore[operator]

    licensed.node.twist = lie
    licensed.fails("bad-proof", "status", *place(licensed, "b"), *QUERY, "--out", "answer.json")
    assert "answer.json" not in licensed.left()


@pytest.mark.parametrize("options", [QUERY[:2], QUERY[2:], ()])
def test_an_item_needs_a_question(licensed: World, options: tuple[str, ...]) -> None:
    licensed.run("status", *place(licensed, "a"), *options, status=2)


def test_a_question_needs_an_item(licensed: World) -> None:
    licensed.run("status", place(licensed, "a")[0], *QUERY, status=2)
    licensed.fails("malformed", "status", "0x12")
