"""What goes wrong on a real chain: a block that moves, a price that jumps, an account that is empty."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.chain.anvil_world import ALLOWANCE, PayingNode, Registry
from node.chain.paying.test_on_anvil import EVERYTHING, Person, known
from sayso_node.chain.paying.fees import ETHER, GWEI
from sayso_node.chain.paying.payer import STUCK_S
from sayso_node.errors import ChainUnreachable
from sayso_node.store.chain import chain_state, intents, relays
from sayso_protocol.permissions.words import Masks
from support.anvil import anvil

BITS: Masks = {EVERYTHING: 1}


class World:
    """A chain, and somebody who revokes."""

    def __init__(self, url: str) -> None:
        self.url, self.registry = url, Registry(url)
        self.person = Person(1, self.registry)

    def node(self, folder: Path) -> PayingNode:
        paying = PayingNode(folder, [self.url], self.registry.network)
        paying.rig.intake._network = self.registry.network
        return paying

    @property
    def payer(self) -> str:
        return str(next(iter(self.registry.w3.eth.accounts)))

    @property
    def nonce(self) -> int:
        return self.registry.w3.eth.get_transaction_count(self.payer)  # type: ignore[arg-type]

    @property
    def is_revoked(self) -> bool:
        return self.registry.bits(self.person.address, [EVERYTHING]) == [1]

    def mine(self, base_fee: int | None = None) -> None:
        if base_fee is not None:
            self.registry.ask("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
        self.registry.ask("anvil_mine")

    def block_of(self, paying: PayingNode) -> int | None:
        """Where the node says that the revocation landed."""
        with paying.rig.store.read() as db:
            return relays.block_with(db, self.person.address, BITS)


@pytest.fixture
def world() -> Iterator[World]:
    with anvil() as url:
        yield World(url)


async def promised(paying: PayingNode, world: World, *, own: bool = False) -> None:
    await known(paying, [world.person], own=own)
    await paying.promise(world.person.revocation())


async def look(paying: PayingNode) -> None:
    """A step of both; what an endpoint refuses is tried again, as their loops do."""
    await paying.follower.read()
    with contextlib.suppress(ChainUnreachable):
        await paying.payer.step()


async def test_a_reorganisation_moves_the_block_of_a_revocation_and_of_an_anchor(
    world: World, tmp_path: Path
) -> None:
    """The same transactions stand in later blocks: nothing is sent again, the node says where."""
    registry = world.registry
    async with world.node(tmp_path) as paying:
        await promised(paying, world, own=True)
        for _ in range(5):
            await look(paying)
        await paying.follower.read()
        before = world.block_of(paying)
        head = registry.w3.eth.block_number
        assert before == head
        raws = []
        for height in (head - 1, head):
            [transaction] = registry.w3.eth.get_block(height)["transactions"]
            raw = registry.w3.eth.get_raw_transaction(transaction)  # type: ignore[arg-type]
            raws.append("0x" + bytes(raw).hex())
        # Two blocks are replaced by two others: the first is empty, the second has both transactions.
        registry.ask("anvil_reorg", 2, [[raw, 1] for raw in raws])
        assert registry.w3.eth.block_number == head
        assert len(registry.w3.eth.get_block(head)["transactions"]) == 2
        world.mine()
        await look(paying)
        assert paying.rig.count("chain_reorgs") == 1
        assert world.block_of(paying) == head
        assert world.is_revoked
        with paying.rig.store.read() as db:
            anchor = chain_state.anchor_of(db, world.person.consent.digest)
        assert anchor
        assert anchor[0].block_number == head
        assert anchor[0].block_hash == bytes(registry.w3.eth.get_block(head)["hash"])
        await paying.drain(registry)
        assert world.nonce == len(paying.used()) == 2
        with paying.rig.store.read() as db:
            [(count,)] = db.execute("SELECT count(*) FROM transactions")
        assert count == 2


async def test_a_price_that_jumps(world: World, tmp_path: Path) -> None:
    """What was sent is stuck, is offered more under its own nonce, and is paid for once."""
    registry = world.registry
    async with world.node(tmp_path) as paying:
        await promised(paying, world)
        registry.ask("evm_setAutomine", False)
        await look(paying)
        with paying.rig.store.read() as db:
            [intent] = intents.open_intents(db)
            [sent] = intents.signed_for(db, intent)
        world.mine(10 * sent.max_fee)
        for _ in range(3):
            await look(paying)
        assert not world.is_revoked
        assert paying.rig.count("transactions_replaced") == 0  # not at once: a jump may pass
        paying.rig.clock.time += STUCK_S
        await look(paying)
        assert paying.rig.count("transactions_replaced") == 1
        assert paying.alarms.active() == {}
        for _ in range(3):
            world.mine()
            await look(paying)
        assert world.is_revoked
        await paying.drain(registry)
        assert world.nonce == len(paying.used()) == 1


async def test_above_the_cap_nothing_is_sent_until_the_price_falls(world: World, tmp_path: Path) -> None:
    async with world.node(tmp_path) as paying:
        await promised(paying, world)
        world.mine(2 * ALLOWANCE.max_fee)
        for _ in range(3):
            await look(paying)
        assert list(paying.alarms.active()) == ["fee-cap"]
        assert world.nonce == 0
        assert not world.is_revoked
        world.mine(GWEI)
        await paying.drain(world.registry)
        assert world.is_revoked
        assert paying.alarms.active() == {}
        assert world.nonce == 1


async def test_an_account_without_money_loses_nothing(world: World, tmp_path: Path) -> None:
    registry = world.registry
    async with world.node(tmp_path) as paying:
        registry.ask("anvil_setBalance", world.payer, "0x0")
        await promised(paying, world, own=True)
        for _ in range(4):
            await look(paying)
            world.mine()
        assert {"account-empty", "account-low"} <= set(paying.alarms.active())
        assert world.nonce == 0
        registry.ask("anvil_setBalance", world.payer, hex(ETHER))
        await paying.drain(registry)
        assert world.is_revoked
        assert paying.alarms.active() == {}
        assert world.nonce == len(paying.used()) == 2
