"""Hands what a process beside a node takes in over to the node, through the outbox in the store."""

from collections.abc import Iterable, Sequence

from sayso_node.errors import GossipQueueFull
from sayso_node.intake.outcome import Outcome
from sayso_node.store.interface import Reading, Store, Writing
from sayso_node.store.sharing import outbox
from sayso_protocol.messages.envelope import Envelope, peek_kind
from sayso_protocol.messages.wire import TOPICS


class OutboxForwarder:
    """See Forwarder; the messages themselves are handed over by `keep`, as they are stored."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._has_room = True

    def keep(self, db: Writing, news: Sequence[Envelope], now: float) -> None:
        """Add messages to the outbox, in the transaction that stores them."""
        outbox.put(db, ((one.digest, TOPICS[one.message.kind].is_urgent) for one in news), now)

    def look(self, db: Reading) -> None:
        """Look whether the outbox has room."""
        self._has_room = outbox.has_room(db)

    def check_room(self, bundle: Sequence[bytes]) -> None:
        """See Forwarder."""
        kinds = [kind for one in bundle if (kind := peek_kind(one))]
        if not self._has_room and not any(TOPICS[kind].is_urgent for kind in kinds):
            raise GossipQueueFull("the node sends nothing on; nothing of this bundle was stored")

    def publish(self, outcomes: Iterable[Outcome]) -> None:
        """See Forwarder: they are in the outbox already."""

    def sent_to(self, envelope: bytes) -> int | None:  # noqa: ARG002 - only the node knows
        """See Forwarder."""
        return None
