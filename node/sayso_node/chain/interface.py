"""What the chain parts ask of an Ethereum endpoint; a test or the simulation passes in another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sayso_contracts.events import Event
from sayso_contracts.transactions import Fees, SignedTransaction
from sayso_node.freshness import ChainHead
from sayso_protocol.receipts.receipt import ChainPoint


class Chain(Protocol):
    """Chain reads blocks and the registry's events.

    Every method raises ChainUnreachable when the endpoint fails or answers nonsense.
    """

    async def head(self) -> ChainHead:
        """The newest block."""
        ...

    async def block_hash(self, number: int) -> bytes | None:
        """The hash of the block at a height, or None above the head."""
        ...

    async def events(self, first: int, last: int) -> list[Event]:
        """The registry's events in a range of blocks, both ends included, in order.

        Raises RangeRefused also, when the endpoint does not answer for so many.
        """
        ...

    async def events_of(self, block: ChainPoint) -> list[Event]:
        """The registry's events in one block, named by its hash, in order."""
        ...


@dataclass(frozen=True)
class Landed:
    """A transaction that is in a block.

    Attributes:
        block: Which.
        ok: Whether it took effect, rather than being reverted.
        cost: What it cost, in wei.
        logs: As eth_getTransactionReceipt answers them.
    """

    block: ChainPoint
    ok: bool
    cost: int
    logs: Sequence[Mapping[str, Any]]


class Account(Protocol):
    """Account is the one that pays, and the way its transactions take to the chain.

    Every method raises ChainUnreachable when the endpoint fails, refuses or answers nonsense.
    """

    async def head(self) -> ChainHead:
        """The newest block."""
        ...

    async def used_nonces(self, at: int | None = None) -> int:
        """How many nonces are used by blocks up to this height, or by all."""
        ...

    async def pending_nonces(self) -> int:
        """How many are used by blocks and by what the endpoint's pool holds."""
        ...

    async def balance(self) -> int:
        """Wei that it has."""
        ...

    async def suggest_fees(self) -> Fees:
        """What an endpoint would offer now."""
        ...

    async def has_code(self, address: bytes) -> bool:
        """Whether there is a contract at an address, after the newest block."""
        ...

    async def estimate(self, data: bytes, *, creates: bool = False) -> int:
        """Gas for this call of the registry, or this contract creation, with a margin.

        Raises also TransactionTooLarge, and CallReverted for a creation that would fail.
        """
        ...

    async def sign(
        self, data: bytes, nonce: int, gas: int, fees: Fees, *, creates: bool = False
    ) -> SignedTransaction:
        """A signed transaction that calls the registry, or creates a contract; not sent."""
        ...

    async def knows(self, tx_hash: bytes) -> bool:
        """Whether the endpoint has this transaction, in its pool or in a block."""
        ...

    async def send(self, raw_transaction: bytes) -> None:
        """Broadcast a transaction; again is harmless."""
        ...

    async def landed(self, tx_hash: bytes) -> Landed | None:
        """Where a transaction is, or None if it is in no block."""
        ...
