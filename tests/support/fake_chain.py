"""A chain in memory that a test mines, forks and breaks block by block.

chain = FakeChain()
chain.mine(revoked(ADA, word=7, bits=1))
chain.drop(1)  # a reorganisation: the next block will have another hash
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sayso_contracts.events import Anchored, Event, Revoked
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead
from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.receipts import ChainPoint

SUBMITTER = b"\x5b" * 20
_NOWHERE = (0, bytes(HASH_BYTES), 0, bytes(HASH_BYTES))
_NONCE_BYTES = 4
Trouble = Callable[[str, int], None]  # (method, how many calls of any method came before)


def revoked(contributor: bytes, word: int, bits: int) -> Revoked:
    """An event that gets its place when it is mined."""
    return Revoked(*_NOWHERE, contributor, word, bits)


def anchored(root: bytes) -> Anchored:
    """An event that gets its place when it is mined."""
    return Anchored(*_NOWHERE, root, SUBMITTER)


@dataclass
class Block:
    hash: bytes
    time: float
    events: list[Event] = field(default_factory=list)


class FakeChain:
    """See sayso_node.chain.interface.Chain; `trouble` runs before each answer and may raise."""

    def __init__(self, time: float = 1_750_000_000.0) -> None:
        self.time = time
        self.blocks = [Block(sha256(b"genesis"), time)]
        self.trouble: Trouble = lambda _method, _calls: None
        self.calls: list[str] = []
        self.ranges: list[tuple[int, int]] = []
        self.pool: list[bytes] = []  # known transactions, mined or not
        self.mined: set[bytes] = set()
        self.broadcasts: list[bytes] = []
        self.signatures = 0
        self._forks = 0

    def mine(self, *events: Event) -> Block:
        """Add a block with these events and the transactions that wait."""
        number = len(self.blocks)
        name = f"{self._forks} {number}".encode() + self.blocks[-1].hash
        block = Block(sha256(name), self.time)
        waiting = [raw for raw in self.pool if raw not in self.mined]
        self.mined.update(waiting)
        for index, event in enumerate([*events, *(anchored(raw[_NONCE_BYTES:]) for raw in waiting)]):
            place = {"block_number": number, "block_hash": block.hash, "log_index": index}
            block.events.append(replace(event, **place))  # type: ignore[arg-type]
        self.blocks.append(block)
        return block

    def drop(self, count: int) -> None:
        """Forget the newest blocks; their transactions wait again."""
        self._forks += 1
        left = len(self.blocks) - count
        for block in self.blocks[left:]:
            roots = {event.root for event in block.events if isinstance(event, Anchored)}
            self.mined = {raw for raw in self.mined if raw[_NONCE_BYTES:] not in roots}
        del self.blocks[left:]

    async def close(self) -> None:
        """Nothing is open."""

    async def head(self) -> ChainHead:
        self._called("head")
        block = self.blocks[-1]
        return ChainHead(ChainPoint(len(self.blocks) - 1, block.hash), block.time)

    async def block_hash(self, number: int) -> bytes | None:
        self._called("block_hash")
        return self.blocks[number].hash if number < len(self.blocks) else None

    async def events(self, first: int, last: int) -> list[Event]:
        self._called("events")
        self.ranges.append((first, last))
        return [event for block in self.blocks[first : last + 1] for event in block.events]

    async def sign_anchor(self, root: bytes) -> bytes:
        """The nonce is the number of known transactions, as an endpoint counts pending ones."""
        self._called("sign_anchor")
        self.signatures += 1
        return len(self.pool).to_bytes(_NONCE_BYTES) + root

    async def send(self, raw_transaction: bytes) -> bool:
        self._called("send")
        if raw_transaction in self.pool:
            return False
        if int.from_bytes(raw_transaction[:_NONCE_BYTES]) != len(self.pool):
            raise ChainUnreachable("nonce too low or too high")
        self.pool.append(raw_transaction)
        self.broadcasts.append(raw_transaction)
        return True

    def _called(self, method: str) -> None:
        self.trouble(method, len(self.calls))
        self.calls.append(method)


def unreachable(*methods: str) -> Trouble:
    """An endpoint that does not answer these methods."""

    def trouble(method: str, _calls: int) -> None:
        if method in methods:
            raise ChainUnreachable(f"{method} failed")

    return trouble
