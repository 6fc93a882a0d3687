"""How an asker goes down the tree to what differs: pure, a generator of questions that takes answers.

    walk = differences(view, kind, salt, draw)
    request = next(walk)                    # ask the peer
    request = walk.send(answer)             # ... until StopIteration, whose value is what differs

Rule 11.10: few differences are looked for in large steps, many in small ones: the first costs fewer
questions, the second fewer bytes. Whatever the peer answers, a walk asks for a bounded number of nodes;
what it did not reach is left to the next one.
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

FEW = 64  # differing nodes: with more, bytes count for more than questions
STEP = 2  # levels at once, when there are many
LEAF, LEAF_OF_MANY = 32, 6  # entries of ours in a node that is listed, not split
RANGE_LEVEL = 8  # a node in which we have nothing, and not deeper, is fetched whole
CHECKED = 4_096  # entries whose ids are checked in a round
BUDGET = 131_072  # nodes asked for in a walk

Asking = Generator[Request, bytes, "list[int]"]


class View(Protocol):
    """What a node has, as it compares it with one peer."""

    def sums(self, nodes: Sequence[int], step: int) -> list[Sum]:
        """The sums of all nodes `step` levels below some, in order."""
        ...

    def ids(self, node: int) -> list[bytes]:
        """The ids of all entries in a node: those that `sums` are over."""
        ...

    def entries(self, node: int) -> list[Entry]:
        """All entries that we hold in a node, whatever we expect of the peer."""
        ...


@dataclass
class Differences:
    """What a walk has found.

    Attributes:
        wanted: Short ids of messages that we lack, by node.
        theirs: Entries that the peer has and we do not, with their node.
        ours: Entries that we have and the peer does not.
        ranges: Nodes in which the peer has something and we have nothing.
        listed: Nodes that were compared entry by entry.
        untold: How many more entries the peer lacks, which are not in `ours`.
        forged: The sums agreed where the entries did not, and went on doing so.
        complete: Everything was compared.
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
    """Compare everything with a peer.

    Args:
        view: What we have.
        kind: The number of a set of entries (rule 11.2).
        salt: 16 bytes, drawn for this walk.
        draw: A random number below 2^64: where ids are checked, too (rule 11.6).

    Raises:
        Malformed, NotCanonical, TooLarge: An answer is none.
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
        """From the root to lists of what differs."""
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
        """Rule 11.6: some ids themselves, so that no sum that was made to be equal hides for long."""
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
        """Whether other ids stand under the sums of ours, or something has merely come since.

        What a peer holds between two equal answers is what they say: so an honest one is never accused.
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
        """Which nodes to list and which to split; those to fetch whole are noted."""
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
        """List nodes; returns those with too many entries."""
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
        """What differs in a list."""
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
        """The peer has nothing here: of much that it lacks, it is enough to know how much."""
        self.found.listed.append(node)
        if own.size <= LISTED:
            self.found.ours += self._view.entries(node)
        else:
            self.found.untold += own.size

    def _without(self, entry: Entry, named: set[bytes]) -> Entry:
        """An entry without the messages that the peer named: it has those."""
        carriers = (one for one in entry.carriers if short_id(self._salt, one) not in named)
        return entry._replace(carriers=tuple(carriers))

    def _afford(self, nodes: Sequence[int]) -> Iterator[Sequence[int]]:
        """The nodes in batches, as far as the budget goes."""
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
