"""A peer that answers from a list of messages, by brute force, except where a test makes it lie."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import SYNC_PROTOCOL
from sayso_protocol.sync import answers
from sayso_protocol.sync.fingerprints import (
    Entry,
    cell,
    check_of,
    digest_entry,
    fingerprint,
    places_of,
    revocation_entry,
    short_id,
    sum_of,
)
from sayso_protocol.sync.requests import (
    CellsRequest,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    HeedRequest,
    ListRequest,
    OfferRequest,
    RangeRequest,
    Request,
    decode_request,
)
from sayso_protocol.sync.sets import SETS
from support.node_rig import NodeRig

T = TypeVar("T")
Lie = Callable[[Request], bytes | None]  # None: tell the truth


def entries_of(envelopes: Iterable[Envelope], kind: int) -> list[Entry]:
    """Rule 11.2 over a list, the slow way; each message counts as a carrier of all its words."""
    covered = dict[tuple[bytes, int], tuple[int, set[bytes]]]()
    of_kind = [one for one in envelopes if SETS[one.message.kind].number == kind]
    if kind != REVOCATION:
        return [digest_entry(one.digest) for one in of_kind]
    for one in of_kind:
        for word, mask in as_kind(one.message, Revocation).bits.items():
            key = (one.message.signer, word)
            before, carriers = covered.get(key, (0, set()))
            covered[key] = (before | mask, carriers | {one.digest})
    return [revocation_entry(who, word, *rest) for (who, word), rest in covered.items()]


class Peer:
    """Holds these messages; `lie` may answer instead; remembers what it was asked and offered."""

    def __init__(self, rig: NodeRig, name: str = "peer", holds: Iterable[Envelope] = ()) -> None:
        self.name = name
        self.holds = list(holds)
        self.lie: Lie = lambda _request: None
        self.asked: list[Request] = []
        self.offered: list[bytes] = []
        self.silent = False
        self.heeds: tuple[bytes, ...] = ()
        self.takes = False  # whether it says that it took what was offered
        rig.board.add_peer(name, self.answer)

    async def answer(self, protocol: str, body: bytes, _asking: str) -> bytes:
        assert protocol == SYNC_PROTOCOL
        request = decode_request(body)
        self.asked.append(request)
        if self.silent:
            await asyncio.Event().wait()
        lied = self.lie(request)
        return self.truth(request) if lied is None else lied

    def truth(self, request: Request) -> bytes:  # noqa: PLR0911 - one for each request
        match request:
            case FingerprintsRequest(kind, salt, step, nodes):
                children = [c for n in nodes for c in range(n << step, (n + 1) << step)]
                sums = (sum_of(e.id for e in self.within(kind, child)) for child in children)
                return answers.encode_fingerprints([fingerprint(salt, one) for one in sums])
            case ListRequest(kind, salt, nodes):
                return answers.encode_lists(kind, [self.listed(kind, salt, node) for node in nodes])
            case CellsRequest(kind, nodes):
                found = ((n, sum_of(e.id for e in self.within(kind, n))) for n in nodes)
                return answers.encode_cells([cell(*one) for one in found])
            case GetRequest() | RangeRequest():
                return answers.encode_messages([encode(one) for one in self.given(request)])
            case CheckRequest(kind, salt, node):
                return answers.encode_check(check_of(salt, (e.id for e in self.within(kind, node))))
            case OfferRequest(envelopes):
                self.offered += envelopes
                return answers.encode_taken([0 if self.takes else 1] * len(envelopes))
            case HeedRequest():
                return answers.encode_heed(self.heeds)

    def given(self, request: GetRequest | RangeRequest) -> list[Envelope]:
        if isinstance(request, RangeRequest):
            names = {e.id for e in self.within(request.kind, request.node) if e.id > request.after}
            return sorted((e for e in self.holds if e.digest in names), key=lambda e: e.digest)
        wanted = {one for joined in request.ids for one in answers.split_ids(joined)}
        if not request.ids:
            entries = [e for n in request.nodes for e in self.within(request.kind, n)]
            wanted = {short_id(request.salt, c) for e in entries for c in e.carriers}
        return [e for e in self.holds if short_id(request.salt, e.digest) in wanted]

    def listed(self, kind: int, salt: bytes, node: int) -> list[answers.Listed] | None:
        found = self.within(kind, node)
        if len(found) > answers.LISTED:
            return None
        return [
            answers.Listed(short_id(salt, e.id), tuple(short_id(salt, c) for c in e.carriers))
            for e in found
        ]

    def within(self, kind: int, node: int) -> list[Entry]:
        first, end = places_of(node)
        return [one for one in entries_of(self.holds, kind) if first <= one.place < end]

    @property
    def moved(self) -> list[Request]:
        """The questions that were for messages."""
        return [one for one in self.asked if isinstance(one, GetRequest | RangeRequest)]


class HeldRunner:
    """Runs the work of a sync part once a test lets it go, and counts what waits meanwhile."""

    def __init__(self) -> None:
        self.reading, self.go = 0, asyncio.Event()

    async def __call__(self, work: Callable[[], T], /) -> T:
        self.reading += 1
        await self.go.wait()
        return work()
