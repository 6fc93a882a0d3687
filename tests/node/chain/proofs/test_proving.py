"""Proofs of presence and of absence from a real chain, checked by nothing but a block hash."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request
from web3 import HTTPProvider, Web3

from sayso_contracts.registry import artifact
from sayso_contracts.registry.calls import Call, Calls, SignedRevocation
from sayso_node.api.http.route import PLACE
from sayso_node.api.http.shares import PROXIES
from sayso_node.api.routes.proofs import ProofRoutes
from sayso_node.chain.proofs.storage_proofs import StorageProofs
from sayso_node.freshness import ChainHead
from sayso_node.sources import Proxies
from sayso_node.store.chain import chain_state
from sayso_protocol.errors import SaysoError
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.ethereum.chain_proofs import OnChain, check_chain_proof
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import agreement_subject, to_subject
from sayso_protocol.primitives import address_from_text, address_text, hex_text, keccak
from sayso_protocol.receipts.receipt import ChainPoint
from support.anvil import CHAIN_ID, anvil
from support.node_rig import NodeRig
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    WALLETS,
    a_consent,
    item_hashes,
    sign_digest,
    signed,
)
from support.ways import Ways

ITEMS = item_hashes(3, 1)


class World:
    """A chain with a registry, and what a node says of it."""

    def __init__(self, url: str) -> None:
        self.w3 = Web3(HTTPProvider(url))
        self.url = url
        receipt = self.send({"data": artifact.creation_code()})
        self.network = Network(CHAIN_ID, address_from_text(receipt["contractAddress"]))
        self.calls = Calls(receipt["contractAddress"])

    def send(self, transaction: dict[str, Any]) -> Any:
        sender = {"from": self.w3.eth.accounts[0]}
        return self.w3.eth.wait_for_transaction_receipt(
            self.w3.eth.send_transaction(sender | transaction)  # type: ignore[arg-type]
        )

    def call(self, call: Call) -> None:
        assert self.send({"to": call.to, "data": call.data})["status"] == 1

    def revoke(self, contributor: bytes, *scopes: str, words: dict[int, int] | None = None) -> None:
        masks = words or {}
        revocation = Revocation(contributor, scopes, tuple(masks), tuple(masks.values()))
        signature = sign_digest(WALLETS[contributor], digest(revocation, self.network))
        signed = SignedRevocation(revocation, self.network.chain_id, signature)
        self.call(self.calls.revoke_by_sig(signed))

    def head(self) -> ChainPoint:
        block = self.w3.eth.get_block("latest")
        return ChainPoint(int(block["number"]), bytes(block["hash"]))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with anvil() as url:
        yield World(url)


def given(world: World, seed: int = 1, **changes: Any) -> Envelope:
    items = item_hashes(3, seed)
    consent = a_consent(items, guardian=CLEO, via="kled.ai", **changes)
    return signed(consent, items, world.network)


async def prove(
    world: World,
    envelope: Envelope,
    tmp_path: Path,
    anchored: Batch | None = None,
    grantee: bytes | None = None,
) -> tuple[Any, bytes]:
    """What the API gives away for the third item, and the block's hash."""
    with NodeRig(tmp_path) as rig:
        rig.intake._network = world.network
        [taken] = await rig.give(envelope)
        assert taken.error is None
        head = world.head()
        rig.freshness.chain_read(rig.clock.now(), ChainHead(head, rig.clock.now()))
        if anchored:
            place = chain_state.Anchor(anchored.root, bytes(20), 1, bytes(32))
            await rig.store.write(lambda db: chain_state.add_anchor(db, place))
            await rig.store.write(lambda db: chain_state.add_batch(db, anchored, own=False))
        ways = Ways(world.url)
        proofs = StorageProofs(ways, world.network.registry)
        routes = ProofRoutes(world.network, rig.store, rig.freshness, proofs)
        name, item = hex_text(envelope.digest), hex_text(envelope.items[2])
        purpose = envelope.message.purposes[1]  # type: ignore[attr-defined]
        path = f"/v1/licenses/{name}/proof?item={item}&purpose={purpose}"
        path += f"&grantee={address_text(grantee)}" if grantee else ""
        asked = make_mocked_request("GET", path)
        asked[PLACE], asked[PROXIES] = {"license": name}, Proxies(())
        answer = await routes.proof(asked)
        await ways.close()
        return msgspec.to_builtins(answer), head.hash


async def test_absence_and_then_presence(world: World, tmp_path: Path) -> None:
    envelope = given(world)
    document, block_hash = await prove(world, envelope, tmp_path)
    found = check_chain_proof(document, world.network, block_hash)
    assert (found.license, found.revoked_by, found.anchored_in) == (envelope.digest, (), None)
    base = envelope.message.base  # type: ignore[attr-defined]
    world.revoke(ADA, words={base: 1 << 4})  # another permission of the same word
    document, block_hash = await prove(world, envelope, tmp_path)
    assert check_chain_proof(document, world.network, block_hash).revoked_by == ()
    world.revoke(ADA, words={base: 1 << 5})
    document, block_hash = await prove(world, envelope, tmp_path)
    assert check_chain_proof(document, world.network, block_hash).revoked_by == ("",)


