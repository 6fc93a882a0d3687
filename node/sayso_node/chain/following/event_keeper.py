"""Stores the registry's events that were read from the chain, each once."""

from collections.abc import Iterable

from sayso_contracts.registry.events import Anchored, Endorsed, Event, Revoked
from sayso_node.interfaces import Clock
from sayso_node.store.admission import revocations
from sayso_node.store.chain import archives, block_dates, chain_state, endorsements, relays
from sayso_node.store.interface import Writing
from sayso_node.supervision.counters import Counters


class EventKeeper:
    """Stores events in the caller's transaction."""

    def __init__(self, clock: Clock, counters: Counters) -> None:
        self._clock = clock
        self._counters = counters

    def keep(self, db: Writing, events: Iterable[Event]) -> bool:
        """Store events; returns whether any was new."""
        news = False
        for event in events:
            match event:
                case Revoked():
                    news |= self._revoked(db, event)
                case Anchored():
                    news |= self._anchored(db, event)
                case Endorsed():
                    news |= self._endorsed(db, event)
        return news

    def _revoked(self, db: Writing, event: Revoked) -> bool:
        bits = {event.word: event.bits}
        archives.want(db, event.block_number, event.block_hash)
        block_dates.want(db, event.block_number, event.block_hash)
        relays.seen(db, event.block_number, event.contributor, event.word, event.bits)
        is_new = revocations.add_chain_bits(db, event.contributor, bits, self._clock.now())
        self._counters.add("chain_revocations", int(is_new))
        return is_new

    def _anchored(self, db: Writing, event: Anchored) -> bool:
        place = (event.submitter, event.block_number, event.block_hash)
        is_new = chain_state.add_anchor(db, chain_state.Anchor(event.root, *place))
        self._counters.add("chain_anchors", int(is_new))
        return is_new

    def _endorsed(self, db: Writing, event: Endorsed) -> bool:
        is_new = endorsements.add(db, event.signer, event.digest, event.block_number)
        self._counters.add("chain_endorsements", int(is_new))
        return is_new
