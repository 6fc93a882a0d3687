"""Interfaces to an Ethereum endpoint; tests and the simulation pass in their own implementations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sayso_contracts.registry.events import Event
from sayso_contracts.transactions import Fees, SignedTransaction
from sayso_node.freshness import ChainHead
from sayso_protocol.receipts.receipt import ChainPoint


@dataclass(frozen=True)
class BlockHeader(ChainHead):
    """A block with what its header says.

    Attributes:
        parent: The hash of the block before, 32 bytes.
        bloom: The filter of its events (sayso_protocol.ethereum.blooms), 256 bytes.
        is_whole: Whether its fields give the block's hash, so that they are what the hash stands for.
    """

    parent: bytes
    bloom: bytes
    is_whole: bool


class Chain(Protocol):
    """Chain reads blocks and the registry's events.

    Each method raises ChainUnreachable when the endpoint fails or its answer makes no sense.
    """

    async def head(self) -> BlockHeader:
        """Return the newest block."""
        ...

    async def header(self, number: int) -> BlockHeader | None:
        """Return the block at a height, or None above the head."""
        ...

    async def events(self, first: int, last: int) -> list[Event]:
        """Return the registry's events in a range of blocks, both ends included, in order.

        Also raises RangeRefused, when the endpoint refuses so many blocks.
        """
        ...

    async def events_of(self, block: ChainPoint) -> list[Event]:
        """Return the registry's events in one block, named by its hash, in order."""
        ...

    async def proved_events(self, block: ChainPoint) -> list[Event]:
        """Return the same from the block's transaction receipts, which its hash proves.

        Also raises ProofUnavailable.
        """
        ...


@dataclass(frozen=True)
class Landed:
    """A transaction that is in a block.

    Attributes:
        block: The block.
        ok: Whether it took effect; False if it was reverted.
        cost: Its cost in wei.
        logs: The logs as eth_getTransactionReceipt returns them.
    """

    block: ChainPoint
    ok: bool
    cost: int
    logs: Sequence[Mapping[str, Any]]


class Account(Protocol):
    """Account is the paying account, with the means to send its transactions.

    Each method raises ChainUnreachable when the endpoint fails, refuses or its answer makes no sense.
    """

    async def head(self) -> ChainHead:
        """Return the newest block."""
        ...

    async def used_nonces(self, at: int | None = None) -> int:
        """Return how many nonces are used by blocks up to this height, or by all blocks."""
        ...

    async def pending_nonces(self) -> int:
        """Return how many nonces are used by blocks and by the endpoint's pool."""
        ...

    async def balance(self) -> int:
        """Return the balance in wei."""
        ...

    async def suggest_fees(self) -> Fees:
        """Return the fees that an endpoint suggests now."""
        ...

    async def has_code(self, address: bytes) -> bool:
        """Return whether an address has code, after the newest block."""
        ...

    async def estimate(self, data: bytes, *, creates: bool = False) -> int:
        """Return the gas for this call of the registry, or this contract creation, with a margin.

        Also raises TransactionTooLarge, and CallReverted for a creation that would fail.
        """
        ...

    async def data_fee(self, data: bytes) -> int:
        """Return the highest cost in wei of publishing this data on another chain, 0 where none does."""
        ...

    async def sign(
        self, data: bytes, nonce: int, gas: int, fees: Fees, *, creates: bool = False
    ) -> SignedTransaction:
        """Sign a transaction that calls the registry or creates a contract; it is not sent."""
        ...

    async def knows(self, tx_hash: bytes) -> bool:
        """Return whether the endpoint has this transaction, in its pool or in a block."""
        ...

    async def is_mined(self, tx_hash: bytes) -> bool:
        """Return whether the endpoint has this transaction in a block, with or without a receipt."""
        ...

    async def send(self, raw_transaction: bytes) -> None:
        """Broadcast a transaction; repeating it changes nothing."""
        ...

    async def landed(self, tx_hash: bytes) -> Landed | None:
        """Return the block of a transaction with its outcome, or None if it is in no block."""
        ...
