"""A chain that forks, forgets and repeats, and the endpoints through which machines see it.

Blocks are mined in virtual time. A reorganisation replaces the newest blocks by others; the dropped
transactions are mined again, unless they are lost for good. An endpoint may fail, answer late, or stay
behind on a fork for a while.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from sayso_contracts.registry.abi import SELECTOR_BYTES, encode_call
from sayso_contracts.registry.events import Anchored, Endorsed, Event, Revoked
from sayso_node.chain.interface import BlockHeader
from sayso_node.errors import ChainUnreachable
from sayso_protocol.ethereum.blooms import BLOOM_BYTES
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES, keccak, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_account import relayed

ANCHOR = encode_call("anchor", bytes(HASH_BYTES))[:SELECTOR_BYTES]
BLOCK_S = (2.0, 6.0)
ANSWER_S = 0.02


class Revoke(NamedTuple):
    """A transaction by which somebody sets bits of his own."""

    contributor: bytes
    word: int
    mask: int

    @property
    def name(self) -> bytes:
        return keccak(b"revoke" + self.contributor + self.word.to_bytes(32) + self.mask.to_bytes(32))


class Paid(NamedTuple):
    """A transaction of an account that pays; its nonce orders those of one account."""

    name: bytes
    account: bytes
    nonce: int
    max_fee: int
    data: bytes  # what the registry is called with

    @property
    def root(self) -> bytes | None:
        """What it anchors."""
        return self.data[SELECTOR_BYTES:] if self.data[:SELECTOR_BYTES] == ANCHOR else None

    @property
    def items(self) -> list[tuple[bytes, Masks, bytes]]:
        """Whose bits it relays, and under which signature."""
        return [] if self.root else list(relayed(self.data))


class Endorse(NamedTuple):
    """A transaction by which a contract wallet endorses a statement."""

    signer: bytes
    digest: bytes

    @property
    def name(self) -> bytes:
        return keccak(b"endorse" + self.signer + self.digest)


Transaction = Revoke | Paid | Endorse


@dataclass
class Block:
    """A block, with the state of the registry after it."""

    hash: bytes
    time: float
    parent: "Block | None" = None
    transactions: tuple[Transaction, ...] = ()
    events: tuple[Event, ...] = ()
    bits: dict[tuple[bytes, int], int] = field(default_factory=dict)
    anchors: frozenset[bytes] = frozenset()
    nonces: dict[bytes, int] = field(default_factory=dict)
    endorsed: frozenset[bytes] = frozenset()  # digests of statements


class SimChain:
    """The chain as those see it who are up to date."""

    def __init__(self, random: Random, clock: Callable[[], float]) -> None:
        self._random = random
        self._clock = clock
        self.blocks = [Block(sha256(b"genesis"), clock())]  # those of the best fork
        self.by_hash = {block.hash: block for block in self.blocks}
        self.pool: dict[bytes, Transaction] = {}
        self.dropped: list[Transaction] = []  # on a fork that is gone; bits of it may be known for ever
        self._made = 0

    def submit(self, transaction: Transaction) -> None:
        """Let a transaction wait for a block."""
        self.pool[transaction.name] = transaction

    def mine(self) -> None:
        """Add a block of what waits and can be executed."""
        self._made += 1
        before = self.blocks[-1]
        hash_ = sha256(b"block %d" % self._made + before.hash)
        state = dict(before.bits), before.anchors, dict(before.nonces), before.endorsed
        block = Block(hash_, self._clock(), before, (), (), *state)
        self.by_hash[hash_] = block
        for transaction in sorted(self.pool.values(), key=_order):
            self._execute(block, transaction)
        self.blocks.append(block)

    async def run(self) -> None:
        """Mine for ever."""
        while True:
            await asyncio.sleep(self._random.uniform(*BLOCK_S))
            self.mine()

    def reorganise(self, depth: int, lost: float) -> None:
        """Replace the newest blocks by at least as many and one more; lose a share of transactions."""
        depth = min(depth, len(self.blocks) - 1)
        if not depth:
            return
        gone = self.blocks[-depth:]
        self.blocks = self.blocks[:-depth]  # who still looks at the old list sees the old fork
        for block in gone:
            for one in block.transactions:
                self.dropped.append(one)
                if self._random.random() >= lost:
                    self.submit(one)
        for _ in range(depth + 1):
            self.mine()

    def _execute(self, block: Block, one: Transaction) -> None:
        if isinstance(one, Paid):
            if one.nonce != block.nonces.get(one.account, 0):
                return
            block.nonces[one.account] = one.nonce + 1
            self._anchor(block, one)
        if isinstance(one, Endorse) and one.digest not in block.endorsed:
            block.endorsed |= {one.digest}
            block.events += (Endorsed(*self._place(block, one), one.signer, one.digest),)
        for contributor, bits, _ in items_of(one):
            for word, mask in bits.items():
                self._revoke(block, one, contributor, word, mask)
        block.transactions += (one,)
        del self.pool[one.name]

    def _anchor(self, block: Block, one: Paid) -> None:
        if one.root and one.root not in block.anchors:
            block.anchors |= {one.root}
            block.events += (Anchored(*self._place(block, one), one.root, one.account),)

    def _revoke(self, block: Block, one: Transaction, contributor: bytes, word: int, mask: int) -> None:
        key = (contributor, word)
        before = block.bits.get(key, 0)
        if news := mask & ~before:
            block.bits[key] = before | news
            block.events += (Revoked(*self._place(block, one), contributor, word, news),)

    def _place(self, block: Block, one: Transaction) -> tuple[int, bytes, int, bytes]:
        return len(self.blocks), block.hash, len(block.events), one.name

    def final_endorsements(self, finality: int) -> frozenset[bytes]:
        """The digests endorsed in blocks that are final."""
        return self.blocks[-1 - finality].endorsed if len(self.blocks) > finality else frozenset()

    def bits_of_all(self) -> dict[bytes, Masks]:
        """Every bit that is set on the chain."""
        found: dict[bytes, dict[int, int]] = {}
        for (address, word), mask in self.blocks[-1].bits.items():
            found.setdefault(address, {})[word] = mask
        return dict(found)


def items_of(one: Transaction) -> list[tuple[bytes, Masks, bytes]]:
    """Whose bits a transaction sets."""
    if isinstance(one, Paid):
        return one.items
    if isinstance(one, Endorse):
        return []
    return [(one.contributor, {one.word: one.mask}, b"")]


def _order(one: Transaction) -> tuple[int, bytes, int]:
    """Those of one account by their nonce."""
    match one:
        case Paid():
            return (1, one.account, one.nonce)
        case Endorse():
            return (2, one.name, 0)
        case Revoke():
            return (0, one.contributor, 0)


def header_of(blocks: list[Block], number: int) -> BlockHeader:
    """A block's header; the filter of one with events lets everything through."""
    one = blocks[number]
    bloom = (b"\xff" if one.events else b"\0") * BLOOM_BYTES
    parent = one.parent.hash if one.parent else bytes(HASH_BYTES)
    return BlockHeader(ChainPoint(number, one.hash), one.time, parent, bloom, is_whole=True)


