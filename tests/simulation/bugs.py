"""Mistakes that somebody could make, as switches: each patches production code while a run lasts.

A checker that never fails shows nothing. So each mistake must be found, by the simulation alone, within
a few seeds of the trouble that brings it out; tests/simulation/test_bugs.py holds that.

    with BUGS["lost fsync"].switched_on():
        result = simulate("7", BUGS["lost fsync"].trouble)
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from sayso_node.chain.following.follower import Follower
from sayso_node.freshness import ChainHead, Freshness, View
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_node.store import messages
from sayso_node.store.admission import marks, revocations
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.chain import chain_state, intents, relays
from sayso_node.store.interface import Writing
from sayso_node.store.revocations import bits
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.sqlite.engine import Engine
from sayso_node.sync.asking import SyncRounds
from sayso_node.verdicts.signer import Signer
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.permissions import state_digest
from sayso_protocol.permissions.state_digest import StateEntry
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.receipts.receipt import Acknowledgement, ChainPoint, sign_statement
from sayso_protocol.receipts.text import AcknowledgementJson, acknowledgement_json
from sayso_protocol.verdicts.query import Heed
from simulation.holders import HEEDED
from simulation.options import Options
from support.protocol_strategies import NETWORK
from support.rebuilding import rebuild_bits

Patch = Callable[[], contextlib.AbstractContextManager[Any]]
CRASHES = Options(crashes=5, restarts=1, messages=20)
AT_COMMIT = Options(crashes=5, crashes_at_commit=True, messages=24)
DEAF = Options(machines=2, payers=0, loss=0.9, failure=0.7, messages=30, checks=40)
CONFUSED = Options(machines=2, clock_jumps=80, skew_s=60.0, messages=60, checks=90, endpoint_failure=0.8)
FRAMED = Options(liars=1, lies=("frame",), liars_go_on=True, messages=8, checks=4)
SMALL = PendingRoom(pending=1, source=1, signer=1, marks=64)


@dataclass(frozen=True)
class Bug:
    """A mistake, the trouble in which it does harm, and the seed from which on it is looked for."""

    patch: Patch
    trouble: Options
    first: int = 0

    @contextlib.contextmanager
    def switched_on(self) -> Iterator[None]:
        """Production code has this mistake until the block ends."""
        with self.patch():
            yield


def _xor_sums() -> contextlib.AbstractContextManager[Any]:
    """The digest of the state is an XOR: linear algebra breaks it."""

    def changed_sum(
        total: bytes, added: Iterable[StateEntry], removed: Iterable[StateEntry] = ()
    ) -> bytes:
        components = np.frombuffer(total, state_digest._COMPONENT).astype(np.uint16)
        for entry in (*added, *removed):
            if entry[2]:
                components ^= state_digest._expand(entry)
        return components.astype(state_digest._COMPONENT).tobytes()

    return mock.patch.object(bits, "changed_sum", changed_sum)


def _lost_fsync() -> contextlib.AbstractContextManager[Any]:
    """A commit does not wait for the disk."""
    connect = Engine._connect

    def careless(self: Engine) -> SqliteConnection:
        db = connect(self)
        db.execute("PRAGMA synchronous = OFF")
        return db

    return mock.patch.object(Engine, "_connect", careless)


def _no_marks() -> contextlib.AbstractContextManager[Any]:
    """A pending revocation is dropped without a mark."""

    return mock.patch.object(marks, "leave", return_value=None)


def _seen_before_verified() -> contextlib.AbstractContextManager[Any]:
    """A digest counts as known before its signature was looked at."""
    stored = Intake._stored

    def hasty(self: Intake, cases: Sequence[tuple[Any, Envelope]]) -> dict[bytes, bytes]:
        known = stored(self, cases)
        seen = self.__dict__.setdefault("_hasty", set())
        for _, envelope in cases:
            if envelope.digest in seen:
                known[envelope.digest] = envelope.body
            seen.add(envelope.digest)
        return known

    return mock.patch.object(Intake, "_stored", hasty)


def _known_is_not_verified() -> contextlib.AbstractContextManager[Any]:
    """A message whose digest is known is not looked at again, whatever its bytes are."""
    stored = Intake._stored

    def trusting(self: Intake, cases: Sequence[tuple[Any, Envelope]]) -> dict[bytes, bytes]:
        known = stored(self, cases)
        return known | {one.digest: one.body for _, one in cases if one.digest in known}

    return mock.patch.object(Intake, "_stored", trusting)


def _company_of_known() -> contextlib.AbstractContextManager[Any]:
    """Whether a contract wallet's message has company is asked of new messages only."""
    check = Intake._check_company

    def forgiving(self: Intake, cases: Sequence[Any]) -> None:
        known = self._stored([(case, case.envelope) for case in cases if case.envelope])
        check(self, [one for one in cases if one.envelope and one.envelope.digest not in known])

    return mock.patch.object(Intake, "_check_company", forgiving)


