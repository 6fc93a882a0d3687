"""Remembers which entries of a peer differ from ours for a known reason (rule 11.11).

A peer may store what we decline, and decline what we store. Neither is remembered one by one: what is
kept are sums over nodes of the tree, which are added to our own sums, so that a walk finds only new
differences. While there are few, each has a node of its own. When there are too many, nodes are joined,
and a new difference in a joined node brings back the few that are declined there: it is opened, compared
entry by entry, and learnt again. So a wrong memory does no harm, and any number of entries is remembered
in bounded room.
"""

from bisect import bisect_left
from collections.abc import Sequence

from cachetools import FIFOCache

from sayso_node.store.interface import Store
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_protocol.sync.fingerprints import (
    CELL_LEVEL,
    PLACE_BITS,
    Entry,
    Sum,
    level_of,
    node_at,
    places_of,
)

REMEMBERED_NODES = 16_384  # of a peer and kind; with more, neighbours are joined
REMEMBERED_MARKS = 16_384  # declined messages of a peer whose loss is noticed one by one
REMEMBERED_TAKEN = 1_024  # entries that a peer took last
RELEARN_S = 3_600.0  # in this time everything is forgotten once, a part after the other
PORTION = 256  # entries forgotten at once, at most
_FINEST = PLACE_BITS - 1
_MARK_BYTES = 8

_Declined = tuple[int, int]  # sum and count: what the peer has besides ours, less what it lacks


class PeerMemory:
    """The declined entries of one kind, ours and one peer's, as sums.

    Attributes:
        level: The level of the nodes.
        sums: By node.
    """

    def __init__(self, now: float) -> None:
        self.level = _FINEST
        self.sums: dict[int, _Declined] = {}
        self._taken: FIFOCache[bytes, None] = FIFOCache(REMEMBERED_TAKEN)
        self._marks: dict[bytes, int] = {}  # the beginning of a declined message's digest -> its place
        self._cleared_at = now - RELEARN_S
        self._forgotten_at = now
        self._forgotten = 0  # place up to which this turn has forgotten

    def remember(self, entry: Entry, sign: int) -> None:
        """Remember an entry: 1 for one that we declined, -1 for one that the peer declined."""
        self._add(node_at(self.level, entry.place), sign * int.from_bytes(entry.id), sign)
        for digest in entry.carriers if sign > 0 else ():
            if len(self._marks) < REMEMBERED_MARKS:
                self._marks[digest[:_MARK_BYTES]] = entry.place
        while len(self.sums) > REMEMBERED_NODES:
            self._join(min(self.level - 1, CELL_LEVEL))

    def note_taken(self, entry: Entry) -> None:
        """Note that the peer took an entry; if it took it before, it was wrongly remembered."""
        if entry.id in self._taken:
            self.forget(node_at(_FINEST, entry.place))
        self._taken[entry.id] = None

    def forget(self, node: int) -> None:
        """Forget what is remembered in a node, and around it if nodes were joined."""
        up = level_of(node) - self.level
        if up >= 0:
            self.sums.pop(node >> up, None)
        else:
            for one in [one for one in self.sums if one >> -up == node]:
                del self.sums[one]

    def forget_missed(self, marks: set[bytes], now: float) -> None:
        """Forget declined messages whose marks make an address stale, so they are requested again.

        If there are more messages than are known by their marks, all are forgotten, once in RELEARN_S.
        """
        known = marks & self._marks.keys()
        for mark in known:
            self.forget(node_at(_FINEST, self._marks.pop(mark)))
        is_full = len(self._marks) + len(known) >= REMEMBERED_MARKS
        if is_full and known < marks and abs(now - self._cleared_at) >= RELEARN_S:
            self.sums.clear()
            self._marks.clear()
            self._cleared_at = now

    def forget_in_turn(self, now: float) -> None:
        """Forget the part whose turn it is; all of it in RELEARN_S, if the portions are large enough."""
        due = len(self.sums) * abs(now - self._forgotten_at) / RELEARN_S  # also if it was set back
        if due < 1:
            self._forgotten_at = self._forgotten_at if self.sums else now
            return
        self._forgotten_at = now
        nodes = sorted(self.sums)
        start = bisect_left(nodes, node_at(self.level, self._forgotten))
        entries = 0
        for node in (nodes[start:] + nodes[:start])[: int(due)]:
            entries += max(1, abs(self.sums[node][1]))
            if entries > PORTION:
                break
            del self.sums[node]
            self._forgotten = places_of(node)[1] % (1 << PLACE_BITS)
        if not self.sums:
            self.level = _FINEST

    def _add(self, node: int, total: int, size: int) -> None:
        before, count = self.sums.get(node, (0, 0))
        self.sums[node] = before + total, count + size
        if self.sums[node] == (0, 0):
            del self.sums[node]

    def _join(self, level: int) -> None:
        before, up = self.sums, self.level - level
        self.sums, self.level = {}, level
        for node, (total, size) in before.items():
            self._add(node >> up, total, size)


class ExpectedView:
    """The expected entries of the peer: the View of a walk (sync/findings.py)."""

    def __init__(self, store: Store, kind: int, memory: PeerMemory) -> None:
        self._store = store
        self._kind = kind
        self._memory = memory
        # As it was when the walk began: what is learnt meanwhile is in nodes that the walk has left.
        self._declined = sorted(memory.sums.items())
        self._places = [places_of(node)[0] for node, _ in self._declined]
        self.grain = memory.level

    def sums(self, nodes: Sequence[int], step: int) -> list[Sum]:
        """See View; what was declined in these nodes is forgotten below the grain, or if it is wrong.

        An entry that the peer declined may have gone since: a statement that has ended, or a consent
        that left the strangers' pool. Then more would be subtracted than there is.
        """
        with self._store.read() as db:
            found = sync_index.sums(db, self._kind, nodes, step)
        level = level_of(nodes[0]) + step
        for index, node in enumerate(nodes):
            low, high = self._within(node)
            if level > self.grain:
                self.forget(node)
                continue
            for place, (one, added) in zip(
                self._places[low:high], self._declined[low:high], strict=True
            ):
                child = (index << step) + node_at(level, place) - (node << step)
                if (expected := found[child].plus(*added)).size < 0:
                    self._memory.forget(one)
                else:
                    found[child] = expected
        return found

    def ids(self, node: int) -> list[bytes] | None:
        """See View."""
        low, high = self._within(node)
        if low < high:
            return None
        with self._store.read() as db:
            return [one for _, one in sync_entries.ids(db, self._kind, node)]

    def forget(self, node: int) -> None:
        """See View; what was declined there is learnt again."""
        low, high = self._within(node)
        for one, _ in self._declined[low:high]:
            self._memory.forget(one)

    def held(self, node: int) -> list[Entry]:
        """See View."""
        with self._store.read() as db:
            return sync_entries.entries(db, self._kind, node)

    def _within(self, node: int) -> tuple[int, int]:
        """Return which of the declined are in a node, or in one that contains it."""
        first, end = places_of(node)
        grain = PLACE_BITS - self.grain
        return bisect_left(self._places, first >> grain << grain), bisect_left(self._places, end)
