"""Remembers the entries of a peer that differ from ours for a known reason.

A peer may store what we decline, and decline what we store. Both are remembered, so that each round
compares with the expected entries of the peer and finds only new differences. A wrong memory does no
harm: the node differs, is listed again, and is remembered anew.
"""

from collections.abc import Iterable, Sequence

from sayso_node.store import sync_entries, sync_index
from sayso_node.store.interface import Store
from sayso_protocol.sync.fingerprints import Entry, Sum, level_of, node_at, places_of, short_id
from sayso_protocol.sync.walk import Differences

REMEMBERED_DIFFERENCES = 32_768  # entries of a peer and kind; further ones are compared in each round


class PeerMemory:
    """The entries of one kind that one peer has besides ours, and those of ours that it lacks."""

    def __init__(self) -> None:
        self.declined: dict[bytes, Entry] = {}  # by us
        self.refused: dict[bytes, Entry] = {}  # by the peer

    def remember(self, held: dict[bytes, Entry], entry: Entry) -> None:
        """Remember an entry, if there is room."""
        if len(held) < REMEMBERED_DIFFERENCES:
            held[entry.id] = entry

    def forget_refused(self, node: int) -> None:
        """Forget declined entries in a node where the peer has changed, so they are offered again."""
        for entry in _within(self.refused.values(), node):
            del self.refused[entry.id]

    def forget_missed(self, marks: set[bytes]) -> None:
        """Forget declined messages whose marks make an address stale, so they are requested again."""
        for entry in list(self.declined.values()):
            if any(carrier[:8] in marks for carrier in entry.carriers):
                del self.declined[entry.id]


class ExpectedView:
    """The expected entries of the peer: the View of a walk (reconcile_walk.py)."""

    def __init__(self, store: Store, kind: int, memory: PeerMemory) -> None:
        self._store = store
        self._kind = kind
        self._memory = memory
        self.aside = PeerMemory()  # what was remembered of nodes that are being listed

    def sums(self, nodes: Sequence[int], step: int) -> list[Sum]:
        """See View."""
        with self._store.read() as db:
            found = sync_index.sums(db, self._kind, nodes, step)
        level = level_of(nodes[0]) + step
        at = {node: index << step for index, node in enumerate(nodes)}
        for held, sign in ((self._memory.declined, 1), (self._memory.refused, -1)):
            for entry in held.values():
                child = node_at(level, entry.place)
                start = at.get(child >> step)
                if start is not None:
                    index = start + child % (1 << step)
                    found[index] = found[index].plus(sign * int.from_bytes(entry.id), sign)
        return found

    def ids(self, node: int) -> list[bytes]:
        """See View."""
        with self._store.read() as db:
            held = {one.id for one in sync_entries.entries(db, self._kind, node)}
        extra = {one.id for one in _within(self._memory.declined.values(), node)}
        return list((held - self._memory.refused.keys()) | extra)

    def entries(self, node: int) -> list[Entry]:
        """See View; what was remembered of this node is set aside and learnt again."""
        for held, aside in (
            (self._memory.declined, self.aside.declined),
            (self._memory.refused, self.aside.refused),
        ):
            for entry in _within(held.values(), node):
                aside[entry.id] = held.pop(entry.id)
        with self._store.read() as db:
            return sync_entries.entries(db, self._kind, node)

    def not_declined(self, salt: bytes, found: Differences) -> dict[int, list[bytes]]:
        """Return what a walk wants, without messages that we had and declined before."""
        known = {short_id(salt, one) for entry in self.aside.declined.values() for one in entry.carriers}
        wanted = ((node, [one for one in ids if one not in known]) for node, ids in found.wanted.items())
        return {node: ids for node, ids in wanted if ids}


def _within(entries: Iterable[Entry], node: int) -> list[Entry]:
    first, end = places_of(node)
    return [one for one in entries if first <= one.place < end]