def _unverified_sync() -> contextlib.AbstractContextManager[Any]:
    """What sync brings is believed."""
    take, check = Intake.take, Envelope.check_signatures
    trusting = False

    async def careless(self: Intake, bundle: Sequence[bytes], source: Source) -> list[Outcome]:
        nonlocal trusting
        trusting = source.channel is SourceChannel.SYNC
        return await take(self, bundle, source)

    def checked(self: Envelope, wallets: Any) -> None:
        if not trusting:
            check(self, wallets)

    both = contextlib.ExitStack()
    both.enter_context(mock.patch.object(Intake, "take", careless))
    both.enter_context(mock.patch.object(Envelope, "check_signatures", checked))
    return both


def _answered_before_kept() -> contextlib.AbstractContextManager[Any]:
    """Messages are reported as stored while they are being written."""

    async def keep(self: Intake, cases: list[Any], source: Source, block_time: float) -> None:
        envelopes = [case.envelope for case in cases]
        writing = self._store.write(lambda db: self._admit(db, [envelopes], source, block_time))
        task = asyncio.create_task(writing)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        for case in cases:
            case.outcome = Outcome(Status.STORED, case.envelope, is_news=True)

    return mock.patch.object(Intake, "_keep", keep)


def _acknowledgement_not_kept() -> contextlib.AbstractContextManager[Any]:
    """Whoever brings a revocation again gets another acknowledgement."""

    async def acknowledge(self: Signer, envelope: Envelope) -> AcknowledgementJson:
        key, now = bytes(self._identity.verify_key), int(self._clock.now())
        statement = Acknowledgement(NETWORK, key, envelope.digest, self._freshness.head.point, now)
        return acknowledgement_json(sign_statement(self._identity, statement))

    return mock.patch.object(Signer, "acknowledge", acknowledge)


def _promises_by_the_clock() -> contextlib.AbstractContextManager[Any]:
    """A promise has the time of the clock, even after that was put back."""
    return mock.patch.object(messages, "noted_time", return_value=0)


def _numbers_in_memory() -> contextlib.AbstractContextManager[Any]:
    """Receipts are counted in memory."""

    def next_number(db: Any, _name: str) -> int:
        db.counted = getattr(db, "counted", 0) + 1
        counted: int = db.counted
        return counted

    return mock.patch.object(messages, "next_number", next_number)


def _reorganisation_clears_bits() -> contextlib.AbstractContextManager[Any]:
    """A fork that is gone takes its revocations with it."""
    rewind = chain_state.rewind

    def forgetful(db: Writing, number: int) -> None:
        rewind(db, number)
        db.execute("UPDATE bits SET chain = ?", (bytes(HASH_BYTES),))
        rebuild_bits(db)

    return mock.patch.object(chain_state, "rewind", forgetful)


def _cursor_before_events() -> contextlib.AbstractContextManager[Any]:
    """How far the chain was read is kept before what was read."""

    async def read_range(self: Follower, base: ChainPoint, last: int, head: ChainHead) -> ChainPoint:
        events = await self._chain.events(base.number + 1, last)
        await self._store.write(lambda db: chain_state.advance(db, head.point))
        await self._store.write(lambda db: self._keeper.keep(db, events))
        return head.point

    return mock.patch.object(Follower, "_read_range", read_range)


