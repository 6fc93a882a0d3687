"""ERC-6492 on a real chain: a wallet is deployed by its factory, and its revocation relayed."""

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from web3 import Web3

from node.chain.anvil_world import PayingNode, Registry
from node.chain.paying.test_on_anvil import EVERYTHING, Person
from sayso_node.chain.rpc.eth_call import EthCall
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import keccak
from sayso_protocol.signatures.contract_wallets import WalletProof, wrap
from support.anvil import REPOSITORY, anvil
from support.protocol_strategies import ADA, BEN, NODE, WALLETS, a_consent, item_hashes, sign_digest
from support.ways import Ways

CONTRACTS = REPOSITORY / "contracts"


def compiled(file: str, name: str) -> bytes:
    artifact = json.loads((CONTRACTS / "out" / file / f"{name}.json").read_text())
    return bytes.fromhex(artifact["bytecode"]["object"][2:])


class World:
    """A chain with the registry, and wallets of a factory that are not there yet."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.registry = Registry(url)
        self.factory = self.deploy("Wallets.sol", "WalletFactory")

    def deploy(self, file: str, name: str) -> bytes:
        receipt = self.registry.send({"data": compiled(file, name)})
        return bytes.fromhex(receipt["contractAddress"][2:])

    def wallet_of(self, owner: bytes, factory: bytes | None = None) -> bytes:
        inside = compiled("Wallets.sol", "OwnedWallet") + abi_encode(["address"], ["0x" + owner.hex()])
        return keccak(b"\xff" + (factory or self.factory) + bytes(32) + keccak(inside))[12:]  # EIP-1014

    def code_at(self, address: bytes) -> bytes:
        return bytes(self.registry.w3.eth.get_code(Web3.to_checksum_address(address)))

    def signed(self, message: Any, owner: bytes, factory: bytes | None = None) -> Envelope:
        """The message of the wallet of this owner."""
        network = self.registry.network
        create = keccak(b"create(address)")[:4] + owner.rjust(32, b"\0")
        own = sign_digest(WALLETS[owner], digest(message, network))
        proof = WalletProof(own, factory or self.factory, create)
        items = item_hashes(1, owner[0]) if not isinstance(message, Revocation) else ()
        return Envelope(message, network, wrap(proof), items)

    def consent(self, owner: bytes, factory: bytes | None = None) -> Envelope:
        who = self.wallet_of(owner, factory)
        given = a_consent(item_hashes(1, owner[0]), contributor=who, parties=(who,))
        return self.signed(given, owner, factory).sponsored_by(NODE)

    def revocation(self, owner: bytes, factory: bytes | None = None) -> Envelope:
        return self.signed(Revocation(self.wallet_of(owner, factory), ("everything",)), owner, factory)


@pytest.fixture
def world() -> Iterator[World]:
    forge = CONTRACTS / "node_modules" / ".bin" / "forge"
    subprocess.run([forge, "build", "--quiet"], cwd=CONTRACTS, check=True)
    with anvil() as url:
        yield World(url)


@pytest.fixture
async def paying(world: World, tmp_path: Path) -> AsyncIterator[PayingNode]:
    ways = Ways(world.url)
    prober = EthCall(ways)
    network = world.registry.network
    async with PayingNode(tmp_path, [world.url], network, prober=prober) as paying:
        paying.rig.intake._network = network
        await paying.follower.read()
        yield paying
    await ways.close()


async def test_the_wallet_is_deployed_and_its_revocation_is_state(
    world: World, paying: PayingNode
) -> None:
    wallet, registry = world.wallet_of(ADA), world.registry
    person = Person(1, registry)  # with a key, in the same queue
    for outcome in await paying.rig.give(world.consent(ADA), person.consent.sponsored_by(NODE)):
        assert outcome.error is None
    await paying.promise(world.revocation(ADA), person.revocation())
    assert world.code_at(wallet) == b""
    await paying.drain(registry)
    assert world.code_at(wallet) != b""
    assert registry.bits(wallet, [EVERYTHING]) == registry.bits(person.address, [EVERYTHING]) == [1]
    assert sorted(kind for kind, _ in paying.used()) == ["deploy", "relay", "relay"]
    assert paying.alarms.active() == {}
    nonce = registry.w3.eth.get_transaction_count(registry.w3.eth.accounts[0])
    assert nonce == 3
    with paying.rig.store.read() as db:
        [(tx_hash,)] = db.execute(
            "SELECT hash FROM transactions JOIN intents ON intents.id = intent WHERE kind = 'deploy'"
        )
    receipt = registry.w3.eth.get_transaction_receipt(tx_hash)
    assert receipt["contractAddress"]  # what called the factory, and is gone
    assert world.code_at(bytes.fromhex(receipt["contractAddress"][2:])) == b""


async def test_what_a_fork_drops_is_deployed_and_relayed_again(world: World, paying: PayingNode) -> None:
    wallet, registry = world.wallet_of(ADA), world.registry
    await paying.rig.give(world.consent(ADA))
    await paying.promise(world.revocation(ADA))
    for _ in range(4):
        await paying.follower.read()
        await paying.payer.step()
    assert registry.bits(wallet, [EVERYTHING]) == [1]
    registry.ask("anvil_reorg", 2, [])  # anvil forgets what was in them: both transactions
    assert world.code_at(wallet) == b""
    await paying.drain(registry)
    assert registry.bits(wallet, [EVERYTHING]) == [1]


async def test_a_factory_that_changes_its_mind_costs_nothing_and_hinders_nobody(
    world: World, paying: PayingNode
) -> None:
    registry = world.registry
    factory = world.deploy("Wallets.sol", "FickleFactory")
    wallet = world.wallet_of(BEN, factory)
    await paying.follower.read()
    person = Person(1, registry)
    for outcome in await paying.rig.give(world.consent(BEN, factory), person.consent.sponsored_by(NODE)):
        assert outcome.error is None, outcome.error
    await paying.promise(world.revocation(BEN, factory), person.revocation())
    registry.ask("anvil_setBalance", Web3.to_checksum_address(factory), hex(1))  # it is fickle now
    for _ in range(10):
        await paying.follower.read()
        await paying.payer.step()
        registry.ask("anvil_mine")
    assert registry.bits(person.address, [EVERYTHING]) == [1]
    assert world.code_at(wallet) == b""
    assert paying.rig.count("wallets_not_deployed") == 1
    assert "wallet-not-deployed" in paying.alarms.active()
    assert [kind for kind, _ in paying.used()] == ["relay"]  # it was found out before it was paid for
