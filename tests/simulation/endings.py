"""When statements end (rule 15.7), by an oracle that reads the chain block by block.

Days are short here (DAYS), so that statements end while there is trouble. What a node does not know of a
landing may let it end a statement with the license's expiry, or with a later landing: between both times
it may do either. Where nobody revoked anything, both are the same second. A statement that came before
something that it names may be kept longer (rule 15.7.11).
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from sayso_contracts.registry.events import Revoked
from sayso_node.store.chain import block_dates, chain_state
from sayso_node.store.statements import ends
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import STATEMENTS
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.permissions.words import Masks
from sayso_protocol.traces import duties, endings
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License
from simulation.held import Held
from simulation.knowledge import Knowledge
from simulation.machine import EPOCH
from simulation.world import World
from support.merging import merged

DAY_S = 1
KEPT_S = 30 * DAY_S  # in place of a year
AWAITED_S = 150 * DAY_S  # in place of a month: longer than any license is on its way
DAYS: tuple[
    tuple[Any, dict[str, Any]], ...
] = (  # module, names and values of a run in which statements end
    (endings, {"DAY_S": DAY_S, "KEPT_S": KEPT_S}),
    (duties, {"DAY_S": DAY_S}),
    (ends, {"LOOK_S": 5 * DAY_S, "UNDATED_S": 2, "AWAITED_S": AWAITED_S}),
)
State = dict[bytes, Masks]


class Span(NamedTuple):
    """From when on a statement may have ended, and when it must have; seconds since the epoch."""

    first: int
    last: int


class Endings:
    """What a machine's last final block and the blocks before it say of ends."""

    def __init__(self, world: World, held: Held) -> None:
        self._held, self._chain = held, world.chain
        self._known = Knowledge()
        for digest in held.kept:
            if envelope := world.signed.messages.get(digest):
                self._known.hear(envelope)
        assert held.machine.life
        with held.machine.life.store.read() as db:
            final = block_dates.final(db)
            height = final.number if final else -1
            revocations = {x: one.message for x, one in self._known.messages.items()}
            carried = {x: one for x, one in revocations.items() if isinstance(one, Revocation)}
            anchored = chain_state.first_anchors(db, carried, height)
        said = [
            (height, event.contributor, {event.word: event.bits})
            for height, block in enumerate(world.chain.blocks[: height + 1])
            for event in block.events
            if isinstance(event, Revoked)
        ]
        self.now = int(world.chain.blocks[height].time) if final else 0
        batched = [(at, carried[x].contributor, carried[x].bits) for x, at in anchored.items()]
        self._histories = [_History(said), _History(said + batched)]
        self._spans: dict[tuple[bytes, bytes], Span] = {}

    def of(self, digest: bytes) -> Span | None:
        """When a statement ends; None if it is about nothing that the machine knows."""
        one = self._known.messages[digest]
        match one.message:
            case Dispute() as dispute:
                return Span(dispute.expires_at + KEPT_S, dispute.expires_at + KEPT_S)
            case Sublicense() as terms:
                held = (name for name in one.items if name in self._known.licenses)
                about = [x for x in held if self._known.depth(x, digest)]
                spans = [self._of_license(name, terms.grantee) for name in about]
            case _:
                spans = [*self._of_names(one)]
        return Span(max(x.first for x in spans), max(x.last for x in spans)) if spans else None

    def _of_names(self, one: Envelope) -> Iterator[Span]:
        for name in one.items:
            if name in self._known.licenses:
                yield self._of_license(name, one.message.signer)
            elif name in self._known.passed and (span := self.of(name)):
                yield span

    def _of_license(self, name: bytes, holder: bytes) -> Span:
        if (name, holder) not in self._spans:
            self._spans[name, holder] = self._span(name, holder)
        return self._spans[name, holder]

    def _span(self, name: bytes, holder: bytes) -> Span:
        held = self._known.licenses[name]
        consent = held.consent
        rows = [*product(held.items, consent.purposes)]
        expiry = consent.expires_at + KEPT_S
        first, last = expiry, expiry
        for history in self._histories:
            landed = [history.first(self._known, held, item, Query(holder, x)) for item, x in rows]
            days = {at: int(self._chain.blocks[at].time) for at in landed if at is not None}
            over = [time + consent.removal_days * DAY_S + KEPT_S for time in days.values()]
            last = max([last, *over])
            if None not in landed:
                first = min(first, max(over))
        return Span(first, last)


class _History:
    """The bits at the end of each block that set some."""

    def __init__(self, said: list[tuple[int, bytes, Masks]]) -> None:
        self._heights, self._states = list[int](), list[State]()
        state: State = {}
        for height, who, masks in sorted(said, key=lambda one: one[0]):
            state = state | {who: merged(state.get(who, {}), masks)}
            if self._heights and self._heights[-1] == height:
                self._states[-1] = state
            else:
                self._heights.append(height)
                self._states.append(state)

    def first(self, known: Knowledge, held: License, item: bytes, query: Query) -> int | None:
        """The height of the first block by which a permission was revoked; it stays so."""

        def is_revoked(number: int) -> bool:
            known.state = self._states[number]
            return known.revoked(held, item, query)

        found = bisect_left(range(len(self._states)), True, key=is_revoked)
        return self._heights[found] if found < len(self._states) else None


def early(world: World, held: Held) -> Iterator[str]:
    """Yield statements that a machine has ended, although they cannot be over."""
    found = Endings(world, held)
    for digest in sorted(held.ended & world.signed.messages.keys()):
        span = found.of(digest)
        if span is None or found.now < span.first:
            yield f"{held.machine.name} has ended a {_kind(world, digest)} that is not over: {span}"


def late(world: World, held: Held) -> Iterator[str]:
    """Yield statements that a machine keeps, although they are over for everybody."""
    found = Endings(world, held)
    for digest in sorted(held.statements & world.signed.messages.keys()):
        span = found.of(digest)
        if span is not None and found.now >= max(span.last, _awaited_until(world, held, digest)):
            yield f"{held.machine.name} keeps a {_kind(world, digest)} that is over"


def _awaited_until(world: World, held: Held, digest: bytes) -> float:
    """Until when a machine may keep a statement because it came before something that it names."""
    statement, told = world.signed.messages[digest], held.machine.first_told
    came = [told.get(one, math.inf) for one in statement.items]
    if isinstance(statement.message, Dispute) or max(came) <= told.get(digest, -math.inf):
        return 0.0
    last = max([told.get(digest, 0.0), *(one for one in came if one < math.inf)])
    return EPOCH + last + AWAITED_S + world.options.seconds  # it may be down before its first look


def touches(messages: Mapping[bytes, Envelope], digest: bytes, gone: frozenset[bytes]) -> bool:
    """Whether a statement is about one of some, directly or by what stands between."""
    one = messages.get(digest)
    if one is None or one.message.kind not in STATEMENTS:
        return False
    above = [one.message.parent] if isinstance(one.message, Sublicense) else []
    return any(x in gone or touches(messages, x, gone) for x in (*one.items, *above))


def known_alone(world: World, ended: frozenset[bytes], one: Held, other: Held) -> set[bytes]:
    """Return whom only one of two machines knows, maybe by what ended before it came to the other."""
    over = [x.message for digest, x in world.signed.messages.items() if digest in ended]
    passed = {terms.grantee for terms in over if isinstance(terms, Sublicense)}
    return passed & (one.people ^ other.people)


def _kind(world: World, digest: bytes) -> str:
    return type(world.signed.messages[digest].message).__name__.lower()
