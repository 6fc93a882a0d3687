"""A chain in memory that a test mines, forks and breaks block by block.

chain = FakeChain()
chain.mine(revoked(ADA, word=7, bits=1))
chain.drop(1)  # a reorganisation: the next block will have another hash

An account of fake_account.py puts its transactions into the blocks that are mined.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sayso_contracts.registry.events import (
    ANCHORED_TOPIC,
    ENDORSED_TOPIC,
    REVOKED_TOPIC,
    Anchored,
    Endorsed,
    Event,
    Revoked,
)
from sayso_node.chain.interface import BlockHeader
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.errors import ChainUnreachable, ProofUnavailable
from sayso_protocol.ethereum.blooms import bloom_of
from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.protocol_strategies import NETWORK

REGISTRY = NETWORK.registry
SUBMITTER = b"\x5b" * 20
_NOWHERE = (0, bytes(HASH_BYTES), 0, bytes(HASH_BYTES))
Trouble = Callable[[str, int], None]  # (method, how many calls of any method came before)


def revoked(contributor: bytes, word: int, bits: int) -> Revoked:
    """An event that gets its place when it is mined."""
    return Revoked(*_NOWHERE, contributor, word, bits)


def anchored(root: bytes) -> Anchored:
    """An event that gets its place when it is mined."""
    return Anchored(*_NOWHERE, root, SUBMITTER)


def endorsed(signer: bytes, digest: bytes) -> Endorsed:
    """An event that gets its place when it is mined."""
    return Endorsed(*_NOWHERE, signer, digest)


@dataclass
class Block:
    hash: bytes
    time: float
    logs_from: float = float("-inf")  # when an index of the endpoint has its events
    is_left_out: bool = False  # of the logs, for good
    events: list[Event] = field(default_factory=list)


class FakeChain:
    """See sayso_node.chain.interface.Chain; `trouble` runs before each answer and may raise."""

    def __init__(self, time: float = 1_750_000_000.0) -> None:
        self.time = time
        self.late_s = 0.0  # how long the logs of new blocks take to come
        self.now: Callable[[], float] = lambda: self.time
        self.blocks = [Block(sha256(b"genesis"), time)]
        self.has_receipts = True
        self.has_whole_headers = True
        self.trouble: Trouble = lambda _method, _calls: None
        self.calls: list[str] = []
        self.ranges: list[tuple[int, int]] = []
        self.transactions: list[Callable[[int], list[Event]]] = []
        self.dropped: list[Callable[[int], None]] = []
        self.links: tuple[JsonRpc, ...] = ()
        self._forks = 0

    def mine(self, *events: Event) -> Block:
        """Add a block with these events and the transactions that wait."""
        number = len(self.blocks)
        name = f"{self._forks} {number}".encode() + self.blocks[-1].hash
        block = Block(sha256(name), self.time, self.now() + self.late_s)
        more = [event for account in self.transactions for event in account(number)]
        for index, event in enumerate([*events, *more]):
            place = {"block_number": number, "block_hash": block.hash, "log_index": index}
            block.events.append(replace(event, **place))  # type: ignore[arg-type]
        self.blocks.append(block)
        return block

    def drop(self, count: int) -> None:
        """Forget the newest blocks."""
        self._forks += 1
        left = len(self.blocks) - count
        del self.blocks[left:]
        for account in self.dropped:
            account(left)

    async def close(self) -> None:
        """Nothing is open."""

    async def head(self) -> BlockHeader:
        self._called("head")
        return self._header(len(self.blocks) - 1)

    async def header(self, number: int) -> BlockHeader | None:
        self._called("header")
        return self._header(number) if number < len(self.blocks) else None

    def _header(self, number: int) -> BlockHeader:
        block = self.blocks[number]
        parent = self.blocks[number - 1].hash if number else bytes(HASH_BYTES)
        names = [value for event in block.events for value in (REGISTRY, *_topics(event))]
        point = ChainPoint(number, block.hash)
        return BlockHeader(point, block.time, parent, bloom_of(*names), self.has_whole_headers)

    async def proved_events(self, block: ChainPoint) -> list[Event]:
        self._called("proved_events")
        if not self.has_receipts or self.blocks[block.number].hash != block.hash:
            raise ProofUnavailable("no receipts of such a block")
        return list(self.blocks[block.number].events)

    async def events(self, first: int, last: int) -> list[Event]:
        self._called("events")
        self.ranges.append((first, last))
        return [event for block in self.blocks[first : last + 1] for event in self._logs(block)]

    async def events_of(self, block: ChainPoint) -> list[Event]:
        self._called("events_of")
        if block.number >= len(self.blocks) or self.blocks[block.number].hash != block.hash:
            raise ChainUnreachable("no such block")
        return self._logs(self.blocks[block.number])

    def _logs(self, block: Block) -> list[Event]:
        if block.is_left_out or block.logs_from > self.now():
            return []
        return list(block.events)

    def _called(self, method: str) -> None:
        self.trouble(method, len(self.calls))
        self.calls.append(method)


def _topics(event: Event) -> tuple[bytes, ...]:
    if isinstance(event, Revoked):
        return (REVOKED_TOPIC, event.contributor.rjust(HASH_BYTES, b"\0"))
    if isinstance(event, Endorsed):
        return (ENDORSED_TOPIC, event.signer.rjust(HASH_BYTES, b"\0"), event.digest)
    return (ANCHORED_TOPIC, event.root, SUBMITTER.rjust(HASH_BYTES, b"\0"))


def unreachable(*methods: str) -> Trouble:
    """An endpoint that does not answer these methods."""

    def trouble(method: str, _calls: int) -> None:
        if method in methods:
            raise ChainUnreachable(f"{method} failed")

    return trouble