def _transaction_not_kept() -> contextlib.AbstractContextManager[Any]:
    """What was sent is not kept, so it is signed anew each time."""
    return mock.patch.object(intents, "keep_signed", return_value=None)


def _not_wanted() -> contextlib.AbstractContextManager[Any]:
    """What is acknowledged is not queued for the chain."""
    return mock.patch.object(relays, "want", return_value=None)


def _failed_rounds_count() -> contextlib.AbstractContextManager[Any]:
    """A round of sync that broke off counts."""
    once = SyncRounds.round

    async def generous(self: SyncRounds, peer_id: str) -> bool:
        begun = self._clock.now()
        await once(self, peer_id)
        self._freshness.peer_synced(peer_id, begun, [HEEDED.address])
        return True

    return mock.patch.object(SyncRounds, "round", generous)


def _arrival_does_not_matter() -> contextlib.AbstractContextManager[Any]:
    """A consent that has just come is as good as one about which everybody was asked."""

    honest = Freshness.view

    def view(self: Freshness, now: float, max_age_s: float, heed: Heed = ()) -> View:
        found = honest(self, now, max_age_s, heed)
        if self.dispute or now - self.head.time > max_age_s:
            return found
        return View(self.head, self.head.time, now + 1, None)

    return mock.patch.object(Freshness, "view", view)


def _last_writer_wins() -> contextlib.AbstractContextManager[Any]:
    """Bits replace what was there."""
    return mock.patch.object(bits, "_rows_of", return_value=[])


def _early_is_wrong_for_ever() -> contextlib.AbstractContextManager[Any]:
    """What came too early by our clock is remembered as wrong."""

    def remember(self: Intake, name: bytes, error: SaysoError) -> None:
        self._failures[name] = lambda: type(error)(*error.args)

    return mock.patch.object(Intake, "_remember", remember)


def _nothing_is_promoted() -> contextlib.AbstractContextManager[Any]:
    """What waited for a consent goes on waiting when it comes."""
    return mock.patch.object(revocations, "promote", return_value=None)


BUGS = {
    "XOR sums": Bug(_xor_sums, Options()),
    "lost fsync": Bug(_lost_fsync, CRASHES),
    "evicted without a mark": Bug(
        _no_marks,
        Options(machines=2, payers=0, messages=60, loss=1.0, failure=0.5, cuts=6, checks=80, room=SMALL),
        first=4,
    ),
    "seen before verified": Bug(
        _seen_before_verified, Options(liars=1, lies=("forge",), liars_go_on=True, messages=20)
    ),
    "known is not verified": Bug(_known_is_not_verified, FRAMED),
    "company of known messages": Bug(_company_of_known, FRAMED),
    "sync is believed": Bug(
        _unverified_sync, Options(liars=1, lies=("forge",), loss=0.9, cuts=2, messages=20)
    ),
    "answered before it is kept": Bug(_answered_before_kept, AT_COMMIT),
    "acknowledgement not kept": Bug(_acknowledgement_not_kept, Options(messages=30)),
    "promises by the clock": Bug(_promises_by_the_clock, CONFUSED),
    "receipts counted in memory": Bug(_numbers_in_memory, CRASHES),
    "a dropped fork clears bits": Bug(_reorganisation_clears_bits, Options(reorgs=4, vanishing=0.9)),
    "cursor before events": Bug(_cursor_before_events, AT_COMMIT),
    "transaction not kept": Bug(_transaction_not_kept, Options()),
    "acknowledged, and not relayed": Bug(_not_wanted, Options()),
    "a failed round counts": Bug(_failed_rounds_count, DEAF, first=12),
    "arrival does not matter": Bug(_arrival_does_not_matter, DEAF),
    "last writer wins": Bug(_last_writer_wins, Options(messages=30)),
    "early is wrong for ever": Bug(_early_is_wrong_for_ever, Options(messages=30, skew_s=600.0)),
    "nothing is promoted": Bug(
        _nothing_is_promoted,
        Options(machines=2, payers=0, messages=60, loss=1.0, failure=0.7, checks=40),
        first=60,
    ),
}
