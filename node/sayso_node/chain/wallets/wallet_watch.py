"""Asks contract wallets again whether they still accept their consents' signatures (rule 8.14).

Each consent is asked about again after half the shortest age that somebody asked for of late: so the
answer is recent enough for all of them. Wallets take turns of a few consents, and those that had theirs
have another when it is time, even while a wallet with many is still being asked: it delays only its own.
A consent whose wallet was not asked in time is `stale`, whatever the wallet answered before.
Without an answer, the previous one keeps its age.
"""

from collections.abc import Iterable, Iterator, Sequence

from sayso_node.chain.wallets.contract_wallets import WAITING_PER_SOURCE, Answers, ContractWallets
from sayso_node.errors import StoreUnusable
from sayso_node.freshness import GENESIS, Freshness
from sayso_node.interfaces import Clock
from sayso_node.store.chain import wallets
from sayso_node.store.chain.wallets import Turn
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_node.supervision.supervisor import contained
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network

log = logger(__name__)

TURN = 16  # consents of one wallet that are asked about in its turn, by one call
LEAST_AGE_S = 60.0  # the shortest age that is kept up with; also as long as nobody asks
SOURCE = "watch"  # a source of its own for fair shares, so these calls never delay those for messages


class WalletWatch:
    """Keeps the answers of contract wallets recent."""

    def __init__(
        self,
        network: Network,
        store: Store,
        contract_wallets: ContractWallets,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
        interval_s: float,
        *,
        least_age_s: float = LEAST_AGE_S,
    ) -> None:
        self._network = network
        self._store = store
        self._wallets = contract_wallets
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._interval_s = interval_s
        self._least_age_s = least_age_s

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(self._interval_s):
            try:
                await self.ask()
            except StoreUnusable as error:
                log.warning("wallet-answers-unstored", error=error)

    async def ask(self) -> None:
        """Run one round; raises StoreUnusable."""
        begun = self._clock.now()
        while turns := self._next(begun):
            await self._ask(turns, begun)

    def _next(self, begun: float) -> list[Turn]:
        """Return the next turns, of as many consents as may wait; none before the chain was read."""
        if self._freshness.head == GENESIS:
            return []
        now = max(self._clock.now(), begun)  # even if the clock was set back
        again_s = max(self._freshness.asked_age(now) or LEAST_AGE_S, self._least_age_s) / 2
        size = min(TURN, WAITING_PER_SOURCE)
        with self._store.read() as db:
            # A wallet's turn takes what would be due before its next one, so that nothing waits for two.
            tried_before = now - again_s / 2
            return wallets.next_turns(db, now - again_s, tried_before, WAITING_PER_SOURCE // size, size)

    def _read(self, bodies: Iterable[bytes]) -> Iterator[Envelope]:
        for body in bodies:
            with contained(self._counters, "a stored consent"):
                yield decode(body, self._network)

    async def _ask(self, turns: Sequence[Turn], begun: float) -> None:
        head = self._freshness.head
        bodies = {name: body for one in turns for name, body in one.bodies.items()}
        now = max(self._clock.now(), begun)  # even if the clock was set back, a round ends
        ended: list[Envelope] = []
        current: list[Envelope] = []
        for one in self._read(bodies.values()):
            has_ended = as_kind(one.message, Consent).expires_at <= now
            (ended if has_ended else current).append(one)
        answers = await self._wallets.ask([one.claim for one in current], SOURCE, head.point)
        self._counters.add("wallets_asked", len(current))
        self._counters.add("wallets_silent", len(current) - len(answers.reasons))

        def keep(db: Writing) -> None:
            for license_hash in bodies:  # also for unreadable ones, which would always come first
                wallets.tried(db, license_hash, now)
            for one in ended:
                wallets.let_be(db, one.digest)
            wallets.end_turns(db, turns, now)
            _keep(db, current, answers, head.time, now)

        await self._store.write(keep)


def _keep(
    db: Writing, current: Iterable[Envelope], answers: Answers, block_time: float, now: float
) -> None:
    for one in current:
        reason = answers.reasons.get(one.claim)
        if reason is not None:
            wallets.said(db, one.message.signer, one.digest, block_time, now, accepted=not reason)
