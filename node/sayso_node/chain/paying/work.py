"""What the payer asks of each kind of work: when there is an intent, and what follows from it."""

from abc import ABC, abstractmethod
from typing import ClassVar

from sayso_node.chain.interface import Landed
from sayso_node.store.chain.intents import Intent
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.receipts.receipt import ChainPoint


class Work(ABC):
    """Work makes one kind of intent and handles its outcome, of which nothing follows by default."""

    kind: ClassVar[str]
    creates: ClassVar[bool] = False  # whether its transactions create contracts, or call the registry

    @abstractmethod
    async def make(self) -> bool:
        """Store the next intent if one is due; returns whether it did. Raises StoreUnusable."""

    def too_large(self) -> bool:
        """Make smaller intents, as the last exceeded a transaction or the budget; False if it cannot."""
        return False

    def landed(  # noqa: B027 - most works have nothing to do
        self, db: Writing, intent: Intent, landed: Landed, now: float
    ) -> None:
        """Store what follows from an intent that is in a block, in the same transaction."""

    def seen(self, db: Reading, intent: Intent) -> ChainPoint | None:  # noqa: ARG002
        """Return the block in which the intent's effect was read from the chain; None if it was not."""
        return None

    def failed(self, db: Writing, intent: Intent, now: float) -> None:  # noqa: B027 - likewise
        """Store what replaces an intent that can never take effect, in the same transaction."""
