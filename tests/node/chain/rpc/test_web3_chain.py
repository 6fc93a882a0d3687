"""The chain by web3 against a real EVM: what is read is what was written, what is sent is sent once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from sayso.devchain import DevChain
from sayso_contracts.deploy import deploy
from sayso_contracts.registry.abi import encode_call
from sayso_contracts.registry.calls import Call
from sayso_contracts.registry.client import Registry
from sayso_contracts.registry.events import Anchored, Revoked
from sayso_node.chain.following.follower import Follower
from sayso_node.chain.paying.anchorer import Anchorer
from sayso_node.chain.paying.fees import Allowance
from sayso_node.chain.paying.payer import Payer
from sayso_node.chain.paying.web3_account import Web3Account
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import Freshness
from sayso_node.store.chain import chain_state
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_from_text, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.held_bits import bits_of
from support.node_rig import NOW, NodeRig, consent
from support.registry_views import Views
from support.waiting import DEADLINE_S

NEVER_S = 3_600.0  # no block but those of the test's own transactions
ROOT = sha256(b"root")


@dataclass
class World:
    """An embedded chain with the registry on it, and the node's view of it."""

    dev: DevChain
    registry: Registry
    views: Views
    network: Network
    deploy_block: int
    chain: Web3Chain
    account: Web3Account

    @property
    def payer(self) -> bytes:
        return address_from_text(self.dev.accounts[1].address)

    async def send(self, call: Call, account: int = 0) -> int:
        """Carry a call out; returns the block."""
        tx_hash = await self.registry.send(call, self.dev.accounts[account])
        return (await self.registry.wait(tx_hash, DEADLINE_S)).block_number


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with DevChain(block_time_s=NEVER_S, clock=lambda: NOW) as dev:
        w3 = AsyncWeb3(AsyncHTTPProvider(dev.url))
        deployment = await deploy(w3, dev.accounts[0], expected_chain_id=dev.chain_id)
        network = Network(dev.chain_id, address_from_text(deployment.address))
        chain = Web3Chain(dev.url, network)
        endpoints = Endpoints([chain], Freshness([]), Alarms(), Counters(), finality=1)
        account = Web3Account(dev.accounts[1], network, endpoints)
        place = w3, deployment.address
        registry, views = Registry(*place, dev.chain_id), Views(*place)
        try:
            yield World(dev, registry, views, network, deployment.block_number, chain, account)
        finally:
            await chain.close()
            await w3.provider.disconnect()


async def test_bytes_in_a_question_are_sent_as_hexadecimal_text(world: World) -> None:
    link, registry = world.chain.link, world.network.registry
    asked_in_bytes = await link.ask("eth_getCode", [registry, "latest"])
    asked_in_text = await link.ask("eth_getCode", [world.registry.address, "latest"])
    assert asked_in_bytes["result"] == asked_in_text["result"] != "0x"


async def test_what_is_on_chain_is_read_and_what_is_sent_is_sent_once(world: World) -> None:
    chain, registry = world.chain, world.registry
    me = address_from_text(world.dev.accounts[0].address)
    first = await world.send(registry.revoke_scopes(["everything"]))
    await world.send(registry.revoke(7, 5))
    account, data = world.account, encode_call("anchor", ROOT)
    nonce, gas = await account.pending_nonces(), await account.estimate(data)
    signed = await account.sign(data, nonce, gas, await account.suggest_fees())
    assert (await chain.head()).point.number == first + 1  # signing sends nothing
    assert not await account.knows(signed.hash)
    assert await account.landed(signed.hash) is None
    for _ in range(3):
        await account.send(signed.raw)
    assert await account.knows(signed.hash)
    assert await account.used_nonces() == nonce + 1

    head = await chain.head()
    assert head.point.number == first + 2  # mined once
    landed = await account.landed(signed.hash)
    assert landed
    assert (landed.block, landed.ok) == (head.point, True)
    assert await chain.header(head.point.number) == head
    assert head.time == NOW
    assert await chain.header(head.point.number + 1) is None
    assert await chain.header(first) != head

    events = await chain.events(world.deploy_block, head.point.number)
    said = [(e.contributor, e.word, e.bits) for e in events if isinstance(e, Revoked)]
    assert said == [(me, scope_word("everything"), 1), (me, 7, 5)]
    [anchored] = [event for event in events if isinstance(event, Anchored)]
    assert (anchored.root, anchored.submitter) == (ROOT, world.payer)
    assert (anchored.block_number, anchored.block_hash) == (head.point.number, head.point.hash)
    assert await chain.events(first + 1, first + 1) == events[1:2]
    assert await chain.events_of(head.point) == [anchored]
    with pytest.raises(ChainUnreachable):
        await chain.events_of(ChainPoint(head.point.number, b"\x99" * 32))

    elsewhere = Web3Chain(world.dev.url, Network(1, world.network.registry))
    with pytest.raises(ChainUnreachable, match=r"not chain 1$"):
        await elsewhere.head()
    await elsewhere.close()


async def test_a_node_anchors_and_follows_it(world: World, tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        shared = (world.chain, rig.store)
        follower = Follower(
            *shared,
            rig.freshness,
            rig.clock,
            rig.counters,
            rig.alarms,
            Random(1),
            registry=world.network.registry,
            finality=12,
            deploy_block=world.deploy_block,
            interval_s=1,
        )
        key = bytes(rig.identity.verify_key)
        anchorer = Anchorer(rig.store, key, rig.clock, rig.counters, wait_s=0)
        allowance = Allowance(10**12, 10**18, 0)
        common = (rig.store, rig.clock, rig.counters, Alarms())
        payer = Payer(world.account, *common, allowance, (anchorer,), finality=1)
        [outcome] = await rig.give(consent(1, sponsor=None))
        assert outcome.envelope
        await world.send(world.registry.revoke_scopes(["everything"]), account=2)
        for _ in range(4):
            await payer.step()
        assert rig.count("anchor_sent") == 1
        await follower.read()
        await payer.step()
        assert rig.count("anchor_sent") == 1
        with rig.store.read() as db:
            found = chain_state.anchor_of(db, outcome.envelope.digest)
            stranger = address_from_text(world.dev.accounts[2].address)
            assert bits_of(db, stranger) == {scope_word("everything"): 1}
        assert found
        anchor, position = found
        on_chain = await world.views.anchor_of(anchor.root)
        assert (on_chain.submitter, on_chain.block_number) == (world.payer, anchor.block_number)
        with rig.store.read() as db:
            batch = chain_state.batch(db, anchor.root)
        assert batch
        batch.proof(position).check(outcome.envelope.digest, anchor.root)
        assert rig.freshness.view(NOW, 0).silence is None
