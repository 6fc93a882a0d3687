"""Buyers ask while everything breaks; each answer is held against what the machine was told.

A node may always say no. It must not say `granted` where a revocation that it let in, or that all its
honest peers had kept for longer than the buyer's maximum age, says otherwise.
"""

import asyncio
from random import Random

from sayso_node.freshness import QUORUM
from sayso_node.verdicts.judge import Check, CheckResult
from sayso_protocol.errors import SaysoError
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.rows import row_at
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from simulation.holders import HEEDED, OUTSIDER
from simulation.knowledge import Knowledge, joined
from simulation.machine import Machine
from simulation.people import PURPOSES
from simulation.world import World

MAX_AGES_S = (3, 10, 60, 600, 3_600)
HEEDS = (None, None, (), (HEEDED.address,), (OUTSIDER.address,))  # nobody heeds the outsider
ROWS = 8
SLACK_S = 1.0


class Buyers:
    """Ask every honest machine."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = Random(f"{world.seed}/buyers")
        self.granted = 0
        for machine in world.machines:
            machine.on_judged = self.judged
        self.begin()

    def begin(self) -> None:
        """Ask while there is trouble."""
        for machine in self.world.machines:
            self.world.spawn(self._ask_often(machine))

    async def _ask_often(self, machine: Machine) -> None:
        options = self.world.options
        for _ in range(options.checks):
            await asyncio.sleep(self.random.uniform(0, 2 * options.seconds / options.checks))
            if machine.is_up and machine.life and (rows := self.rows()):
                await asyncio.wait([machine.do(ask(machine, self._check(rows)))])

    def rows(self) -> list[Row]:
        """Some of what people licensed, with an item that may not be theirs."""
        consents = self.world.people.consents
        chosen = self.random.sample(consents, min(ROWS, len(consents)))
        return [Row(one.digest, self.random.choice(one.items)) for one in chosen]

    def _check(self, rows: list[Row]) -> Check:
        asker, purpose = self.random.choice(self.world.people.askers), self.random.choice(PURPOSES)
        query = Query(asker, purpose, self.random.choice(HEEDS))
        return Check(query, self.random.choice(MAX_AGES_S), "run", join_rows(rows))

    def judged(
        self, machine: Machine, check: Check, answer: CheckResult, statuses: list[Reason]
    ) -> None:
        """Hold an answer against everything, in the moment in which it is given."""
        self.world.note(machine.name, answer.reasons)
        for at, number in enumerate(answer.reasons):
            reason, row = REASONS[number], row_at(check.rows, at)
            if reason is not statuses[at]:
                self.world.fail(
                    f"{machine.name} says {reason} in a check and {statuses[at]} as a status"
                )
            if row.license in machine.erased and reason is not Reason.REVOKED:
                self.world.fail(f"{machine.name} says {reason} of a license that it has erased")
            if reason is Reason.GRANTED:
                self.granted += 1
                self._hold_to_what_it_was_told(machine, row, check.query, answer.time)
                self._hold_to_what_its_peers_kept(machine, row, check)

    def _hold_to_what_it_was_told(self, machine: Machine, row: Row, query: Query, now: float) -> None:
        # It may hold a consent that it was told of in an earlier life, without having told anybody.
        known = joined(self.world.signed, machine.told).verdict(row, query, now)
        if known is not Reason.GRANTED and not self._may_hold_more(machine, row, query, now):
            self.world.fail(f"{machine.name} says granted, but was told what makes it {known}")

    def _may_hold_more(self, machine: Machine, row: Row, query: Query, now: float) -> bool:
        """So it is with sublicenses, unless what it was told stops the row with all of them."""
        everything = joined(self.world.signed, machine.told)
        everything.passed = self.world.signed.passed
        return machine.crashes > 0 and everything.verdict(row, query, now) is Reason.GRANTED

    def _hold_to_what_its_peers_kept(self, machine: Machine, row: Row, check: Check) -> None:
        """Rule 8.9: it claims to have asked two configured peers, or all, within the maximum age."""
        by_id = {one.peer_id: one for one in self.world.everybody}
        friends = [by_id[name] for name in machine.friends]
        honest = [one for one in friends if not one.lies]
        if len(friends) - len(honest) >= min(QUORUM, len(friends)):
            return  # all it asked may have lied
        age_s = check.max_age_s + machine.clock.put_back_s + SLACK_S
        before = self.world.loop.time() - age_s
        kept = Knowledge()
        for envelope in (*self.world.people.consents, *self.world.people.revocations):
            if all(one.first_told.get(envelope.digest, before) < before for one in honest):
                kept.hear(envelope)
        if kept.speaks_against(row, check.query):
            self.world.fail(
                f"{machine.name} says granted; all its peers kept a revocation {age_s} s ago"
            )


async def ask(machine: Machine, check: Check) -> None:
    """One check; a node that cannot read or write says so, and that is no answer."""
    if machine.life:
        try:
            await machine.life.check(check)
        except SaysoError:
            return
