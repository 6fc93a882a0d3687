"""What the chain parts ask of an Ethereum endpoint; a test or the simulation passes in another."""

from typing import Protocol

from sayso_contracts.events import Event
from sayso_node.freshness import ChainHead


class Chain(Protocol):
    """Chain reads the registry's events and carries anchor transactions.

    Every method raises ChainUnreachable when the endpoint fails or answers nonsense.
    """

    async def head(self) -> ChainHead:
        """The newest block."""
        ...

    async def block_hash(self, number: int) -> bytes | None:
        """The hash of the block at a height, or None above the head."""
        ...

    async def events(self, first: int, last: int) -> list[Event]:
        """The registry's events in a range of blocks, both ends included, in order."""
        ...

    async def sign_anchor(self, root: bytes) -> bytes:
        """A signed transaction that anchors a root, not sent yet."""
        ...

    async def send(self, raw_transaction: bytes) -> bool:
        """Broadcast a transaction unless the endpoint has it; True if it was broadcast now."""
        ...
