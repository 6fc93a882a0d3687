"""The descent of a requester to the differences, as a generator of requests.

    walk = differences(view, kind, salt, draw)
    request = next(walk)                    # send to the peer
    request = walk.send(answer)             # until StopIteration, whose value holds the differences

Rule 11.10: large steps cost fewer requests, and serve for few differences; small steps cost fewer bytes,
and serve for many. A walk requests a bounded number of nodes, whatever the peer answers, and the next
walk continues.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from sayso_protocol.sync.answers import LISTED, Listed, decode_check, decode_fingerprints, decode_lists
from sayso_protocol.sync.fingerprints import (
    EMPTY,
    NODES,
    PLACE_BITS,
    ROOT,
    Entry,
    Sum,
    check_of,
    fingerprint,
    level_of,
    node_at,
    places_of,
    short_id,
    sum_of,
)
from sayso_protocol.sync.requests import (
    MAX_STEP,
    CheckRequest,
    FingerprintsRequest,
    ListRequest,
    Request,
)
from sayso_protocol.sync.sets import set_of

FEW = 64  # differing nodes; with more, bytes matter more than requests
STEP = 2  # levels in a step with many differing nodes
LEAF, LEAF_OF_MANY = 32, 6  # most own entries in a node that is listed instead of split
RANGE_LEVEL = 8  # deepest level at which a node without own entries is fetched whole
CHECKED = 4_096  # entries in the check of a round
BUDGET = 131_072  # nodes requested in a walk

Asking = Generator[Request, bytes, "list[int]"]


class View(Protocol):
    """View is a node's own entries, as they are compared with one peer."""

    def sums(self, nodes: Sequence[int], step: int) -> list[Sum]:
        """Return the sums of all nodes `step` levels below some nodes, in order."""
        ...

    def ids(self, node: int) -> list[bytes]:
        """Return the ids of all entries in a node that `sums` counts."""
        ...

    def entries(self, node: int) -> list[Entry]:
        """Return all entries that this node holds in a node of the tree, declined messages included."""
        ...


@dataclass
class Differences:
    """Differences holds the results of a walk.

    Attributes:
        wanted: Node -> short ids of the messages that this node lacks.
        theirs: Entries that only the peer has, with their node.
        ours: Entries that only this node has.
        ranges: Nodes in which only the peer has entries.
        listed: Nodes that were compared entry by entry.
        untold: The number of further entries that the peer lacks, beside `ours`.
        forged: Whether the peer forged a sum (rule 11.6.3).
        complete: Whether everything was compared.
    """

    wanted: dict[int, list[bytes]] = field(default_factory=dict)
    theirs: list[tuple[int, Listed]] = field(default_factory=list)
    ours: list[Entry] = field(default_factory=list)
    ranges: list[int] = field(default_factory=list)
    listed: list[int] = field(default_factory=list)
    untold: int = 0
    forged: bool = False
    complete: bool = True


def differences(view: View, kind: int, salt: bytes, draw: int) -> Generator[Request, bytes, Differences]:
    """Compare one set of entries with a peer (rules 11.4 to 11.6).

    Args:
        view: This node's entries.
        kind: The number of the set (rule 11.2).
        salt: 16 bytes, drawn for this walk.
        draw: A random place below 2^64 for the check (rule 11.6.1).

    Raises:
        Malformed, NotCanonical, TooLarge: An answer of the peer is invalid.
    """
    walk = _Walk(view, kind, salt)
    yield from walk.descend()
    yield from walk.check(draw)
    return walk.found


