"""What the payer asks of each kind of work: when there is an intent, and what follows from it."""

from typing import Protocol

from sayso_node.chain.interface import Landed
from sayso_node.store.chain.intents import Intent
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.receipts.receipt import ChainPoint


class Work(Protocol):
    """Work makes one kind of intent and handles its outcome."""

    kind: str
    creates: bool  # whether its transactions create contracts instead of calling the registry

    async def make(self) -> bool:
        """Store the next intent if one is due; returns whether it did. Raises StoreUnusable."""
        ...

    def too_large(self) -> bool:
        """Make smaller intents, as the last exceeded a transaction or the budget; False if it cannot."""
        ...

    def landed(self, db: Writing, intent: Intent, landed: Landed, now: float) -> None:
        """Store what follows from an intent that is in a block, in the same transaction."""
        ...

    def seen(self, db: Reading, intent: Intent) -> ChainPoint | None:
        """Return the block in which the intent's effect was read from the chain; None if it was not."""
        ...

    def failed(self, db: Writing, intent: Intent, now: float) -> None:
        """Store what replaces an intent that can never take effect, in the same transaction."""
        ...
