"""What the trace of each license has to hold, by the oracle, and whether every machine says the same.

A trace dates by the chain alone, so machines are compared when the last event is final for all of them.
When a machine first saw a message, and which block is its last final one, are its own.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sayso_node.store.chain import block_dates
from sayso_node.store.statements import traces
from sayso_node.store.statements.traces import Holder, Trace
from sayso_protocol.messages.message import USE
from sayso_protocol.messages.statements.dispute import FILES, contributor_hash
from sayso_protocol.primitives import NOBODY
from sayso_protocol.traces.duties import Block, Duty
from sayso_protocol.verdicts.query import Query
from simulation.held import Held
from simulation.holders import HEEDED
from simulation.knowledge import Knowledge
from simulation.machine import Machine
from simulation.world import World
from support.protocol_strategies import NETWORK

PAGE = 2  # holders: so that there are several pages


class Told(NamedTuple):
    """The trace of a license, of all pages, without what is a machine's own."""

    anchored: Any
    disputes: list[Any]
    holders: list[Any]


def traces_of(machine: Machine) -> dict[bytes, list[Trace]]:
    """The pages of the traces of all licenses that a machine keeps."""
    assert machine.life
    found, names = dict[bytes, list[Trace]](), sorted(Held(machine).consents)
    with machine.life.store.read() as db:
        for name in names:
            pages, after = list[Trace](), NOBODY
            while not pages or pages[-1].after is not None:
                pages.append(traces.trace(db, NETWORK, name, after, PAGE))
                after = pages[-1].after or after
            found[name] = pages
    return found


def told(pages: list[Trace]) -> Told:
    """What every machine has to say."""
    holders = [_shared(one) for page in pages for one in page.holders]
    return Told(pages[0].anchored, pages[0].disputes, holders)


def _shared(holder: Holder) -> Any:
    held = [one._replace(terms=one.terms._replace(seen_at=0.0, number=0)) for one in holder.held]
    return holder._replace(held=held)


def unlike(world: World) -> Iterator[str]:
    """Yield where machines differ."""
    first, *others = ({name: told(x) for name, x in traces_of(m).items()} for m in world.machines)
    for machine, other in zip(world.machines[1:], others, strict=True):
        if first.keys() != other.keys():
            yield f"{machine.name} traces other licenses"
        for name in first.keys() & other.keys():
            if first[name] != other[name]:
                yield f"{machine.name} traces {name.hex()} otherwise: {other[name]}, not {first[name]}"


def incomplete(world: World, known: Knowledge, machine: Machine) -> Iterator[str]:
    """Yield what the traces of a machine lack, or have too much, by what people signed and it keeps."""
    kept = Held(machine).kept
    for name, pages in traces_of(machine).items():
        held = known.licenses[name]
        holders = {one.address: one for page in pages for one in page.holders}
        passed = {x: one for x, one in known.passed.items() if known.depth(name, x)}
        expected = {one.terms.grantee for one in passed.values()} | {held.consent.grantee} - {NOBODY}
        if holders.keys() != expected:
            yield f"{name.hex()} has holders {sorted(one.hex() for one in holders)}"
            continue
        if pages[0].anchored is None:
            yield f"{name.hex()} is not anchored"
        about = {FILES: {*held.items}, "contributors": set(map(contributor_hash, held.consent.parties))}
        disputed = {
            x
            for x, one in known.disputes.items()
            if one.terms.signer == HEEDED.address and about[one.terms.subject] & {*one.names}
        }
        if {one.digest for one in pages[0].disputes} != disputed & kept:
            yield f"{name.hex()} lacks a dispute"
        for holder in holders.values():
            yield from _of_holder(world, known, kept, name, holder)


def _of_holder(
    world: World, known: Knowledge, kept: set[bytes], name: bytes, holder: Holder
) -> Iterator[str]:
    who, held = holder.address, known.licenses[name]
    counting = [x for x in known.to(name, who) if known.counts(name, x)]
    if [one.terms.digest for one in holder.held] != counting:
        yield f"{name.hex()} was passed on to {who.hex()} by others than the rules count"
    if None in {one.anchored for one in holder.held} | {one.anchored for one in holder.uses}:
        yield f"a statement about {name.hex()} is not anchored"
    used = {
        x
        for x, one in world.signed.messages.items()
        if one.message.kind == USE and one.message.signer == who and {*one.items} & {name, *counting}
    }
    if {one.digest for one in holder.uses} != used & kept:
        yield f"{name.hex()} lacks a use of {who.hex()}"
    purposes = {one for x in counting for one in known.passed[x].terms.purposes}
    if who == held.consent.grantee:
        purposes |= {*held.consent.purposes}
    wanted = sum(
        known.revoked(held, item, Query(who, purpose))
        for item in held.items
        for purpose in purposes & {*held.consent.purposes}
    )
    if sum(one.landing.permissions for one in holder.duties) != wanted:
        yield f"{name.hex()}: {who.hex()} is not asked to remove exactly what is revoked"


def duties_of(machine: Machine) -> Iterator[tuple[bytes, Holder, Duty]]:
    """Every line of every trace: license, holder and duty."""
    for name, pages in traces_of(machine).items():
        for holder in (one for page in pages for one in page.holders):
            yield from ((name, holder, one) for one in holder.duties)


def kinds_told(machine: Machine) -> set[str]:
    """Which kinds of things the traces of a machine show."""
    found = set[str]()
    for pages in traces_of(machine).values():
        found |= {"dispute"} if pages[0].disputes else set()
        found |= {"lifted"} if any(one.is_withdrawn for one in pages[0].disputes) else set()
        for holder in (one for page in pages for one in page.holders):
            found |= {"sublicense"} if holder.held else set()
            found |= {"withdrawn"} if any(one.is_withdrawn for one in holder.held) else set()
            found |= {"use"} if holder.uses else set()
            found |= {one.standing.value for one in holder.duties}
    return found


def final_of(machine: Machine) -> Block:
    """The last final block of a machine."""
    assert machine.life
    with machine.life.store.read() as db:
        found = block_dates.final(db)
    assert found
    return found
