"""`sayso prove` and `sayso verify-proof`: receipt proofs, against hashes that come from elsewhere."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import World
from sayso.networks import save_network
from sayso_protocol.primitives import address_text
from support.protocol_strategies import BEN, NETWORK
from vectors.landings import OWNER, RELAYER, proof_of
from vectors.make import FOLDER

PUBLISHED = json.loads((FOLDER / "landings.json").read_text())
CASES = {case["name"]: case for case in PUBLISHED["proofs"]}


def hashes(proof: dict[str, Any]) -> list[str]:
    """The options that name the blocks of a proof."""
    named = dict.fromkeys(one["block"]["hash"] for one in proof["landings"])
    return [text for name in named for text in ("--block-hash", name)]


@pytest.fixture
def proof(world: World) -> dict[str, Any]:
    save_network(world.folder / "network.toml", replace(world.node.trusted, network=NETWORK))
    made = proof_of(CASES["three transactions"], PUBLISHED)
    world.write("proof.json", json.dumps(made).encode())
    return made


def test_who_and_when(world: World, proof: dict[str, Any]) -> None:
    text = world.run("verify-proof", "proof.json", *hashes(proof), status=3).stdout
    assert f"of {address_text(BEN)}" in text
    assert text.count("transaction 0x") == 3
    assert text.count(f"sent by {RELAYER.address}") == 2
    assert f"sent by {OWNER.address}" in text
    assert "revoked on chain: every bit of the revocation is set" in text
    assert world.node.asked == [], "it is offline"


def test_every_block_has_to_be_named(world: World, proof: dict[str, Any]) -> None:
    world.fails("bad-proof", "verify-proof", "proof.json", *hashes(proof)[:2])
    world.run("verify-proof", "proof.json", status=2)


@pytest.mark.parametrize("name", ["a transaction too few", "no list", "another chain"])
def test_a_wrong_proof(world: World, proof: dict[str, Any], name: str) -> None:
    made = proof_of(CASES[name], PUBLISHED)
    world.write("wrong.json", json.dumps(made).encode())
    world.fails(CASES[name]["code"], "verify-proof", "wrong.json", *hashes(proof))


def test_a_proof_of_places_is_about_one_block(world: World, proof: dict[str, Any]) -> None:
    world.write("places.json", b'{"type": "sayso-chain-proof-1"}')
    world.run("verify-proof", "places.json", *hashes(proof), status=2)
    world.fails("malformed", "verify-proof", "places.json", *hashes(proof)[:2])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("0x" + "11" * 32,),
        ("0x" + "11" * 32, "0x" + "22" * 32),
        ("0x" + "11" * 32, "0x" + "22" * 32, "--purpose", "train-ai", "--revocation", "0x" + "33" * 32),
        ("--purpose", "train-ai", "--revocation", "0x" + "33" * 32),
    ],
)
def test_what_is_to_be_proved_is_said_once(world: World, arguments: tuple[str, ...]) -> None:
    world.run("prove", *arguments, "--out", "p.json", "--network", "network.toml", status=2)
    assert not Path(world.folder / "p.json").exists()
