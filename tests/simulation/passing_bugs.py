"""Mistakes about licenses that are passed on, as bugs.py has them about consents and revocations."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

from sayso_node.intake import intake
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Status
from sayso_node.store.admission import statements
from sayso_node.store.admission.keeper import Step
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements import disputes, passing, sublicenses
from sayso_node.store.statements.sublicenses import GrantColumns, Grants, Met
from sayso_node.sync import asking
from sayso_node.verdicts import judge, knowledge
from sayso_node.verdicts.reliance import Reliance
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import REVOCATION, STATEMENTS
from sayso_protocol.messages.statements.dispute import FILES
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.sync.sets import SETS, SyncSet, all_sets
from sayso_protocol.verdicts import bulk, chains, covering, passed, verdict
from sayso_protocol.verdicts.chains import NEVER, Chain, OpenChains, Passage
from sayso_protocol.verdicts.disputes import Asking, Disputed
from sayso_protocol.verdicts.license_table import Ints
from sayso_protocol.verdicts.passed import Ends
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason
from simulation.bugs import Bug
from simulation.options import Options
from support.protocol_strategies import NETWORK

Patched = contextlib.AbstractContextManager[Any]
PASSING = Options(messages=60, passing=0.8)
CUT_OFF = Options(messages=40, passing=0.8, loss=1.0)


def _together(*patches: Patched) -> Patched:
    both = contextlib.ExitStack()
    for one in patches:
        both.enter_context(one)
    return both


def _to_stops_the_asker_only() -> Patched:
    """`to` is looked for of the asker, not of the consent's grantee or a holder in between."""
    named = covering.subjects

    def subjects(consent: Consent | None, query: Query) -> tuple[str, ...]:
        grantee = covering._to(consent.grantee) if consent and consent.grantee != query.grantee else ()
        return tuple(one for one in named(consent, query) if one not in grantee)

    return _together(
        mock.patch.object(covering, "subjects", subjects),
        mock.patch.object(OpenChains, "_is_stopped", return_value=False),
    )


def _holders_between_are_not_stopped() -> Patched:
    """`to` stops asker and grantee, but nobody between them."""
    return mock.patch.object(OpenChains, "_is_stopped", return_value=False)


def _resale_is_not_asked_for() -> Patched:
    """A sublicense without `resale` is as good a parent as another."""

    def serves(self: Chain, purpose: str, now: float) -> bool:
        terms = [one.terms for one in self.hops]
        return all(one.issued_at <= now < one.expires_at and purpose in one.purposes for one in terms)

    return mock.patch.object(Chain, "serves", serves)


def _revoked_resale_stops_nobody() -> Patched:
    """Rule 8.2 is applied once, for the purpose that is asked for."""
    return mock.patch.object(covering, "needs_chain", return_value=False)


def _withdrawn_is_open() -> Patched:
    """Nobody looks whether a sublicense is withdrawn."""
    return mock.patch.object(chains, "withdrawing", return_value=[])


def _withdrawn_is_called_revoked() -> Patched:
    """Who withdraws a sublicense seems to have revoked, so an honest node seems to lie."""
    judge = verdict.judge_passage

    def judge_passage(purposes: Any, query: Query, passage: Passage | None) -> Reason:
        reason = judge(purposes, query, passage)
        return Reason.REVOKED if reason is Reason.WITHDRAWN else reason

    return _together(
        mock.patch.object(verdict, "judge_passage", judge_passage),
        mock.patch.object(passed, "judge_passage", judge_passage),
    )


def _a_fifth_hop_is_accepted() -> Patched:
    """Chains may be longer than everybody else thinks."""
    longer = replace(LIMITS, depth=5)
    return _together(
        mock.patch.object(sublicenses, "LIMITS", longer), mock.patch.object(statements, "LIMITS", longer)
    )


def _a_parent_of_another_license() -> Patched:
    """A parent counts for all licenses, also for those that it does not name."""
    honest = sublicenses.met_by

    def met_by(db: Reading, message: Sublicense, hashes: Sequence[bytes], grants: Grants) -> Met:
        found = honest(db, message, hashes, grants)
        if not found or message.parent == NO_PARENT:
            return found
        return {min(found): GrantColumns.of([grants[one] for one in hashes if one in grants])}

    return mock.patch.object(sublicenses, "met_by", met_by)


def _a_parent_for_another_holder() -> Patched:
    """Whoever names a sublicense as parent passes it on, whoever its grantee is."""
    honest = sublicenses.met_by

    def met_by(db: Reading, message: Sublicense, hashes: Sequence[bytes], grants: Grants) -> Met:
        if message.parent == NO_PARENT:
            return honest(db, message, hashes, grants)
        parent = sublicenses.sublicense_of(db, message.parent)
        holder = replace(message, signer=parent.grantee) if parent else message
        return honest(db, holder, hashes, grants)

    return mock.patch.object(sublicenses, "met_by", met_by)


def _a_strangers_statement_is_forwarded() -> Patched:
    """What waits is spread like what is kept."""
    honest = intake._outcome

    def outcome(envelope: Envelope, admitted: Admitted) -> Outcome:
        if admitted is Admitted.WAITING:
            return Outcome(Status.PENDING, envelope, is_news=True)
        return honest(envelope, admitted)

    return mock.patch.object(intake, "_outcome", outcome)


def _an_endorsement_counts_at_once() -> Patched:
    """An endorsement is believed before its block is final."""

    def last_final(db: Reading, _step: Step) -> int:
        newest = chain_state.newest(db)
        return newest.number if newest else -1

    return mock.patch.object(statements, "_last_final", last_final)


def _endorsed_before_it_came() -> Patched:
    """Only a new message is compared with endorsements; what waits goes on waiting."""
    return mock.patch.object(statements, "blocks_came", return_value=None)


