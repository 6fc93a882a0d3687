"""How a walk finds the entries that differ in given nodes: by cells, by lists, or as a side has none.

What was found is brought to the driver of the walk at once (findings.py), before anything else is asked.
"""

from collections.abc import Collection, Generator, Sequence
from typing import Any

from sayso_protocol.sync.answers import LISTED, Listed, decode_cells, decode_lists
from sayso_protocol.sync.findings import Differing, Finding, View
from sayso_protocol.sync.fingerprints import (
    NODES,
    PLACE_BITS,
    Entry,
    digest_entry,
    fingerprint,
    level_of,
    lone,
    node_at,
    short_id,
)
from sayso_protocol.sync.requests import CellsRequest, ListRequest, Request
from sayso_protocol.sync.sets import set_of

BUDGET = 131_072  # nodes requested in a walk
LAST = PLACE_BITS - 1  # level of the deepest nodes

Asking = Generator[Request | Finding, Any, list[int]]


class Solving:
    """Finds differing entries, within the budget of one walk."""

    def __init__(self, view: View, kind: int, salt: bytes) -> None:
        self._view = view
        self._kind = kind
        self._set = set_of(kind)
        self._salt = salt
        self._asked = 0
        self._touched: list[int] = []  # nodes in which something differed
        self._found = Finding()
        self.complete = True

    def _single(self, differing: Sequence[Differing]) -> Asking:
        """Find nodes with just one difference by their cells; return those that have more."""
        unsolved = list[int]()
        for start in range(0, len(differing), NODES):
            part = differing[start : start + NODES]
            if not self._may_ask(part):
                return []
            nodes = tuple(one.node for one in part)
            cells = decode_cells((yield CellsRequest(self._kind, nodes)), len(nodes))
            left = [one for one, cell in zip(part, cells, strict=True) if not self._is_solved(one, cell)]
            came = yield from self._bring()
            within: dict[int, list[Entry]] = {}
            for entry in map(digest_entry, came):
                within.setdefault(node_at(level_of(nodes[0]), entry.place), []).append(entry)
            for one in left:
                if any(self._explains(one, entry, 1) for entry in within.get(one.node, ())):
                    self._touched.append(one.node)
                else:
                    unsolved.append(one.node)
        return unsolved

    def _is_solved(self, one: Differing, cell: bytes) -> bool:
        """Note what a cell shows; returns whether this node holds the entry that differs.

        It may hold one that it expected only here, or expected at the peer beside its own (11.11.1).
        """
        sign, nodes = lone(one.node, cell, one.own)
        for small in nodes if sign else ():
            for entry in self._view.held(small):
                if self._explains(one, entry, sign):
                    self._touched.append(one.node)
                    if sign < 0:
                        self._found.ours.append(entry)
                    else:
                        self._view.forget(small)  # it was wrongly remembered
                    return True
        if sign > 0:
            self._found.whole += nodes
        return False

    def _explains(self, one: Differing, entry: Entry, sign: int) -> bool:
        after = one.own.plus(sign * int.from_bytes(entry.id), sign)
        return fingerprint(self._salt, after) == one.theirs

    def _list(self, nodes: Sequence[int]) -> Asking:
        """List nodes, and return the nodes with too many entries."""
        large: list[int] = []
        for start in range(0, len(nodes), NODES):
            rest = nodes[start : start + NODES]
            if not self._may_ask(rest):
                return []
            while rest:
                answer = yield ListRequest(self._kind, self._salt, tuple(rest))
                lists = decode_lists(answer, self._kind, len(rest))
                for node, theirs in zip(rest, lists, strict=False):
                    if theirs is not None:
                        self._note(node, theirs)
                    elif level_of(node) < LAST:
                        large.append(node)
                    else:
                        self.complete = False  # no honest peer has so many entries in two places
                rest = rest[len(lists) :]
                yield from self._bring()
        return large

    def _note(self, node: int, theirs: Sequence[Listed]) -> None:
        """Record the differences in a list."""
        self._view.forget(node)
        ours = {short_id(self._salt, one.id): one for one in self._view.held(node)}
        held = {short_id(self._salt, name) for one in ours.values() for name in one.carriers}
        given = {one.entry for one in theirs}
        lacking = [one for one in theirs if one.entry not in ours]
        self._touched.append(node)
        self._found.theirs += [(node, one) for one in lacking]
        named = {name for one in theirs for name in one.carriers}
        self._found.ours += [self._without(one, named) for s, one in ours.items() if s not in given]
        wanted = dict.fromkeys(name for one in lacking for name in one.carriers if name not in held)
        if wanted:
            self._found.wanted[node] = list(wanted)

    def _note_alone(self, one: Differing) -> None:
        """Record a node in which the peer has no entries; of many entries, only the number."""
        self._touched.append(one.node)
        if one.own.size <= LISTED:
            self._view.forget(one.node)
            self._found.ours += self._view.held(one.node)
        else:
            self._found.untold += one.own.size

    def _without(self, entry: Entry, named: set[bytes]) -> Entry:
        """Return an entry without the carriers that the peer has."""
        carriers = (one for one in entry.carriers if short_id(self._salt, one) not in named)
        return entry._replace(carriers=tuple(carriers))

    def _bring(self) -> Generator[Finding, Any, Collection[bytes]]:
        """Have what was found fetched, and return the digests of what came."""
        found, self._found = self._found, Finding()
        if found == Finding():
            return ()
        digests: Collection[bytes] | None = yield found
        self.complete &= digests is not None
        return digests or ()

    def _may_ask(self, nodes: Sequence[object]) -> bool:
        """Count nodes that are to be requested; False if the walk has requested enough."""
        self.complete &= self._asked < BUDGET
        self._asked += len(nodes)
        return self.complete
