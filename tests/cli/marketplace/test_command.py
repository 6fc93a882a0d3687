"""`sayso marketplace`: each command says what it did, and fails with one line and a stable code."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from cli.conftest import World, node, world  # noqa: F401 - fixtures
from cli.marketplace.shop import LAB, address, answer, as_asked, person
from sayso.contributor.licensing import build_consents, sign_message
from sayso.marketplace.tables import consents
from sayso_protocol.primitives import address_text, hex_text

ADA = person("ada")
ASKING = ("--purpose", "resale", "--purpose", "train-ai", "--until", "1y")


class Keeper:
    """Whoever types the commands of the shop."""

    def __init__(self, world: World) -> None:  # noqa: F811
        self.world, self.key = world, ("--key", world.key)

    def run(self, command: str, *arguments: object) -> str:
        return self.world.run("marketplace", command, *arguments, *self.key).stdout

    def fails(self, code: str, command: str, *arguments: object) -> None:
        self.world.fails(code, "marketplace", command, *arguments, *self.key)

    def asked(self, *more: object) -> dict[str, Any]:
        self.world.write("song.wav")
        text = self.run("request", "song.wav", *ASKING, "--json", *more)
        found: dict[str, Any] = json.loads(text)
        return found

    def signed(self, body: dict[str, Any]) -> bytes:
        terms, items, now = as_asked(body, time.time())
        network = self.world.node.network
        built = build_consents(address(ADA), items, terms, now)
        return answer([sign_message(ADA, consent, network, part) for consent, part in built])


@pytest.fixture
def keeper(world: World) -> Keeper:  # noqa: F811
    return Keeper(world)


def test_from_request_to_removal(keeper: Keeper) -> None:
    asked = keeper.asked()
    assert asked["link"].startswith(f"{keeper.world.node.url}/#/allow?grantee=0x")
    body = asked["message"]["request"]
    assert body["grantee"] == address_text(keeper.world.address)
    keeper.world.write("answer.json", keeper.signed(body))
    assert "license 0x" in keeper.run("take", asked["token"], "answer.json")
    assert "(already known)" in keeper.run("take", asked["token"], "answer.json")
    assert keeper.run("stock", "--purpose", "train-ai") == ""
    assert "0 messages waiting" in keeper.run("send")
    (row,) = keeper.run("stock", "--purpose", "train-ai").splitlines()
    assert json.loads(row)["item"] == body["items"][0]
    buying = ("--to", address_text(LAB), "--purpose", "train-ai", "--until", "90d")
    assert "1 item sold" in keeper.run("sell", "order-1", *buying)
    assert "1 file in out" in keeper.run("publish", "order-1", "--out", "out", "--format", "webdataset")
    assert keeper.run("due") == ""
    assert "0 removals noted" in keeper.run("removed", 7)
    keeper.world.write("fraud.txt", f"{ADA.address}\n".encode())
    case = ("--contributors", "fraud.txt", "--code", "impersonation", "--until", "90d")
    assert "dispute 0x" in keeper.run("dispute", "case-1", *case)
    assert keeper.run("stock", "--purpose", "train-ai") == ""
    assert "revocation 0x" in keeper.run("lift", "case-1")
    assert keeper.run("stock", "--purpose", "train-ai") != ""


def test_what_is_wrong_has_its_code(keeper: Keeper) -> None:
    asked = keeper.asked()
    keeper.world.write("answer.json", keeper.signed(asked["message"]["request"]))
    keeper.world.write("nothing.json", b"{}")
    keeper.fails("unknown-request", "take", "00" * 32, "answer.json")
    keeper.fails("malformed", "take", asked["token"], "nothing.json")
    keeper.fails("file-unreadable", "take", asked["token"], "missing.json")
    other = asked["message"]["request"] | {"grantee": address_text(LAB)}
    keeper.world.write("other.json", keeper.signed(other))
    keeper.fails("not-licensed", "take", asked["token"], "other.json")
    buying = ("--to", address_text(LAB), "--purpose", "train-ai", "--until", "90d")
    keeper.fails("not-in-stock", "sell", "order-1", *buying)
    keeper.fails("not-in-stock", "sell", "order-1", *buying, "--item", hex_text(b"\1" * 32))
    keeper.fails("not-in-stock", "publish", "order-1", "--out", "out")
    keeper.fails("nothing-to-state", "lift", "case-1")
    keeper.fails("file-unreadable", "request", "missing.wav", *ASKING)
    keeper.world.write("terms.txt", b"\xff")
    keeper.fails("file-unreadable", "request", "song.wav", *ASKING, "--terms", "terms.txt")
    assert not Path("out").exists()
    with create_engine("sqlite:///shop.db").connect() as db:
        assert db.execute(consents.select()).all() == []
    keeper.world.run("marketplace", "due", "--database", "what?", *keeper.key, status=2)
    keeper.fails("ledger-failed", "due", "--database", "sqlite:////nowhere/shop.db")
