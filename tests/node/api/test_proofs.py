"""Proofs from the chain: which places, at which block, and what an endpoint may do wrong."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sayso_node.chain.proofs.storage_proofs import StorageProofs
from sayso_protocol.ethereum.chain_proofs import anchor_slot, word_slot
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_text, hex_text, keccak
from sayso_protocol.receipts.receipt import ChainPoint
from support.endpoint import SILENT, Endpoint, Failure, Raw, endpoint
from support.node_rig import consent
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK
from support.running_node import RunningNode, running_node
from support.waiting import until

ONE = consent(1, count=3, sponsor=None, guardian=CLEO, via="kled.ai")
PURPOSE = ONE.message.purposes[1]  # type: ignore[attr-defined]
PATH = f"/v1/licenses/{hex_text(ONE.digest)}/proof?item={hex_text(ONE.items[2])}&purpose={PURPOSE}"


def proof(slots: list[str], **changes: Any) -> dict[str, Any]:
    """What an endpoint answers; its nodes are not checked by the node."""
    answer = {
        "address": address_text(NETWORK.registry),
        "accountProof": ["0xc0de"],
        "balance": "0x0",
        "nonce": "0x1",
        "codeHash": "0x" + "cd" * 32,
        "storageHash": "0x" + "ef" * 32,
        "storageProof": [{"key": one, "value": "0x0", "proof": ["0xfeed"]} for one in slots],
    }
    return answer | changes


@pytest.fixture
async def rpc() -> AsyncIterator[Endpoint]:
    async with endpoint() as rpc:
        yield rpc


@pytest.fixture
async def proving(
    tmp_path: Path, rpc: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningNode]:
    """A node whose proofs come from the endpoint, while the chain that it follows is another.

    test_proving.py has real blocks with real headers.
    """

    async def header(_proofs: StorageProofs, _block: ChainPoint) -> bytes:
        return b"\xc0"

    monkeypatch.setattr(StorageProofs, "header", header)
    async with running_node(tmp_path, rpc=rpc.url) as node:
        await node.submit(ONE)
        node.chain.mine()
        node.chain.mine()
        await until(lambda: node.node._freshness.head.point.number >= 2)
        yield node


@pytest.mark.parametrize("asker", [None, BEN, b"\x11" * 20])
async def test_every_place_that_rule_8_2_looks_at(
    proving: RunningNode, rpc: Endpoint, asker: bytes | None
) -> None:
    asked: list[Any] = []

    def answer(parameters: list[Any]) -> Any:
        asked.append(parameters)
        return proof(list(reversed(parameters[1])))  # the order is the endpoint's

    rpc.answers["eth_getProof"] = answer
    status, body = await proving.get(PATH if asker is None else f"{PATH}&grantee={address_text(asker)}")
    assert status == 200, body
    assert body["grantee"] == address_text(asker or BEN)
    [(address, slots, block)] = asked
    assert address == hex_text(NETWORK.registry)
    assert block == {"blockHash": body["block"]["hash"], "requireCanonical": True}
    agreement = ONE.message.agreement  # type: ignore[attr-defined]
    subjects = [
        "everything",
        f"agreement {hex_text(agreement)}",
        f"file {hex_text(ONE.items[2])}",
        "via kled.ai",
        *(f"to {hex_text(one)}" for one in dict.fromkeys([BEN, asker or BEN])),
    ]
    plain = [text for one in subjects for text in (one, f"{one} for {PURPOSE}")]
    ward = f"ward {hex_text(ADA)} "
    scopes = [None, *plain, *(ward + one for one in plain)]
    if asker not in (None, BEN):  # who is not the grantee depends on `resale`, too (8.2.6)
        resale = [f"{one} for resale" for one in subjects]
        scopes += [*resale, *(ward + one for one in resale)]
    assert [one["scope"] for one in body["places"]] == scopes
    for one in body["places"]:
        guardian = (one["scope"] or "").startswith(ward)
        assert one["address"] == address_text(CLEO if guardian else ADA)
    assert [one["slot"] for one in body["places"]] == slots[: len(scopes)]
    first = body["places"][0]
    base = ONE.message.base  # type: ignore[attr-defined]
    assert (first["word"], first["bit"]) == (str(base), 2 * 2 + 1)
    for place in body["places"][1 : 1 + len(plain)]:
        assert place["slot"] == hex_text(word_slot(ADA, scope_word(place["scope"])))
        assert (place["bit"], place["value"], place["proof"]) == (0, "0x0", ["0xfeed"])
    assert body["account"]["account_proof"] == ["0xc0de"]


async def test_an_anchor_is_a_place_as_well(proving: RunningNode, rpc: Endpoint) -> None:
    rpc.answers["eth_getProof"] = lambda asked: proof(asked[1])
    await until(lambda: proving.account.broadcasts)
    proving.chain.mine()
    head = len(proving.chain.blocks) - 1
    await until(lambda: proving.node._freshness.head.point.number >= head)
    _, body = await proving.get(PATH)
    [root] = proving.account.roots
    batch = body["anchor"].pop("batch")
    assert (batch["count"], batch["index"], batch["path"]) == (1, 0, [])
    assert body["anchor"] == {
        "root": hex_text(root),
        "slot": hex_text(anchor_slot(root)),
        "value": "0x0",
        "proof": ["0xfeed"],
    }


def test_slots_are_those_of_solidity() -> None:
    """`mapping(address => mapping(uint248 => uint256))` in slot 1: keccak(key . keccak(key . slot))."""
    inner = keccak(bytes(12) + ADA + (1).to_bytes(32))
    assert word_slot(ADA, 7) == keccak((7).to_bytes(32) + inner)
    assert anchor_slot(b"\x05" * 32) == keccak(b"\x05" * 32 + bytes(32))


NONSENSE: dict[str, Any] = {
    "a number": 7,
    "a list": [],
    "an empty object": {},
    "other slots": lambda asked: proof([hex_text(bytes(32))] * len(asked[1])),
    "a slot too few": lambda asked: proof(asked[1][1:]),
    "nodes of words": lambda asked: proof(asked[1], accountProof=["words"]),
    "no list of nodes": lambda asked: proof(asked[1], accountProof="0xc0de"),
    "a value of words": lambda asked: proof(asked[1], balance="much"),
    "a value too large": lambda asked: proof(asked[1], nonce="0x" + "1" * 65),
    "no JSON": Raw(b"words"),
    "too much": Raw(b" " * 2_000_000),
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_told_as_such(proving: RunningNode, rpc: Endpoint, name: str) -> None:
    rpc.answers["eth_getProof"] = NONSENSE[name]
    status, body = await proving.get(PATH)
    assert (status, body["error"]["code"]) == (503, "chain-unreachable")


@pytest.mark.parametrize(
    "answer",
    [Failure({"code": -32601, "message": "no such method"}), Raw(b"", 404), Raw(b"{}", 501), None],
)
async def test_an_endpoint_without_proofs(proving: RunningNode, rpc: Endpoint, answer: Any) -> None:
    rpc.answers["eth_getProof"] = answer
    status, body = await proving.get(PATH)
    assert (status, body["error"]["code"]) == (501, "proof-unavailable")


async def test_an_endpoint_that_is_mute(
    proving: RunningNode, rpc: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving.chain.links[0], "_timeout_s", 0.2)
    rpc.answers["eth_getProof"] = SILENT
    status, body = await proving.get(PATH)
    assert (status, body["error"]["code"]) == (503, "chain-unreachable")


async def test_a_node_that_has_not_read_the_chain_proves_nothing(tmp_path: Path) -> None:
    async with running_node(tmp_path, disabled=("chain",)) as node:
        await node.submit(ONE)
        status, body = await node.get(PATH)
        assert (status, body["error"]["code"]) == (503, "chain-unreachable")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (PATH.replace(hex_text(ONE.digest), "0x" + "ab" * 32), 404, "not-found"),
        (PATH.replace(hex_text(ONE.items[2]), "0x" + "ab" * 32), 404, "not-found"),
        (PATH.replace(PURPOSE, "resale"), 404, "not-found"),
        (PATH.split("?", maxsplit=1)[0], 400, "bad-request"),
        (PATH + "&purpose=resale", 400, "bad-request"),
        (PATH + "&block=7", 400, "bad-request"),
        (PATH.replace("item=0x", "item=zz"), 400, "malformed"),
        (PATH + "&grantee=0x12", 400, "invalid-address"),
        (PATH + f"&grantee={'0x' + 'Ab' * 20}", 400, "invalid-address"),
    ],
)
async def test_bad_questions(proving: RunningNode, path: str, status: int, code: str) -> None:
    found, body = await proving.get(path)
    assert (found, body["error"]["code"]) == (status, code)
