"""Two nodes with any number of entries, of which only those that differ are in memory.

What both hold counts in sizes and in the bytes of lists, and is left out of sums on both sides: sums are
equal exactly where the differences are equal, as with all entries. So a walk over ten million entries
costs what its differences cost.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sayso_protocol.messages.message import CONSENT
from sayso_protocol.primitives import sha256
from sayso_protocol.sync import answers
from sayso_protocol.sync.answers import Listed
from sayso_protocol.sync.findings import Finding, Outcome
from sayso_protocol.sync.fingerprints import (
    Entry,
    Sum,
    cell,
    check_of,
    digest_entry,
    fingerprint,
    level_of,
    node_at,
    places_of,
    short_id,
    sum_of,
)
from sayso_protocol.sync.requests import (
    CellsRequest,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    ListRequest,
    RangeRequest,
    Request,
    decode_request,
    encode_request,
)
from sayso_protocol.sync.walk import differences


class BrokeOff(Exception):
    """The peer answers no more."""


@dataclass
class Side:
    """What one node holds besides what both hold: the View of a walk, and a peer that answers one."""

    common: int
    own: set[bytes]
    grain: int = 63
    asked: list[Request] = field(default_factory=list)
    _sorted: list[bytes] | None = None

    def add(self, digests: Iterable[bytes]) -> None:
        self.own |= set(digests)
        self._sorted = None

    def within(self, node: int) -> list[bytes]:
        if self._sorted is None:
            self._sorted = sorted(self.own)
        first, end = places_of(node)
        low = bisect_left(self._sorted, first.to_bytes(8))
        high = len(self._sorted) if end >> 64 else bisect_left(self._sorted, end.to_bytes(8))
        return self._sorted[low:high]

    def shared(self, node: int) -> int:
        return self.common >> level_of(node)

    def alike(self, node: int) -> list[bytes]:
        """Stand-ins for what both hold in a node."""
        shift = 64 - level_of(node)
        places = ((node << shift) % (1 << 64) + n % (1 << shift) for n in range(self.shared(node)))
        return [place.to_bytes(8) + sha256(b"%d" % n)[8:] for n, place in enumerate(places)]

    def held(self, node: int) -> list[Entry]:
        return [digest_entry(one) for one in self.within(node) + self.alike(node)]

    def forget(self, node: int) -> None:
        """Nothing is remembered."""

    def ids(self, node: int) -> list[bytes]:
        return self.within(node)

    def sums(self, nodes: Sequence[int], step: int) -> list[Sum]:
        level = level_of(nodes[0]) + step
        found = []
        for node in nodes:
            first = node << step
            children = [Sum(0, self.shared(first))] * (1 << step)
            for one in self.within(node):
                at = node_at(level, int.from_bytes(one[:8])) - first
                children[at] = children[at].plus(int.from_bytes(one), 1)
            found += children
        return found

    def answer(self, body: bytes) -> bytes:
        request = decode_request(body)
        self.asked.append(request)
        match request:
            case FingerprintsRequest(_, salt, step, nodes):
                return answers.encode_fingerprints(
                    [fingerprint(salt, s) for s in self.sums(nodes, step)]
                )
            case CellsRequest(_, nodes):
                return answers.encode_cells([cell(node, self.sum(node)) for node in nodes])
            case ListRequest(kind, salt, nodes):
                return answers.encode_lists(kind, [self.listed(salt, node) for node in nodes])
            case CheckRequest(_, salt, node):
                return answers.encode_check(check_of(salt, self.ids(node)))
            case GetRequest(_, salt, nodes, ids):
                own = [one for node in nodes for one in self.within(node)]
                wanted = {one for joined in ids for one in answers.split_ids(joined)}
                return answers.encode_messages(
                    [d for d in own if not ids or short_id(salt, d) in wanted]
                )
            case RangeRequest(_, node, after):
                return answers.encode_messages([one for one in self.within(node) if one > after][:1_024])
        raise AssertionError(request)

    def listed(self, salt: bytes, node: int) -> list[Listed] | None:
        if self.shared(node) + len(self.within(node)) > answers.LISTED:
            return None
        return [Listed(short_id(salt, one.id), (short_id(salt, one.id),)) for one in self.held(node)]

    def sum(self, node: int) -> Sum:
        added = sum_of(self.within(node))
        return added._replace(size=added.size + self.shared(node))


@dataclass
class Bill:
    """What a walk cost, in bytes and questions."""

    sent: int = 0
    questions: int = 0


def walk_once(
    ours: Side, theirs: Side, salt: bytes, most: float = float("inf")
) -> tuple[Outcome | None, Bill]:
    """Walk once, and add what comes; the peer answers so many requests. None if it broke off."""
    bill = Bill()

    def ask(request: Request) -> bytes:
        if bill.questions >= most:
            raise BrokeOff
        body = encode_request(request)
        answer = theirs.answer(body)
        bill.questions += 1
        bill.sent += len(body)
        if not isinstance(request, GetRequest | RangeRequest):
            bill.sent += len(answer)
        return answer

    def bring(found: Finding) -> set[bytes]:
        came = set[bytes]()
        requests: list[Request] = [
            *(
                GetRequest(CONSENT, salt, (node,), (b"".join(ids),))
                for node, ids in found.wanted.items()
            ),
            *([GetRequest(CONSENT, salt, tuple(sorted(found.whole)), ())] if found.whole else []),
            *(RangeRequest(CONSENT, node, b"") for node in found.ranges),
        ]
        for request in requests:
            came |= set(answers.decode_messages(ask(request)))
            ours.add(came)
        return came

    walk = differences(ours, CONSENT, salt, 0)
    try:
        step = next(walk)
        while True:
            step = walk.send(bring(step) if isinstance(step, Finding) else ask(step))
    except StopIteration as stop:
        return stop.value, bill
    except BrokeOff:
        return None, bill