async def test_a_scope_and_a_guardians_scope(world: World, tmp_path: Path) -> None:
    envelope = given(world, 2, purposes=("inference", "research"))
    sentence = f"ward {hex_text(ADA)} via kled.ai for research"
    world.revoke(ADA, "everything for research")
    world.revoke(CLEO, sentence)
    document, block_hash = await prove(world, envelope, tmp_path)
    found = check_chain_proof(document, world.network, block_hash)
    assert found.revoked_by == ("everything for research", sentence)


async def test_a_whole_license_and_whoever_asks(world: World, tmp_path: Path) -> None:
    envelope, asker = given(world, 3, purposes=("advertising", "data-mining")), b"\x11" * 20
    agreement = agreement_subject(envelope.message.agreement)  # type: ignore[attr-defined]
    world.revoke(ADA, to_subject(asker))
    document, block_hash = await prove(world, envelope, tmp_path)
    assert check_chain_proof(document, world.network, block_hash).revoked_by == ()
    document, block_hash = await prove(world, envelope, tmp_path, grantee=asker)
    found = check_chain_proof(document, world.network, block_hash)
    assert (found.revoked_by, found.grantee) == ((to_subject(asker),), asker)
    for other in (address_text(BEN), address_text(bytes(20)), address_text(b"\x12" * 20), None):
        with pytest.raises(SaysoError):
            check_chain_proof(document | {"grantee": other}, world.network, block_hash)
    world.revoke(ADA, agreement)
    document, block_hash = await prove(world, envelope, tmp_path)
    assert check_chain_proof(document, world.network, block_hash).revoked_by == (agreement,)


async def test_the_anchor_comes_along(world: World, tmp_path: Path) -> None:
    envelope = given(world, 3, purposes=("inference", "resale"))
    batch = Batch(b"\x01" * 32, (keccak(b"another"), envelope.digest, keccak(b"third")))
    world.call(world.calls.anchor(batch.root))
    block = world.w3.eth.get_block("latest")
    document, block_hash = await prove(world, envelope, tmp_path, batch)
    found = check_chain_proof(document, world.network, block_hash)
    assert found.anchored_in == (block["number"], block["timestamp"])


def change(*path: Any, value: Any) -> Callable[[Any], None]:
    def apply(document: Any) -> None:
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value

    return apply


def without(*path: Any) -> Callable[[Any], None]:
    def apply(document: Any) -> None:
        for name in path[:-1]:
            document = document[name]
        del document[path[-1]]

    return apply


LIES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "another type": ("malformed", change("type", value="sayso-receipt-1")),
    "another chain": ("wrong-network", change("network", "chain_id", value=1)),
    "another license": ("bad-proof", change("license", value="0x" + "ab" * 32)),
    "another item": ("bad-proof", change("item", value="0x" + "ab" * 32)),
    "another purpose": ("bad-proof", change("purpose", value="resale")),
    "a value that is not there": ("bad-proof", change("places", 0, "value", value="0x1")),
    "a value that is hidden": ("bad-proof", change("places", 1, "value", value="0x0")),
    "presence without its proof": ("bad-proof", change("places", 1, "proof", value=[])),
    "absence without its proof": ("bad-proof", change("places", 2, "proof", value=[])),
    "another place's proof": ("bad-proof", lambda one: _swap(one["places"])),
    "a place too few": ("bad-proof", without("places", -1)),
    "no places": ("malformed", without("places")),
    "no account": ("bad-proof", change("account", "account_proof", value=[])),
    "no header": ("malformed", without("block", "header")),
    "an empty header": ("bad-proof", change("block", "header", value="0x")),
    "words for a header": ("malformed", change("block", "header", value="0xzz")),
    "no object": ("malformed", change("block", value=7)),
    "no consent": ("malformed", change("envelope", value="0x")),
}


def _swap(places: list[Any]) -> None:
    for name in ("value", "proof"):
        places[1][name], places[2][name] = places[2][name], places[1][name]


async def test_lies(world: World, tmp_path: Path) -> None:
    envelope = given(world, 4, purposes=("inference", "train-ai"))
    world.revoke(ADA, "everything")
    document, block_hash = await prove(world, envelope, tmp_path)
    found = check_chain_proof(document, world.network, block_hash)
    assert found.revoked_by == ("everything",)
    for name, (code, lie) in LIES.items():
        changed = copy.deepcopy(document)
        lie(changed)
        said = "nothing"
        try:
            check_chain_proof(changed, world.network, block_hash)
        except SaysoError as error:
            said = error.code
        assert said == code, name
    with pytest.raises(SaysoError, match="header"):
        check_chain_proof(document, world.network, keccak(b"another block"))
    assert isinstance(found, OnChain)
