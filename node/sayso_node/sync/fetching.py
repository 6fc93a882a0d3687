"""Moves messages in a sync round: fetches those we lack, by id or in ranges, and offers others.

A part of a range is verified while the next part is transferred. Ranges come in ascending order, so a
broken download continues where it stopped: a node that has messages is no longer fetched as a range.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sayso_node.errors import NoRoom, PeerUnreachable
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_node.store import messages
from sayso_node.store.interface import Store
from sayso_node.store.sync import entries as sync_entries
from sayso_node.sync.memory import PeerMemory
from sayso_node.sync.talk import Talk, check_ascends
from sayso_protocol.errors import is_rejected
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.network import Network
from sayso_protocol.sync.answers import BUNDLE_BYTES, TAKEN, decode_messages, decode_taken
from sayso_protocol.sync.fingerprints import (
    NODES,
    PLACE_BITS,
    Entry,
    digest_entry,
    level_of,
    node_at,
    short_id,
)
from sayso_protocol.sync.requests import WANTED, GetRequest, OfferRequest, RangeRequest
from sayso_protocol.sync.sets import SETS

OFFERED_BYTES = 524_288
OFFERED = 256  # messages in one offer
FETCHED_AT_ONCE = 2  # parts of a range that are verified together
DECLINED_A_WALK = 16_384  # messages; a peer with more of them is compared with further in later rounds


@dataclass
class Fetched:
    """The messages that a walk has fetched.

    Attributes:
        valid: Valid messages of sets with carriers by short id, since the last finding.
        stored: How many were stored.
        pending: How many are pending, because they are by unknown addresses.
        declined: How many were not stored, and not wrong.
    """

    valid: dict[bytes, Envelope] = field(default_factory=dict)
    stored: int = 0
    pending: int = 0
    declined: int = 0


class Fetching:
    """Moves messages between one peer and us; raises SaysoError if the peer breaks a rule."""

    def __init__(
        self,
        talk: Talk,
        store: Store,
        intake: Intake,
        kind: int,
        memory: PeerMemory,
        salt: bytes,
        network: Network,
    ) -> None:
        self._talk = talk
        self._kind = kind
        self._memory = memory
        self._remembered = set[bytes]()  # ids, so that none counts twice
        self._declined: list[Entry] = []  # of the bundle that is taken in
        self._store = store
        self._intake = intake
        self._salt = salt
        self._network = network
        self._source = Source.peer(SourceChannel.SYNC, talk.peer_id)
        self.got = Fetched()

    async def get(self, wanted: dict[int, list[bytes]], patience: int | None = None) -> bool:
        """Fetch messages by short id; False if it stopped before the end.

        It stops when more than `patience` are by unknown addresses, or when it has enough.
        """
        for chunk in _chunks(wanted):
            lacking = {one for ids in chunk.values() for one in ids}
            while lacking:
                if self.has_enough or (patience is not None and self.got.pending > patience):
                    return False
                left = {n: own for n, ids in chunk.items() if (own := [i for i in ids if i in lacking])}
                joined = tuple(b"".join(own) for own in left.values())
                request = GetRequest(self._kind, self._salt, tuple(left), joined)
                digests = await self._take(decode_messages(await self._talk.ask(request)))
                given = {short_id(self._salt, one) for one in digests}
                if not given & lacking:
                    raise PeerUnreachable(f"{self._talk.peer_id} listed messages that it did not send")
                lacking -= given
        return True

    async def get_whole(self, nodes: Iterable[int]) -> set[bytes]:
        """Fetch all messages in small nodes; returns the digests of what came.

        That may be nothing, because what a cell shows is a guess (rule 11.13.2).
        """
        left, came = sorted(set(nodes)), set[bytes]()
        while left:
            part = left[:NODES]
            request = GetRequest(self._kind, self._salt, tuple(part), ())
            bundle = decode_messages(await self._talk.ask(request))
            digests = await self._take(bundle)
            came |= digests
            given = {node_at(level_of(part[0]), digest_entry(one).place) for one in digests}
            is_full = len(bundle) >= WANTED or sum(map(len, bundle)) > BUNDLE_BYTES // 2
            again = [one for one in part if one not in given] if is_full else []
            if again == part:
                raise PeerUnreachable(f"{self._talk.peer_id} sent what was not asked for")
            left = again + left[NODES:]
        return came

    async def get_range(self, node: int) -> None:
        """Fetch all messages of a tree node in which we have none."""
        after = b""
        taking: deque[asyncio.Task[set[bytes]]] = deque()
        coming = asyncio.create_task(self._talk.ask(RangeRequest(self._kind, node, after)))
        try:
            while bundle := decode_messages(await coming):
                last = decode(bundle[-1], self._network).digest
                check_ascends(last, after)
                after = last
                coming = asyncio.create_task(self._talk.ask(RangeRequest(self._kind, node, after)))
                taking.append(asyncio.create_task(self._take(bundle)))
                if len(taking) >= FETCHED_AT_ONCE:
                    await taking.popleft()
                if self.has_enough:
                    break
            while taking:
                await taking.popleft()
        finally:
            for task in (coming, *taking):
                task.cancel()
            await asyncio.gather(coming, *taking, return_exceptions=True)
        if not after:
            raise PeerUnreachable(f"{self._talk.peer_id} listed messages that it did not send")

    async def offer(self, ours: Sequence[Entry]) -> list[Entry]:
        """Offer entries that the peer lacks; returns those that it declined."""
        refused: set[bytes] = set()
        digests = list(dict.fromkeys(one for entry in ours for one in entry.carriers))
        for names, bodies in self._bundles(digests):
            answer = await self._talk.ask(OfferRequest(tuple(bodies)))
            taken = decode_taken(answer, len(bodies))
            refused |= {name for name, one in zip(names, taken, strict=True) if one != TAKEN}
        return [entry for entry in ours if not refused.isdisjoint(entry.carriers)]

    def _bundles(self, digests: Sequence[bytes]) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Yield digests and bodies of stored messages, as many together as one offer may have."""
        names: list[bytes] = []
        bodies: list[bytes] = []
        size = 0
        for digest in digests:
            with self._store.read() as db:
                body = next(messages.bodies(db, [digest]), None)
            if body is None:
                continue
            if bodies and (size + len(body) > OFFERED_BYTES or len(bodies) == OFFERED):
                yield names, bodies
                names, bodies, size = [], [], 0
            names.append(digest)
            bodies.append(body)
            size += len(body)
        if bodies:
            yield names, bodies

    @property
    def has_enough(self) -> bool:
        """Return whether so much was declined or is in memory that the rest waits for later walks."""
        return max(self.got.declined, len(self.got.valid)) > DECLINED_A_WALK

    async def _take(self, bundle: Sequence[bytes]) -> set[bytes]:
        """Take messages in; returns the digests of those that are not the peer's fault."""
        outcomes = await self._intake.take(bundle, self._source) if bundle else []
        given = set()
        for one in outcomes:
            if one.envelope:
                given.add(one.envelope.digest)
                self._count(one.envelope, one)
        if self._declined:
            self._remember()
        # A message that is too early for our clock is not the peer's fault; an invalid one is.
        for one in outcomes:
            if one.error and is_rejected(one.error):
                raise one.error
        return given

    def _count(self, envelope: Envelope, outcome: Outcome) -> None:
        is_stored = outcome.status is Status.STORED
        self.got.stored += is_stored
        self.got.pending += outcome.status is Status.PENDING
        if outcome.status is Status.REFUSED and not isinstance(outcome.error, NoRoom):
            return  # it may become good, and is asked for again
        self.got.declined += not is_stored
        if SETS[envelope.message.kind].number != self._kind:
            return
        if SETS[envelope.message.kind].has_carriers:
            self.got.valid[short_id(self._salt, envelope.digest)] = envelope
        elif not is_stored:
            self._declined.append(digest_entry(envelope.digest))

    def _remember(self) -> None:
        """Remember what was declined of a bundle, unless it is held, or was remembered before."""
        declined, self._declined = self._declined, []
        with self._store.read() as db:
            for entry in declined:
                node = node_at(PLACE_BITS - 1, entry.place)
                if entry.id not in self._remembered and entry not in sync_entries.entries(
                    db, self._kind, node
                ):
                    self._remembered.add(entry.id)
                    self._memory.remember(entry, 1)


def _chunks(wanted: dict[int, list[bytes]]) -> Iterator[dict[int, list[bytes]]]:
    """Split nodes of one level, ascending, so that each request has at most the allowed short ids."""
    for _, nodes in groupby(sorted(wanted), level_of):
        chunk: dict[int, list[bytes]] = {}
        size = 0
        for node in nodes:
            for start in range(0, len(wanted[node]), WANTED):
                part = wanted[node][start : start + WANTED]
                if size + len(part) > WANTED or node in chunk or len(chunk) == NODES:
                    yield chunk
                    chunk, size = {}, 0
                chunk[node] = part
                size += len(part)
        yield chunk
