"""Does what a walk finds: fetches what we lack at once, and offers what the peer lacks at the end.

A peer that lacks more than a few messages is left to start its own round, and they count as declined
by it. So they are not compared again in each round, and each is offered once its turn to be forgotten
comes.
"""

from collections.abc import Collection

from sayso_node.store.interface import Store
from sayso_node.sync.fetching import Fetching
from sayso_node.sync.learning import learn
from sayso_node.sync.memory import PeerMemory
from sayso_protocol.sync.findings import Finding
from sayso_protocol.sync.fingerprints import Entry

OFFERED_A_ROUND = 1_024  # entries offered in a walk at most


class Bringing:
    """The findings of one walk.

    Attributes:
        complete: Whether everything was fetched, and offered if it may be.
        stored: How many messages were stored.
    """

    def __init__(
        self,
        fetching: Fetching,
        store: Store,
        kind: int,
        memory: PeerMemory,
        salt: bytes,
        patience: int | None,
    ) -> None:
        self._fetching = fetching
        self._store = store
        self._kind = kind
        self._memory = memory
        self._salt = salt
        self._patience = patience
        self._ours: list[Entry] = []
        self._lacking = 0  # entries that the peer lacks
        self.complete = True

    @property
    def stored(self) -> int:
        """Return how many messages were stored."""
        return self._fetching.got.stored

    async def bring(self, found: Finding) -> Collection[bytes] | None:
        """Fetch what was found; returns the digests of what came, None if the walk should end."""
        self._note(found)
        fetching = self._fetching
        fetching.got.valid.clear()
        try:
            has_all = await fetching.get(found.wanted, self._patience)
        finally:  # what came of a peer that broke off is not fetched again
            learn(self._store, self._kind, self._salt, self._memory, found, fetching.got)
        self.complete &= has_all
        came = await fetching.get_whole(found.whole)
        for node in found.ranges:
            if not fetching.has_enough:
                await fetching.get_range(node)
        return came if has_all and not fetching.has_enough else None

    def _note(self, found: Finding) -> None:
        """Note what the peer lacks; with more than a few, it should start its own round."""
        if self._patience is not None:  # the peer also needs the consents first
            self.complete &= not found.ours
            return
        self._lacking += len(found.ours) + found.untold
        self._ours += found.ours
        if self._lacking > OFFERED_A_ROUND:
            for entry in self._ours:
                self._memory.remember(entry, -1)
            self._ours.clear()

    async def offer(self) -> int:
        """Offer what the peer lacks; returns how many messages it took."""
        refused = {one.id for one in await self._fetching.offer(self._ours)}
        for entry in self._ours:
            if entry.id in refused:
                self._memory.remember(entry, -1)
            else:
                self._memory.note_taken(entry)
        return len(self._ours) - len(refused)
