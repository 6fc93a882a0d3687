"""Asks contract wallets again whether they stand by their consents (rule 8.14).

Each is asked once in a round, those first that were not asked for longest: what is not asked in time is
`stale`, never granted by what a wallet once said. What nobody could tell stays as old as it was.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping

from sayso_node.chain.reading.contract_wallets import WAITING_PER_SOURCE, Answers, ContractWallets
from sayso_node.counters import Counters
from sayso_node.errors import StoreUnusable
from sayso_node.freshness import GENESIS, Freshness
from sayso_node.interfaces import Clock
from sayso_node.retrying import every
from sayso_node.store.chain import wallets
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision import contained
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network

log = logging.getLogger(__name__)

SOURCE = "watch"  # for fair shares: nobody's messages wait behind these questions


class WalletWatch:
    """Keeps the answers of wallets young."""

    def __init__(
        self,
        network: Network,
        store: Store,
        contract_wallets: ContractWallets,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
        interval_s: float,
    ) -> None:
        self._network = network
        self._store = store
        self._wallets = contract_wallets
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._interval_s = interval_s

    async def run(self) -> None:
        """Until cancelled."""
        async for _ in every(self._interval_s):
            try:
                await self.ask()
            except StoreUnusable as error:
                log.warning("what wallets said could not be kept: %s", error)

    async def ask(self) -> None:
        """One round; raises StoreUnusable."""
        begun = self._clock.now()
        while bodies := self._next(begun):
            await self._ask(bodies, begun)

    def _next(self, begun: float) -> dict[bytes, bytes]:
        """Those whose turn it is, as many as may wait at once; nobody before the chain was read."""
        if self._freshness.head == GENESIS:
            return {}
        with self._store.read() as db:
            return wallets.longest_unasked(db, begun, WAITING_PER_SOURCE)

    def _read(self, bodies: Iterable[bytes]) -> Iterator[Envelope]:
        for body in bodies:
            with contained(self._counters, "a stored consent"):
                yield decode(body, self._network)

    async def _ask(self, bodies: Mapping[bytes, bytes], begun: float) -> None:
        head = self._freshness.head
        now = max(self._clock.now(), begun)  # a clock that was put back must not make a round endless
        ended: list[Envelope] = []
        asked: list[Envelope] = []
        for one in self._read(bodies.values()):
            has_ended = as_kind(one.message, Consent).expires_at <= now
            (ended if has_ended else asked).append(one)
        answers = await self._wallets.ask([one.claim for one in asked], SOURCE, head.point)
        self._counters.add("wallets_asked", len(asked))
        self._counters.add("wallets_silent", len(asked) - len(answers.reasons))

        def keep(db: Writing) -> None:
            for license_hash in bodies:  # also of what cannot be read, or it would always come first
                wallets.tried(db, license_hash, now)
            for one in ended:
                wallets.let_be(db, one.digest)
            _keep(db, asked, answers, head.time, now)

        await self._store.write(keep)


def _keep(
    db: Writing, asked: Iterable[Envelope], answers: Answers, block_time: float, now: float
) -> None:
    for one in asked:
        reason = answers.reasons.get(one.claim)
        if reason is not None:
            wallets.said(db, one.digest, block_time, now, accepted=not reason)
