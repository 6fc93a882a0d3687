"""`sayso submit`: what is said of a message is what an operator of the network file has signed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from nacl.signing import SigningKey

from cli.conftest import World
from sayso.contributor.saved_messages import load_bundle, save_bundle
from sayso_protocol.errors import TooLarge
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.receipt import sign_statement
from sayso_protocol.receipts.text import acknowledgement_from_json, acknowledgement_to_json

OTHER = SigningKey(b"o" * 32)
Json = dict[str, Any]
Change = Callable[[World, Json], Json]


@pytest.fixture
def saved(world: World) -> World:
    """A consent and the revocation of everything, signed offline and not sent."""
    world.write("a")
    terms = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "1y")
    files = ("--manifest", "m.jsonl", "--save", "consents.sayso")
    world.run("grant", "a", "--key", world.key, *terms, *files)
    world.run("revoke", "everything", "--key", world.key, "--yes", "--save", "stop.sayso")
    world.node.memory.envelopes.clear()
    world.node.asked.clear()
    return world


def lies(world: World, change: Change) -> None:
    """Change what the node answers about revocations; consents are answered truly."""

    def twist(route: str, answer: Any) -> Any:
        if route != "messages":
            return answer
        results = [change(world, one) if "acknowledgement" in one else one for one in answer["results"]]
        return {"results": results}

    world.node.twist = twist


def resigned(key: SigningKey, **changes: Any) -> Change:
    """An acknowledgement with other fields, signed over them by a key."""

    def change(_world: World, result: Json) -> Json:
        read = acknowledgement_from_json(result["acknowledgement"] | changes)
        signed = sign_statement(key, read.statement)
        return result | {"acknowledgement": acknowledgement_to_json(signed)}

    return change


def pending(_world: World, result: Json) -> Json:
    return {"digest": result["digest"], "status": "pending"}


def test_several_files_and_what_the_node_promised(saved: World) -> None:
    files = ("consents.sayso", "stop.sayso")
    text = saved.run("submit", *files, "--acknowledgement", "ack.json").stdout
    (license_hash,) = {row["license"] for row in saved.rows("m.jsonl")}
    assert f"consent {license_hash}\n" in text
    assert "kept by Fake" in text
    (stop,) = load_bundle(saved.folder / "stop.sayso", saved.node.network)
    signed = acknowledgement_from_json(json.loads((saved.folder / "ack.json").read_bytes()))
    assert signed.check(saved.node.trusted).name == "Fake"
    assert signed.statement.digest == stop.digest
    assert isinstance(stop.message, Revocation)
    assert "already known" in saved.run("submit", "consents.sayso").stdout


def test_a_file_that_exists_is_not_replaced(saved: World) -> None:
    saved.fails("output-failed", "submit", "stop.sayso", "--acknowledgement", "m.jsonl")
    assert "messages" not in saved.node.asked


def test_what_waits_without_a_promise_is_said(saved: World) -> None:
    lies(saved, pending)
    result = saved.fails("not-acknowledged", "submit", "stop.sayso", "--acknowledgement", "ack.json")
    assert "without a promise" in result.stdout
    assert "submit the consent as well" in result.stderr
    assert "kept" not in result.stdout
    assert "ack.json" not in saved.left()


LIES: dict[str, tuple[str, Change]] = {
    "none": ("not-acknowledged", lambda _, one: one | {"acknowledgement": None}),
    "an unknown key": ("unknown-signer", resigned(OTHER, node_key=bytes(OTHER.verify_key).hex())),
    "another's signature": ("bad-signature", resigned(OTHER)),
    "another digest, signed": (
        "bad-answer",
        lambda world, one: resigned(world.node.key, digest="0x" + "77" * 32)(world, one),
    ),
    "another network, signed": (
        "wrong-network",
        lambda world, one: resigned(
            world.node.key, network={"chain_id": 5, "registry": "0x" + "11" * 20}
        )(world, one),
    ),
    "a status nobody knows": ("bad-answer", lambda _, one: one | {"status": "fine"}),
    "pending, for another message": (
        "bad-answer",
        lambda _, one: {"digest": "0x" + "77" * 32, "status": "pending"},
    ),
    "pending, with a promise": ("not-acknowledged", lambda _, one: one | {"status": "pending"}),
}


@pytest.mark.parametrize("name", LIES)
@pytest.mark.parametrize("command", ["submit", "revoke"])
def test_a_promise_that_nobody_trusted_made(saved: World, name: str, command: str) -> None:
    code, change = LIES[name]
    lies(saved, change)
    arguments = {
        "submit": ("submit", "consents.sayso", "stop.sayso"),
        "revoke": ("revoke", "everything", "--key", saved.key, "--yes"),
    }[command]
    result = saved.fails(code, *arguments, "--acknowledgement", "ack.json")
    assert "kept by" not in result.stdout
    assert "ack.json" not in saved.left()


def test_nothing_is_told_to_a_node_of_another_network(saved: World) -> None:
    path = saved.folder / "network.toml"
    path.write_text(path.read_text().replace("chain_id = 31337", "chain_id = 5"))
    saved.fails("wrong-network", "submit", "stop.sayso")
    assert "messages" not in saved.node.asked


def test_a_part_of_a_license_is_revoked_without_any_node(saved: World) -> None:
    (row,) = saved.rows("m.jsonl")
    offline = ("--consents", "consents.sayso", "--node", "http://127.0.0.1:1")
    words = ("revoke", "--license", row["license"], "--file", "a", "--key", saved.key, "--yes")
    text = saved.run(*words, *offline, "--save", "words.sayso").stdout
    assert "1 of 1 permission" in text
    assert "sayso submit words.sayso" in text
    (envelope,) = load_bundle(saved.folder / "words.sayso", saved.node.network)
    assert isinstance(envelope.message, Revocation)
    assert envelope.message.words
    other = ("revoke", "--license", "0x" + "77" * 32, "--key", saved.key, "--yes")
    saved.fails("nothing-to-revoke", *other, *offline, "--save", "x")


def test_the_consent_goes_along(saved: World) -> None:
    arguments = ("revoke", "everything", "--key", saved.key, "--yes", "--consents", "consents.sayso")
    text = saved.run(*arguments, "--acknowledgement", "ack.json").stdout
    assert "consent 0x" in text
    assert "kept by Fake" in text
    assert "ack.json" in saved.left()
    assert hex_text(saved.address) not in text


def test_options_that_do_not_fit(saved: World) -> None:
    options = ("--save", "x", "--acknowledgement", "y")
    saved.run("revoke", "everything", "--key", saved.key, *options, status=2)


def test_a_file_holds_a_limited_number_of_messages(saved: World) -> None:
    (stop,) = load_bundle(saved.folder / "stop.sayso", saved.node.network)
    with pytest.raises(TooLarge):
        save_bundle(saved.folder / "many.sayso", [stop] * 1_025)
    assert "many.sayso" not in saved.left()
