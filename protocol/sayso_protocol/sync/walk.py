"""The descent of a requester to the differences, as a generator of requests and of what it found.

    walk = differences(view, kind, salt, draw)
    step = next(walk)                       # a request: send it to the peer
    step = walk.send(answer)                # a Finding: fetch it now, and send the digests that came
    ...                                     # until StopIteration, whose value is the Outcome

Rule 11.10: the walk goes down with some nodes before it looks at others, so that what it finds is
fetched while it walks, and a walk that breaks off has brought something. Where about one entry differs
in a node, the peer's cell says which (11.13). A walk requests and remembers a bounded number of nodes,
whatever the peer answers, and the next walk continues.
"""

import math
from collections.abc import Generator, Iterable, Sequence
from itertools import chain
from typing import Any

from sayso_protocol.sync.answers import decode_check, decode_fingerprints
from sayso_protocol.sync.findings import Differing, Finding, Outcome, View, Walk
from sayso_protocol.sync.fingerprints import (
    CELL_LEVEL,
    EMPTY,
    NODES,
    PLACE_BITS,
    ROOT,
    check_of,
    fingerprint,
    level_of,
    node_at,
    places_of,
    sum_of,
)
from sayso_protocol.sync.requests import MAX_STEP, CheckRequest, FingerprintsRequest, Request
from sayso_protocol.sync.solving import LAST, Solving

FEW = 64  # differing nodes; with more, bytes matter more than requests
STEP = 2  # levels in a step with many differing nodes
LEAF, LEAF_OF_MANY = 32, 6  # most own entries in a node that is listed instead of split
LONE = 1.3  # mean differences in a node, up to which cells show enough single ones
AIMED = 0.7  # mean differences in a node to which a step goes down
RANGE_LEVEL = 8  # deepest level at which a node without own entries is fetched whole
CHECKED = 4_096  # entries in the check of a round


