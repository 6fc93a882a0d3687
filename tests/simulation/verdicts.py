"""Every machine answers what follows from all that it holds, and not `stale` without need.

The answers are compared for holders of licenses and for askers down a chain, with the reasons and the
time until which they may be relied on; for one of them also with other lists of whom to heed.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sayso_node.freshness import QUORUM
from sayso_node.verdicts.judge import Check
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from simulation.held import Held, everything
from simulation.holders import HEEDED, OUTSIDER
from simulation.knowledge import Knowledge
from simulation.machine import Machine
from simulation.people import PURPOSES
from simulation.world import World
from support.passing import Question

MAX_AGE_S = 3_600
HEEDS = ((), (OUTSIDER.address,), (HEEDED.address,))


def wrong(world: World, held: Held) -> Iterator[str]:
    """Yield answers of a machine that do not follow from what it holds."""
    machine, known = held.machine, everything(world, held)
    assert machine.life
    rows = _rows(known)
    for query in _queries(world) if rows else ():
        check = Check(query, MAX_AGE_S, "end", join_rows(rows))
        answer = machine.life.judge.judge(check)
        said = [REASONS[number] for number in answer.reasons]
        for row, one in zip(rows, said, strict=True):
            expected = known.verdict(row, check.query, answer.time)
            if one is expected:
                continue
            if one is not Reason.STALE or not _may_doubt(world, held, known, row, query):
                yield f"{machine.name} says {one} where {expected} is right"
        granted = (row for row, one in zip(rows, said, strict=True) if one is Reason.GRANTED)
        clear = {row.license: row for row in granted if not _may_doubt(world, held, known, row, query)}
        yield from _wrong_time(machine, known, check.query, clear.values())
    yield from _not_revoked(world, held)


def _not_revoked(world: World, held: Held) -> Iterator[str]:
    """Rule 8.13.4: each row of an erased license is revoked."""
    assert held.machine.life
    erased = sorted(held.erased & world.signed.messages.keys())
    rows = [Row(name, item) for name in erased for item in world.signed.messages[name].items]
    for query in _queries(world) if rows else ():
        answer = held.machine.life.judge.judge(Check(query, MAX_AGE_S, "end", join_rows(rows)))
        if {*answer.reasons} != {Reason.REVOKED.number}:
            yield f"{held.machine.name} does not call revoked what it has erased"


def said(world: World, machine: Machine) -> Iterator[tuple[Query, Row, Reason]]:
    """Yield what a machine answers about every row that it knows of."""
    assert machine.life
    rows = _rows(everything(world, Held(machine)))
    for query in _queries(world) if rows else ():
        answer = machine.life.judge.judge(Check(query, MAX_AGE_S, "end", join_rows(rows)))
        for row, number in zip(rows, answer.reasons, strict=True):
            yield query, row, REASONS[number]


def _rows(known: Knowledge) -> list[Row]:
    return [Row(one, item) for one in sorted(known.licenses) for item in known.licenses[one].items]


def _queries(world: World) -> list[Query]:
    queries = [Query(*one) for one in itertools.product(world.people.askers, PURPOSES)]
    return queries + [replace(queries[0], heed=one) for one in HEEDS]


def _wrong_time(machine: Machine, known: Knowledge, query: Query, clear: Iterable[Row]) -> Iterator[str]:
    """Rule 8.16 for each clear row, by the age of what the machine knows."""
    assert machine.life
    for row in clear:
        answer = machine.life.judge.judge(Check(query, MAX_AGE_S, "end", join_rows([row])))
        as_of = machine.life.freshness.view(answer.time, MAX_AGE_S, answer.heed).as_of
        expected = int(known.until(Question(row, query, answer.time), as_of))
        if answer.until != expected:
            yield f"{machine.name} answers until {answer.until}, and not {expected}"


def _may_doubt(world: World, held: Held, known: Knowledge, row: Row, query: Query) -> bool:
    """It lost a revocation or a dispute, or those that it has to ask do not answer or do not heed."""
    if _asks_liars(world, held.machine):
        return True
    heed = query.applied((HEEDED.address,)).heed or ()
    if OUTSIDER.address in heed or (HEEDED.address in heed and HEEDED.address in held.marked):
        return True
    on_item = [name for name, one in known.licenses.items() if row.item in one.items]
    passing = {x: one for x, one in known.passed.items() if {*one.names} & {*on_item}}
    if held.ahead & {*on_item, *passing}:
        return True
    consent = known.licenses[row.license].consent
    people = {*consent.parties, consent.guardian, *(one.terms.signer for one in passing.values())}
    return bool(people & (held.unsure | held.marked))


def _asks_liars(world: World, machine: Machine) -> bool:
    lying = {one.machine.peer_id for one in world.liars if one.is_lying}
    honest = [one for one in machine.friends if one not in lying]
    return len(honest) < min(QUORUM, len(machine.friends))