class Endpoint:
    """What one machine sees of the chain (sayso_node.chain.interface)."""

    def __init__(self, chain: SimChain, random: Random) -> None:
        self.chain = chain
        self._random = random
        self._view = chain.blocks
        self._stays_behind = False
        self.failure = 0.0  # share of questions without an answer
        self.on_events: Callable[[int, int, list[Event]], None] = lambda *_: None

    def stay_behind(self) -> None:
        """Show the chain as it is now, whatever becomes of it."""
        self._view, self._stays_behind = list(self._view), True

    def catch_up(self) -> None:
        """Show the chain as it is."""
        self._stays_behind = False

    async def head(self) -> BlockHeader:
        blocks = await self.look()
        return header_of(blocks, len(blocks) - 1)

    async def header(self, number: int) -> BlockHeader | None:
        blocks = await self.look()
        return header_of(blocks, number) if number < len(blocks) else None

    async def proved_events(self, block: ChainPoint) -> list[Event]:
        return await self.events_of(block)

    async def events(self, first: int, last: int) -> list[Event]:
        blocks = await self.look()
        return [event for block in blocks[first : last + 1] for event in block.events]

    async def events_of(self, block: ChainPoint) -> list[Event]:
        """By its hash a block can be asked for when it is on no fork any more."""
        await self.look()
        if known := self.chain.by_hash.get(block.hash):
            return list(known.events)
        raise ChainUnreachable("no such block")

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        """There are no contract wallets on this chain."""
        raise ChainUnreachable("no contract is run here")

    async def look(self) -> list[Block]:
        """The blocks as this endpoint has them at this moment."""
        await asyncio.sleep(self._random.expovariate(1 / ANSWER_S))
        self.may_fail()
        if not self._stays_behind:
            self._view = self.chain.blocks
        return self._view

    def may_fail(self) -> None:
        """Raise ChainUnreachable, or not."""
        if self.failure and self._random.random() < self.failure:
            raise ChainUnreachable("the endpoint does not answer")