def differences(view: View, kind: int, salt: bytes, draw: int) -> Walk:
    """Compare one set of entries with a peer (rules 11.4 to 11.6).

    Send the peer's answer for each request. Send for each Finding the digests of all messages that came
    for it, stored or not, or None to end the walk.

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
    if walk.complete:
        yield from walk.check(draw)
    return Outcome(walk.complete, walk.forged)


class _Walk(Solving):
    def __init__(self, view: View, kind: int, salt: bytes) -> None:
        super().__init__(view, kind, salt)
        self._open: dict[int, list[int]] = {}  # nodes to split, by level
        self._steps: dict[int, int] = {}  # by level
        self.forged = False

    def descend(self) -> Generator[Request | Finding, Any, None]:
        """Descend from the root to the differing entries."""
        self._push([ROOT], MAX_STEP)
        while self.complete and (nodes := self._next()):
            step = self._steps[level_of(nodes[0])]
            differing, load = yield from self._compare(nodes, step)
            yield from self._resolve(differing, load)

    def _push(self, nodes: Iterable[int], step: int) -> None:
        for node in nodes:
            self._open.setdefault(level_of(node), []).append(node)
            self._steps[level_of(node)] = step

    def _next(self) -> list[int]:
        """Return nodes of one level: of the deepest that fills a request, or of the highest."""
        levels = sorted(self._open, reverse=True)
        if not levels:
            return []
        level = next((one for one in levels if len(self._open[one]) >= NODES), levels[-1])
        nodes = sorted(self._open.pop(level))
        if len(nodes) > NODES:
            self._open[level] = nodes[NODES:]
        return nodes[:NODES] if self._may_ask(nodes[:NODES]) else []

    def _compare(
        self, nodes: Sequence[int], step: int
    ) -> Generator[Request, bytes, tuple[list[Differing], float]]:
        """Return the differing nodes some levels below, and the mean of differences in a node."""
        level = level_of(nodes[0])
        grain = self._view.grain - level
        step = min(step, LAST - level, grain if grain > 0 else step)
        answer = yield FingerprintsRequest(self._kind, self._salt, step, tuple(nodes))
        theirs = decode_fingerprints(answer, len(nodes) << step)
        ours = self._view.sums(nodes, step)
        children = (child for node in nodes for child in _below(node, step))
        differing = [
            Differing(node, own, other)
            for node, other, own in zip(children, theirs, ours, strict=True)
            if other != fingerprint(self._salt, own)
        ]
        equal = len(theirs) - len(differing)
        return differing, math.log(len(theirs) / equal) if equal else math.inf

    def _resolve(
        self, differing: Sequence[Differing], load: float
    ) -> Generator[Request | Finding, Any, None]:
        """List, fetch, or split the differing nodes."""
        nothing = fingerprint(self._salt, EMPTY)
        leaves, alone, deeper = list[int](), list[Differing](), list[int]()
        few = len(differing) <= FEW and self._set.has_carriers
        for one in differing:
            level = level_of(one.node)
            if one.theirs == nothing:
                self._note_alone(one)
            elif self._set.is_ranged and not one.own.size and level <= RANGE_LEVEL:
                self._view.forget(one.node)
                self._found.ranges.append(one.node)
                self._touched.append(one.node)
            elif self._has_cell(one) and load <= LONE:
                alone.append(one)
            elif one.own.size <= (LEAF if few else LEAF_OF_MANY) or level >= LAST:
                leaves.append(one.node)
            else:
                deeper.append(one.node)
        yield from self._bring()
        self._push(deeper, self._step(load, len(differing)))
        unsolved = yield from self._single(alone)
        self._push(unsolved, STEP if len(unsolved) > FEW else MAX_STEP)
        self._push((yield from self._list(leaves)), MAX_STEP)

    def _has_cell(self, one: Differing) -> bool:
        return not self._set.has_carriers and one.own.size > 1 and level_of(one.node) <= CELL_LEVEL

    def _step(self, load: float, differing: int) -> int:
        if self._set.has_carriers:
            return STEP if differing > FEW else MAX_STEP
        return max(1, min(MAX_STEP, round(math.log2(min(load, 99.0) / AIMED)))) if load else MAX_STEP

    def check(self, draw: int) -> Generator[Request | Finding, Any, None]:
        """Check the ids of one node, because sums can be forged (rule 11.6)."""
        have = sum(one.size for one in self._view.sums([ROOT], 1))
        for level in range((have // CHECKED).bit_length(), min(self._view.grain, LAST - 1) + 1):
            node = node_at(level, draw)
            if (ours := self._view.ids(node)) is not None:
                break
        else:
            return  # what was declined there is not known one by one
        if self._differs_in(node):
            return
        answer = decode_check((yield CheckRequest(self._kind, self._salt, node)))
        if answer in (None, check_of(self._salt, ours)):
            return
        self.forged = yield from self._is_forged(node)
        nodes = [node]
        while nodes:
            large = yield from self._list(nodes)
            nodes = [child for one in large for child in _below(one, MAX_STEP)]

    def _is_forged(self, node: int) -> Generator[Request, bytes, bool]:
        """Return whether the peer's ids differ under equal sums, and not because an entry arrived.

        The sums are requested before and after the check, so an honest peer is never accused (11.6.3).
        """
        ours = [self._view.ids(child) or [] for child in _below(node, 1)]
        expected = [fingerprint(self._salt, sum_of(ids)) for ids in ours]
        sums = FingerprintsRequest(self._kind, self._salt, 1, (node,))
        if decode_fingerprints((yield sums), len(ours)) != expected:
            return False
        answer = decode_check((yield CheckRequest(self._kind, self._salt, node)))
        if answer in (None, check_of(self._salt, chain.from_iterable(ours))):
            return False
        return decode_fingerprints((yield sums), len(ours)) == expected

    def _differs_in(self, node: int) -> bool:
        first, end = places_of(node)
        return any(low < end and first < high for low, high in map(places_of, self._touched))


def _below(node: int, step: int) -> range:
    return range(node << step, min((node + 1) << step, 1 << PLACE_BITS))