def _the_first_to_come_counts() -> Patched:
    """Among too many sublicenses those count that came first."""
    return mock.patch.object(passing, "RANK", " ORDER BY sublicense")


def _until_the_longest_clock() -> Patched:
    """An answer may be relied on until the consent expires, whatever `recheckHours` it has."""
    of_licenses = Reliance.of_licenses

    def longest(self: Reliance, shelf: TableCache, used: Ints, ends: Ends | None) -> Ends:
        until = of_licenses(self, shelf, used, ends)
        until[until > NEVER] = shelf.table.licenses[used]["expires"][until > NEVER]
        return until

    return mock.patch.object(Reliance, "of_licenses", longest)


def _a_foreign_chain_id_does_nothing() -> Patched:
    """A revocation signed under another chain id is taken in, and its bits are not."""
    admit = Intake._admit

    def deaf(
        self: Intake, db: Writing, bundles: Sequence[Sequence[Envelope]], *rest: Any
    ) -> list[tuple[list[Admitted], int]]:
        ours = [[one for one in bundle if counts(one)] for bundle in bundles]
        admitted = admit(self, db, ours, *rest)
        return [
            (with_covered(bundle, outcomes), merged)
            for bundle, (outcomes, merged) in zip(bundles, admitted, strict=True)
        ]

    def counts(one: Envelope) -> bool:
        return one.message.kind != REVOCATION or one.network.chain_id == NETWORK.chain_id

    def with_covered(bundle: Sequence[Envelope], outcomes: Sequence[Admitted]) -> list[Admitted]:
        rest = iter(outcomes)
        return [next(rest) if counts(one) else Admitted.COVERED for one in bundle]

    return mock.patch.object(Intake, "_admit", deaf)


def _statements_are_not_synced() -> Patched:
    """What gossip did not bring stays away after a partition."""
    numbers = {SETS[kind].number for kind in STATEMENTS}

    def some() -> Iterator[SyncSet] | Iterable[SyncSet]:
        return [one for one in all_sets() if one.number not in numbers]

    return mock.patch.object(asking, "all_sets", some)


def _nothing_is_completed() -> Patched:
    """A sublicense that waited for its parent goes on waiting when it comes."""
    return mock.patch.object(statements, "_complete", return_value=None)


def _a_dispute_stops_nothing() -> Patched:
    """Disputes are kept, and no verdict asks for them."""
    return mock.patch.object(disputes, "any_held", return_value=False)


def _a_withdrawn_dispute_stops_rows() -> Patched:
    """Nobody looks whether a dispute is withdrawn."""

    def all_of_them(_known: Any, found: Iterable[Disputed]) -> set[bytes]:
        return {one.hash for one in found}

    return mock.patch.object(knowledge, "not_withdrawn", all_of_them)


def _an_ended_dispute_stops_rows() -> Patched:
    """Once begun, a dispute lasts for ever."""
    at_its_end = disputes._IN_FORCE.replace("expires_at >", "0 <>")
    return mock.patch.object(disputes, "_IN_FORCE", at_its_end)


def _disputed_is_judged_before_revoked() -> Patched:
    """A dispute hides that a row is revoked, in checks."""
    honest = bulk.judge_rows

    def judge_rows(table: Any, known: Any, rows: bytes, query: Query, *rest: Any) -> Any:
        judged = honest(table, known, rows, query, *rest)
        for at in range(len(judged.reasons)):
            item = rows[at * 64 + 32 : at * 64 + 64]
            asking = Asking(FILES, query.heed or (), rest[0])
            if judged.entries[at] >= 0 and asking.heed and known.disputed([item], asking):
                judged.reasons[at] = Reason.DISPUTED.number
        return judged

    return mock.patch.object(judge, "judge_rows", judge_rows)


PASSING_BUGS = {
    "to stops the asker only": Bug(_to_stops_the_asker_only, PASSING, first=2),
    "holders between are not stopped": Bug(_holders_between_are_not_stopped, PASSING, first=18),
    "resale is not asked for": Bug(_resale_is_not_asked_for, PASSING, first=1),
    "revoked resale stops nobody": Bug(_revoked_resale_stops_nobody, PASSING),
    "withdrawn is open": Bug(_withdrawn_is_open, PASSING),
    "withdrawn is called revoked": Bug(_withdrawn_is_called_revoked, PASSING),
    "a fifth hop": Bug(_a_fifth_hop_is_accepted, PASSING, first=2),
    "a parent of another license": Bug(_a_parent_of_another_license, PASSING, first=1),
    "a parent for another holder": Bug(_a_parent_for_another_holder, PASSING),
    "a stranger's statement is forwarded": Bug(_a_strangers_statement_is_forwarded, PASSING),
    "endorsed before it is final": Bug(_an_endorsement_counts_at_once, PASSING),
    "what is endorsed goes on waiting": Bug(_endorsed_before_it_came, PASSING, first=5),
    "the first to come counts": Bug(_the_first_to_come_counts, PASSING),
    "until of the longest clock": Bug(_until_the_longest_clock, PASSING),
    "a foreign chain id": Bug(_a_foreign_chain_id_does_nothing, PASSING),
    "statements are not synced": Bug(_statements_are_not_synced, CUT_OFF),
    "nothing is completed": Bug(_nothing_is_completed, PASSING),
    "a dispute stops nothing": Bug(_a_dispute_stops_nothing, PASSING, first=1),
    "a withdrawn dispute stops rows": Bug(_a_withdrawn_dispute_stops_rows, PASSING, first=4),
    "an ended dispute stops rows": Bug(_an_ended_dispute_stops_rows, PASSING, first=3),
    "disputed before revoked": Bug(_disputed_is_judged_before_revoked, PASSING, first=3),
}
