"""Verifies incoming messages and stores them; gossip, sync and HTTP all deliver through it.

The checks run in the order of rules 7.4 to 7.9: first, over the whole bundle, those that depend on its
bytes alone, signatures included; then those that depend on what this node holds, its chain and clock. So
all nodes reject the same bundles. Failures are remembered by the hash of the message's bytes, so an
invalid message cannot block a valid one with the same digest.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import assert_never

from nacl.signing import SigningKey

from sayso_node.chain.wallets.contract_wallets import Answers, ContractWallets
from sayso_node.errors import NoRoom
from sayso_node.freshness import Freshness
from sayso_node.intake.admissions import ADMISSIONS, Circumstances, admit
from sayso_node.intake.given_signatures import in_form
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_node.interfaces import Clock
from sayso_node.store import messages
from sayso_node.store.admission import pending, statements
from sayso_node.store.admission.keeper import Keeper, Step
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.interface import Store, Writing
from sayso_node.store.statements.waiting import StatementRoom
from sayso_node.supervision.counters import Counters, arrivals
from sayso_node.supervision.logs import logger
from sayso_node.supervision.workers import Runner, at_once, in_thread
from sayso_protocol.errors import (
    FromTheFuture,
    Malformed,
    NotSponsored,
    SaysoError,
    Unsupported,
    is_rejected,
)
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, decode_all
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.wire import TOPICS
from sayso_protocol.network import Network
from sayso_protocol.primitives import sha256
from sayso_protocol.signatures.wallets import EoaVerifier

log = logger(__name__)

REMEMBERED_FAILURES = 4_096
NEWS = frozenset((Admitted.STORED, Admitted.HELD))  # what peers may need
AT_ONCE_BYTES = 4_096  # bytes of a bundle; larger bundles are verified in a thread


@dataclass
class _Case:
    """A message during intake; while it has no outcome, it has passed all checks so far."""

    name: bytes  # SHA-256 of the envelope's bytes
    envelope: Envelope | None = None
    outcome: Outcome | None = None


class Intake:
    """Verifies and stores messages; a message reported as stored is on disk."""

    def __init__(
        self,
        network: Network,
        store: Store,
        wallets: ContractWallets,
        freshness: Freshness,
        identity: SigningKey,
        clock: Clock,
        counters: Counters,
        room: PendingRoom = PendingRoom(),  # noqa: B008 - immutable
        quotas: Quotas = Quotas(),  # noqa: B008 - immutable
        runner: Runner = in_thread,
        waiting: StatementRoom = StatementRoom(),  # noqa: B008 - immutable
        heeded: frozenset[bytes] = frozenset(),
        finality: int = 0,
        outbox: Callable[[Writing, Sequence[Envelope], float], None] | None = None,
    ) -> None:
        """Keep the parts; `outbox` notes new messages of users, in the transaction that stores them."""
        self._network = network
        self._store = store
        self._wallets = wallets
        self._freshness = freshness
        self._identity = identity
        self._clock = clock
        self._counters = counters
        self._room = room
        ours = bytes(identity.verify_key)
        quotas = quotas._replace(operators=quotas.operators | {ours})
        self.keeper = Keeper(ours, quotas, heeded, waiting, room.for_marks, finality)
        self._runner = runner
        self._outbox = outbox
        self._failures: OrderedDict[bytes, Callable[[], SaysoError]] = OrderedDict()

    async def heed(self) -> None:
        """Keep the waiting disputes of addresses that are heeded since this start (rule 7.17.9)."""
        step = Step(self.keeper, self._network, self._clock.now())
        await self._store.write(lambda db: statements.heed(db, step))

    def blocks_came(self, db: Writing) -> None:
        """Admit what was endorsed in blocks that are final now, in the transaction that stores them."""
        statements.blocks_came(db, Step(self.keeper, self._network, self._clock.now()))

    def start(self) -> None:
        """Report marks that this store merged in earlier runs; the store must be open."""
        with self._store.read() as db:
            self._say_merged(pending.load(db).merged)

    async def in_form(self, envelope: Envelope, source: Source) -> Envelope:
        """Return a message whose signature comes from a wallet in the form of rule 4.4 (see in_form)."""
        point = self._freshness.head.point
        return await in_form(envelope, lambda claims: self._wallets.ask(claims, source.name, point))

    async def take(self, bundle: Sequence[bytes], source: Source) -> list[Outcome]:
        """Take in the envelopes of a bundle; each gets its own outcome."""
        # Verifying a few messages takes less time than handing them to a thread.
        run = at_once if sum(map(len, bundle)) <= AT_ONCE_BYTES else self._runner
        cases = await run(partial(self._examine, bundle, source))
        head = self._freshness.head
        claims = [one.claim for _, one in _undecided(cases) if one.claim.is_contract_wallets]
        answers = await self._wallets.ask(claims, source.name, head.point)
        await run(partial(self._decide, cases, answers))
        fresh = [case for case, _ in _undecided(cases)]
        if fresh:
            await self._keep(fresh, source, head.time)
        outcomes = [case.outcome for case in cases if case.outcome]
        self._count(outcomes, source)
        return outcomes

    def _examine(self, bundle: Sequence[bytes], source: Source) -> list[_Case]:
        """Run every [REJECT] check; then set aside what is known."""
        cases = [_Case(sha256(data)) for data in bundle]
        self._read(cases, bundle)
        stored = self._stored(_undecided(cases))
        if source.channel is SourceChannel.GOSSIP:
            self._check_company(cases)
        for case, envelope in _undecided(cases):
            if stored.get(envelope.digest) != envelope.body:
                self._guard(case, self._verify, envelope, source)
        # [IGNORE] 7.7.1 The message is not known yet.
        for case, envelope in _undecided(cases):
            if envelope.digest in stored:
                case.outcome = Outcome(Status.KNOWN, envelope)
        return cases

    def _decide(self, cases: Sequence[_Case], answers: Answers) -> None:
        for case, envelope in _undecided(cases):
            self._guard(case, self._judge, envelope, answers)

    def _read(self, cases: Sequence[_Case], bundle: Sequence[bytes]) -> None:
        """[REJECT] 7.4.1 Messages are canonical, of this network and within the limits."""
        unread = [at for at, case in enumerate(cases) if case.name not in self._failures]
        for case in cases:
            if failure := self._failures.get(case.name):
                case.outcome = Outcome(Status.REFUSED, error=failure())
        for at, one in zip(
            unread, decode_all([bundle[at] for at in unread], self._network), strict=True
        ):
            if isinstance(one, SaysoError):
                self._refuse(cases[at], one)
            else:
                cases[at].envelope = one

    def _guard(self, case: _Case, step: Callable[..., None], *arguments: object) -> None:
        """Run one check; if it raises, the message is refused with that error."""
        try:
            step(case, *arguments)
        except SaysoError as error:
            self._refuse(case, error)

    def _refuse(self, case: _Case, error: SaysoError) -> None:
        self._remember(case.name, error)
        case.outcome = Outcome(Status.REFUSED, case.envelope, error)

    def _stored(self, cases: Sequence[tuple[_Case, Envelope]]) -> dict[bytes, bytes]:
        """Return, by digest, the bytes that are stored of these messages; they were verified before."""
        with self._store.read() as db:
            return messages.bodies_of(db, [envelope.digest for _, envelope in cases])

    def _check_company(self, cases: Sequence[_Case]) -> None:
        """[REJECT] 4.4.17 In gossip, a message that only the chain can judge is alone in its bundle.

        The refusal is not remembered, because the bundle is wrong and the message is not.
        """
        for case, envelope in _undecided(cases):
            if len(cases) > 1 and envelope.claim.travels_alone:
                error = Malformed("a contract wallet's message is not alone in its bundle")
                case.outcome = Outcome(Status.REFUSED, envelope, error)

    def _verify(self, _case: _Case, envelope: Envelope, source: Source) -> None:
        """Rules 7.5 and 7.6; the chain is asked later, because its answer depends on the block."""
        # [REJECT] 7.5 A consent from a peer has a sponsor.
        if source.channel is not SourceChannel.HTTP:
            envelope.check_sponsored()
        # [REJECT] 7.6 The signatures are valid, also those of a message whose digest is known.
        with suppress(Unsupported):
            envelope.check_signatures(EoaVerifier())

    def _judge(self, case: _Case, envelope: Envelope, answers: Answers) -> None:
        # [IGNORE] 7.7.2 A contract wallet accepts its signature.
        if envelope.claim.is_contract_wallets:
            answers.check(*envelope.claim)
        # [IGNORE] 7.8 The message is not from the future.
        message, kind = envelope.message, kind_of(envelope.message)
        if ADMISSIONS[message.kind].issued_at(message) > self._clock.now() + LIMITS.clock_skew_s:
            raise FromTheFuture(f"the {kind.name} is dated more than ten minutes ahead")
        if kind.is_sponsored and envelope.sponsor is None:
            case.envelope = envelope.sponsored_by(self._identity)

    async def _keep(self, cases: list[_Case], source: Source, block_time: float) -> None:
        """[IGNORE] 7.9 The message brings something new; this is decided in the writing transaction."""
        envelopes = [case.envelope for case in cases if case.envelope]
        admitted, merged = await self._store.join(
            (id(self), source.name, block_time),
            lambda db, bundles: self._admit(db, bundles, source, block_time),
            envelopes,
            len(envelopes),
        )
        for case, envelope, one in zip(cases, envelopes, admitted, strict=True):
            case.outcome = _outcome(envelope, one)
        self._say_merged(merged)

    def _say_merged(self, merged: int) -> None:
        if merged and not self._counters.snapshot()["marks_merged"]:  # log it once
            log.error("marks-merged")
        self._counters.add("marks_merged", merged)

    def _admit(
        self,
        db: Writing,
        bundles: Sequence[Sequence[Envelope]],
        source: Source,
        block_time: float,
    ) -> list[tuple[list[Admitted], int]]:
        """Admit bundles of a source; returns the outcomes of each, and how many marks were merged."""
        before = pending.load(db).merged
        at = Circumstances(self.keeper, self._room, source.name, self._clock.now(), block_time)
        envelopes = [one for bundle in bundles for one in bundle]
        found = admit(db, envelopes, at)
        if self._outbox:
            pairs = zip(envelopes, found, strict=True)
            self._outbox(db, [one for one, how in pairs if how in NEWS], at.now)
        outcomes = iter(found)
        merged = max(0, pending.load(db).merged - before)  # a bitmap may have been dropped
        admitted = [list(islice(outcomes, len(bundle))) for bundle in bundles]
        return [(one, 0 if place else merged) for place, one in enumerate(admitted)]

    def _remember(self, name: bytes, error: SaysoError) -> None:
        """Remember a failure if the message is wrong for good, wherever it comes from.

        A missing sponsor is wrong only between peers: the author may still submit the message by HTTP.
        """
        if is_rejected(error) and not isinstance(error, NotSponsored):
            # A new error each time: a raised error would keep the message in its traceback.
            self._failures[name] = partial(type(error), *error.args)
            if len(self._failures) > REMEMBERED_FAILURES:
                self._failures.popitem(last=False)

    def _count(self, outcomes: Sequence[Outcome], source: Source) -> None:
        for status, count in Counter(one.status for one in outcomes).items():
            self._counters.add(f"intake_{status}", count)
        for one in outcomes:
            if one.envelope and one.status is Status.STORED:
                topic = TOPICS[one.envelope.message.kind]
                self._counters.add(arrivals(source.channel, topic))


def _undecided(cases: Sequence[_Case]) -> list[tuple[_Case, Envelope]]:
    """The messages that were decoded and have passed all checks so far."""
    return [(case, case.envelope) for case in cases if case.envelope and not case.outcome]


def _outcome(envelope: Envelope, admitted: Admitted) -> Outcome:
    """The outcome that a user or a peer gets."""
    match admitted:
        case Admitted.STORED:
            return Outcome(Status.STORED, envelope, is_news=admitted in NEWS)
        case Admitted.COVERED:
            return Outcome(Status.KNOWN, envelope)
        case Admitted.HELD:
            return Outcome(Status.PENDING, envelope, is_news=admitted in NEWS)
        case Admitted.WAITING:
            return Outcome(Status.PENDING, envelope)
        case Admitted.DECLINED:
            name = kind_of(envelope.message).name
            error = NoRoom(f"this node's quota for {name}s of this sponsor is full; try another node")
            return Outcome(Status.REFUSED, envelope, error)
        case _ as never:
            assert_never(never)
