"""The one door: bytes in, verified messages in the store. Gossip, sync and HTTP all come through here.

The guards stand in the order of rules 7.4 to 7.9. A message is remembered as known only after its
signature was verified; failures are remembered by the hash of their bytes, so that garbage under a
victim's digest blocks nothing.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from nacl.signing import SigningKey

from sayso_node.counters import Counters
from sayso_node.interfaces import Clock
from sayso_node.outcome import Outcome, Source, Status
from sayso_node.store import messages
from sayso_node.store.engine import Engine
from sayso_protocol.envelope import Envelope, decode
from sayso_protocol.errors import FromTheFuture, Gossip, NotSponsored, SaysoError
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages import Consent
from sayso_protocol.primitives import sha256
from sayso_protocol.signatures import WalletVerifier
from sayso_protocol.typed_data import Network

REMEMBERED_FAILURES = 4_096


class Intake:
    """Takes messages in; what it reports as stored is on disk."""

    def __init__(
        self,
        network: Network,
        store: Engine,
        wallets: WalletVerifier,
        identity: SigningKey,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._network = network
        self._store = store
        self._wallets = wallets
        self._identity = identity
        self._clock = clock
        self._counters = counters
        self._failures: OrderedDict[bytes, Callable[[], SaysoError]] = OrderedDict()

    async def take(self, bundle: Sequence[bytes], source: Source) -> list[Outcome]:
        """Take the envelopes of a bundle in, in order; each is judged by itself."""
        judged = [self._judge(data, source) for data in bundle]
        fresh = [one.envelope for one in judged if one.envelope and one.status is Status.STORED]
        stored = iter(await self._store.write(lambda db: self._add(db, fresh))) if fresh else iter(())
        outcomes = [
            Outcome(Status.KNOWN, one.envelope)
            if one.status is Status.STORED and not next(stored)
            else one
            for one in judged
        ]
        for outcome in outcomes:
            self._count(outcome, source)
        return outcomes

    def _judge(self, data: bytes, source: Source) -> Outcome:
        """Everything that can be said without writing; STORED means: to be stored."""
        name = sha256(data)
        if failure := self._failures.get(name):
            return Outcome(Status.REFUSED, error=failure())
        envelope = None
        try:
            # [REJECT] 7.4 It is a canonical message of this network within the limits.
            envelope = decode(data, self._network)
            return self._guard(envelope, source)
        except SaysoError as error:
            self._remember(name, error)
            return Outcome(Status.REFUSED, envelope, error)

    def _guard(self, envelope: Envelope, source: Source) -> Outcome:
        """Rules 7.5 to 7.8; raises what the message is refused for."""
        # [REJECT] 7.5 Between peers, a consent has a sponsor.
        if source is not Source.HTTP:
            envelope.check_sponsored()
        # [IGNORE] 7.6 It is not known yet. (It was verified when it became known.)
        with self._store.read() as db:
            if messages.is_known(db, envelope.digest):
                return Outcome(Status.KNOWN, envelope)
        # [REJECT] 7.7 The signatures are right.
        envelope.check_signatures(self._wallets)
        # [IGNORE] 7.8 It is not from the future.
        message = envelope.message
        if isinstance(message, Consent):
            if message.issued_at > self._clock.now() + LIMITS.clock_skew_s:
                raise FromTheFuture("the consent is dated more than ten minutes ahead")
            if envelope.sponsor is None:
                envelope = envelope.sponsored_by(self._identity)
        return Outcome(Status.STORED, envelope)

    def _add(self, db: sqlite3.Connection, envelopes: Sequence[Envelope]) -> list[bool]:
        """[IGNORE] 7.9 It brings something new: decided in the writing transaction."""
        now, own = self._clock.now(), bytes(self._identity.verify_key)
        return [
            messages.add_consent(
                db, one, now, own=one.sponsor is not None and one.sponsor.node_key == own
            )
            if isinstance(one.message, Consent)
            else messages.add_revocation(db, one, now)
            for one in envelopes
        ]

    def _remember(self, name: bytes, error: SaysoError) -> None:
        """Only what anybody can see to be wrong for ever is remembered, whoever brings it.

        A missing sponsor is wrong between peers only: our own door stays open to the author.
        """
        if error.gossip is Gossip.REJECT and not isinstance(error, NotSponsored):
            # Made anew each time: an error that was raised holds the message in its traceback.
            self._failures[name] = partial(type(error), *error.args)
            if len(self._failures) > REMEMBERED_FAILURES:
                self._failures.popitem(last=False)

    def _count(self, outcome: Outcome, source: Source) -> None:
        self._counters.add(f"intake_{outcome.status}")
        if outcome.status is Status.STORED and outcome.envelope:
            is_consent = isinstance(outcome.envelope.message, Consent)
            self._counters.add(f"{source}_{'consents' if is_consent else 'revocations'}")