class _Walk:
    def __init__(self, view: View, kind: int, salt: bytes) -> None:
        self._view = view
        self._kind = kind
        self._is_ranged = set_of(kind).is_ranged
        self._salt = salt
        self._asked = 0
        self.found = Differences()

    def descend(self) -> Generator[Request, bytes, None]:
        """Descend from the root to lists of the differing entries."""
        frontier = [ROOT]
        while frontier:
            many = len(frontier) > FEW
            differing: list[tuple[int, Sum]] = []
            for nodes in self._afford(frontier):
                differing += yield from self._compare(nodes, STEP if many else MAX_STEP)
            leaves, deeper = self._sort(differing, LEAF_OF_MANY if len(differing) > FEW else LEAF)
            deeper += yield from self._list(leaves)
            frontier = sorted(deeper)

    def check(self, draw: int) -> Generator[Request, bytes, None]:
        """Check the ids of one node, because sums can be forged (rule 11.6)."""
        have = sum(one.size for one in self._view.sums([ROOT], 1))
        node = node_at((have // CHECKED).bit_length(), draw)
        if self._differs_in(node):
            return
        answer = decode_check((yield CheckRequest(self._kind, self._salt, node)))
        if answer in (None, check_of(self._salt, self._view.ids(node))):
            return
        self.found.forged = yield from self._is_forged(node)
        nodes = [node]
        while nodes:
            large = yield from self._list(nodes)
            nodes = [child for one in large for child in _below(one, MAX_STEP)]

    def _is_forged(self, node: int) -> Generator[Request, bytes, bool]:
        """Return whether the peer's ids differ under equal sums, and not because an entry arrived.

        The sums are requested before and after the check, so an honest peer is never accused (11.6.3).
        """
        ours = [self._view.ids(child) for child in _below(node, 1)]
        expected = [fingerprint(self._salt, sum_of(ids)) for ids in ours]
        sums = FingerprintsRequest(self._kind, self._salt, 1, (node,))
        if decode_fingerprints((yield sums), len(ours)) != expected:
            return False
        answer = decode_check((yield CheckRequest(self._kind, self._salt, node)))
        if answer in (None, check_of(self._salt, chain.from_iterable(ours))):
            return False
        return decode_fingerprints((yield sums), len(ours)) == expected

    def _compare(
        self, nodes: Sequence[int], step: int
    ) -> Generator[Request, bytes, list[tuple[int, Sum]]]:
        step = min(step, PLACE_BITS - 1 - level_of(nodes[-1]))
        answer = yield FingerprintsRequest(self._kind, self._salt, step, tuple(nodes))
        theirs = decode_fingerprints(answer, len(nodes) << step)
        ours = self._view.sums(nodes, step)
        children = (child for node in nodes for child in _below(node, step))
        nothing = fingerprint(self._salt, EMPTY)
        differing = []
        for node, other, own in zip(children, theirs, ours, strict=True):
            if other == fingerprint(self._salt, own):
                continue
            if other == nothing:
                self._note_alone(node, own)
            else:
                differing.append((node, own))
        return differing

    def _sort(self, differing: Iterable[tuple[int, Sum]], leaf: int) -> tuple[list[int], list[int]]:
        """Return the nodes to list and the nodes to split, and record the ranges to fetch."""
        leaves, deeper = [], []
        for node, own in differing:
            if self._is_ranged and not own.size and level_of(node) <= RANGE_LEVEL:
                self.found.ranges.append(node)
            elif own.size <= leaf or level_of(node) >= PLACE_BITS - 1:
                leaves.append(node)
            else:
                deeper.append(node)
        return leaves, deeper

    def _list(self, nodes: Sequence[int]) -> Asking:
        """List nodes, and return the nodes with too many entries."""
        large: list[int] = []
        for affordable in self._afford(nodes):
            rest = affordable
            while rest:
                answer = yield ListRequest(self._kind, self._salt, tuple(rest))
                lists = decode_lists(answer, self._kind, len(rest))
                for node, theirs in zip(rest, lists, strict=False):
                    if theirs is not None:
                        self._note(node, theirs)
                    elif level_of(node) < PLACE_BITS - 1:
                        large.append(node)
                rest = rest[len(lists) :]
        return large

    def _note(self, node: int, theirs: Sequence[Listed]) -> None:
        """Record the differences in a list."""
        ours = {short_id(self._salt, one.id): one for one in self._view.entries(node)}
        held = {short_id(self._salt, name) for one in ours.values() for name in one.carriers}
        given = {one.entry for one in theirs}
        lacking = [one for one in theirs if one.entry not in ours]
        self.found.listed.append(node)
        self.found.theirs += [(node, one) for one in lacking]
        named = {name for one in theirs for name in one.carriers}
        self.found.ours += [self._without(one, named) for s, one in ours.items() if s not in given]
        wanted = dict.fromkeys(name for one in lacking for name in one.carriers if name not in held)
        if wanted:
            self.found.wanted[node] = list(wanted)

    def _note_alone(self, node: int, own: Sum) -> None:
        """Record a node in which the peer has no entries; of many entries, only the number."""
        self.found.listed.append(node)
        if own.size <= LISTED:
            self.found.ours += self._view.entries(node)
        else:
            self.found.untold += own.size

    def _without(self, entry: Entry, named: set[bytes]) -> Entry:
        """Return an entry without the carriers that the peer has."""
        carriers = (one for one in entry.carriers if short_id(self._salt, one) not in named)
        return entry._replace(carriers=tuple(carriers))

    def _afford(self, nodes: Sequence[int]) -> Iterator[Sequence[int]]:
        """Yield nodes in batches, within the budget."""
        for start in range(0, len(nodes), NODES):
            if self._asked >= BUDGET:
                self.found.complete = False
                return
            batch = nodes[start : start + NODES]
            self._asked += len(batch)
            yield batch

    def _differs_in(self, node: int) -> bool:
        first, end = places_of(node)
        found = self.found
        touched = (*found.listed, *found.ranges)
        return any(low < end and first < high for low, high in map(places_of, touched))


def _below(node: int, step: int) -> range:
    return range(node << step, (node + 1) << step)
