"""Mistakes about what is erased and about statements that end, as bugs.py has them about the rest."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import numpy as np

from sayso_node.intake.intake import Intake
from sayso_node.store import erasure, messages
from sayso_node.store.chain import block_dates
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements import ends, licenses
from sayso_node.verdicts import judge
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.traces import endings
from sayso_protocol.traces.duties import Block
from sayso_protocol.traces.landings import UNDATED, HolderLanding
from simulation.bugs import Bug
from simulation.options import Options

Patched = contextlib.AbstractContextManager[Any]
ERASING = Options(machines=2, payers=2, seconds=40.0, messages=10, checks=8, passing=0.3, erasures=2)
ENDING = Options(machines=2, payers=2, seconds=45.0, messages=20, checks=4, passing=0.7, ending=True)


def _what_is_erased_is_forgotten() -> Patched:
    """No tombstone is left, so whoever still has the consent brings it back."""

    def bury(db: Writing, seq: int) -> None:
        db.execute("DELETE FROM messages WHERE seq = ?", (seq,))

    return mock.patch.object(messages, "bury", bury)


def _what_is_erased_comes_in_again() -> Patched:
    """Whether a message is known is asked of what is held, and not of tombstones."""
    known_of, stored = messages.known_of, Intake._stored

    def held_of(db: Writing, digests: Iterable[bytes]) -> set[bytes]:
        asked = list(digests)
        change = "DELETE FROM messages WHERE digest = ? AND kind = ?"
        db.executemany(change, ((one, messages.ERASED) for one in asked))
        return known_of(db, asked)

    def held(self: Intake, cases: Sequence[tuple[Any, Envelope]]) -> dict[bytes, bytes]:
        return {digest: body for digest, body in stored(self, cases).items() if body}

    both = contextlib.ExitStack()
    both.enter_context(mock.patch.object(messages, "known_of", held_of))
    both.enter_context(mock.patch.object(Intake, "_stored", held))
    return both


def _what_is_erased_is_unknown() -> Patched:
    """A row of an erased license is judged as if nobody had ever heard of it."""
    both = contextlib.ExitStack()
    both.enter_context(
        mock.patch.object(judge, "among", lambda names, _erased: np.zeros(len(names), bool))
    )
    both.enter_context(mock.patch.object(erasure, "is_erased", return_value=False))
    return both


def _files_are_not_kept() -> Patched:
    """Of scopes of single files nothing stays, so the trace of what they revoked is another."""

    def nothing(_db: Reading, _one: licenses.Licensed) -> Iterator[Any]:
        return iter(())

    return mock.patch.object(licenses, "_files", nothing)


def _what_is_erased_is_still_listed() -> Patched:
    """The sums of sync still count what was erased, so no round ever finds all alike."""
    return mock.patch.object(erasure, "change_sums", return_value=None)


def _what_has_ended_is_forgotten() -> Patched:
    """No tombstone is left, so peers that are behind bring the statement back."""

    def bury(db: Writing, digest: bytes) -> None:
        db.execute("DELETE FROM messages WHERE digest = ?", (digest,))

    return mock.patch.object(messages, "bury_statement", bury)


def _ended_by_a_clock() -> Patched:
    """Statements end by a clock, which is ahead of the last final block."""
    final = block_dates.final

    def now(db: Reading) -> Block | None:
        last = final(db)
        return last and last._replace(time=last.time and last.time + 60)

    return mock.patch.object(block_dates, "final", now)


def _in_part_is_wholly() -> Patched:
    """What is revoked in part is over with what was revoked, before the license expires."""

    def license_end(
        consent: Consent, landed: Sequence[HolderLanding], times: Mapping[int, int]
    ) -> int | None:
        dated = [times[one.block] for one in landed if one.block != UNDATED and one.block in times]
        return (max(dated) if dated else consent.expires_at) + endings.KEPT_S

    return mock.patch.object(ends, "license_end", license_end)


LASTING_BUGS = {
    "what is erased is forgotten": Bug(_what_is_erased_is_forgotten, ERASING),
    "what is erased comes in again": Bug(_what_is_erased_comes_in_again, ERASING),
    "what is erased is unknown": Bug(_what_is_erased_is_unknown, ERASING),
    "files are not kept": Bug(_files_are_not_kept, ERASING),
    "what is erased is still listed": Bug(_what_is_erased_is_still_listed, ERASING),
    "what has ended is forgotten": Bug(_what_has_ended_is_forgotten, ENDING),
    "ended by a clock": Bug(_ended_by_a_clock, ENDING),
    "in part is wholly": Bug(_in_part_is_wholly, ENDING, first=12),
}
