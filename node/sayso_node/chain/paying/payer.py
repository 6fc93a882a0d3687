"""Carries intents out on chain, once each, with the one account that pays.

One transaction is under way at a time, so a nonce is never left open behind another. Signed bytes are
on disk before they are sent; after a crash the very same bytes are sent again. One that is stuck is
replaced under its own nonce, so only one of them can be paid for. What takes effect is watched until it
is final: a reorganisation that drops it has the same bytes sent again. Only when somebody else's
transaction took the nonce, and that is final, does an intent get another one.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from sayso_contracts.errors import CallReverted, TransactionTooLarge
from sayso_contracts.transactions import Fees
from sayso_node.alarms import Alarms
from sayso_node.chain.interface import Account, Landed
from sayso_node.chain.paying.fees import ETHER, Allowance, TooExpensive, first_fees, higher_fees
from sayso_node.counters import Counters
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.freshness import ChainHead
from sayso_node.interfaces import Clock
from sayso_node.retrying import every
from sayso_node.store.chain import intents
from sayso_node.store.chain.intents import Intent, Signed
from sayso_node.store.interface import Store, Writing

log = logging.getLogger(__name__)

INTERVAL_S = 1.0
STUCK_S = 90.0  # some blocks; then a transaction is offered more


class Work(Protocol):
    """Work is somebody who has intents to carry out."""

    kind: str
    creates: bool  # whether what it has done is a contract creation, and no call of the registry

    async def make(self) -> bool:
        """Keep the next intent if one is due; raises StoreUnusable."""
        ...

    def too_large(self) -> bool:
        """The last one fits into no transaction or no budget: make smaller ones; whether that can be."""
        ...

    def landed(self, db: Writing, intent: Intent, landed: Landed, now: float) -> None:
        """It is in a block: keep what follows from that, in the same transaction."""
        ...

    def failed(self, db: Writing, intent: Intent, now: float) -> None:
        """It will never take effect: keep what is to be done instead, in the same transaction."""
        ...


class Payer:
    """Sees every intent through, one after the other."""

    def __init__(
        self,
        account: Account,
        store: Store,
        clock: Clock,
        counters: Counters,
        alarms: Alarms,
        allowance: Allowance,
        work: Sequence[Work],
        *,
        finality: int,
    ) -> None:
        self._account = account
        self._store = store
        self._clock = clock
        self._counters = counters
        self._alarms = alarms
        self._allowance = allowance
        self._work = {one.kind: one for one in work}
        self._turns = list(work)
        self._finality = finality
        self._settled: ChainHead | None = None
        self._sent_at: dict[bytes, float] = {}  # in this run of the process

    async def run(self) -> None:
        """Until cancelled."""
        async for _ in every(INTERVAL_S):
            try:
                await self.step()
            except (ChainUnreachable, StoreUnusable) as error:
                self._counters.add("payer_failed")
                log.warning("a transaction could not be seen through: %s", error)

    async def step(self) -> None:
        """Look at what is under way, and begin what is due; raises ChainUnreachable or StoreUnusable."""
        head = await self._account.head()
        if head != self._settled:
            await self._settle(head)
            self._settled = head
        with self._store.read() as db:
            waiting = [one for one in intents.open_intents(db) if one.mined is None]
        under_way = [one for one in waiting if one.nonce is not None]
        if under_way:
            for one in under_way:
                await self._push(one)
        elif waiting or await self._make():
            await self._begin()

    async def _make(self) -> bool:
        """Whether anybody has something to do; who had goes to the end of the line."""
        for work in list(self._turns):
            if await work.make():
                self._turns.remove(work)
                self._turns.append(work)
                return True
        return False

    async def _begin(self) -> None:
        """Sign and send the oldest intent that has no transaction."""
        with self._store.read() as db:
            fresh = [one for one in intents.open_intents(db) if one.nonce is None]
            lowest = intents.next_nonce(db)
        if not fresh:
            return
        intent = fresh[0]
        try:
            fees = first_fees(await self._account.suggest_fees(), self._allowance.max_fee)
            work = self._work[intent.kind]
            # A chain may take more than the EVM says, for what it writes elsewhere; never less is given.
            gas = max(await self._account.estimate(intent.data, creates=work.creates), intent.gas or 0)
        except TooExpensive as error:
            self._alarms.start("fee-cap", str(error))
            return
        except TransactionTooLarge as error:
            log.warning("the %s is made smaller: %s", intent.kind, error)
            work.too_large()
            await self._give_up(intent)
            return
        except CallReverted as error:
            log.warning("the %s would be reverted: %s", intent.kind, error)
            await self._give_up(intent)
            return
        self._alarms.end("fee-cap")
        if gas * fees.max_fee > self._allowance.budget and work.too_large():
            log.warning("the %s would take more than a day's budget: it is made smaller", intent.kind)
            await self._give_up(intent)
            return
        nonce = max(lowest, await self._account.pending_nonces())
        if await self._affords(gas * fees.max_fee):
            await self._sign(intent, nonce, gas, fees)

    async def _push(self, intent: Intent) -> None:
        """See that the endpoint has its transaction, and offer more if it is stuck."""
        assert intent.nonce is not None  # noqa: S101 - it is under way
        if await self._account.used_nonces() > intent.nonce:
            self._settled = None  # it is in a block, or somebody else's is: looked at next
            return
        with self._store.read() as db:
            newest = intents.signed_for(db, intent)[0]
        known = await self._account.knows(newest.hash)
        since = self._sent_at.setdefault(newest.hash, self._clock.now()) if known else newest.signed_at
        is_stuck = self._clock.now() - since >= STUCK_S
        if not known:
            try:
                await self._send(intent.kind, newest)
            except ChainUnreachable:
                if not is_stuck:
                    raise
            else:
                return
        if is_stuck:
            await self._offer_more(intent, newest)

    async def _offer_more(self, intent: Intent, stuck: Signed) -> None:
        try:
            offered = Fees(stuck.max_fee, stuck.priority_fee)
            fees = higher_fees(offered, await self._account.suggest_fees(), self._allowance.max_fee)
        except TooExpensive as error:
            self._alarms.start("fee-cap", str(error))
            return
        self._alarms.end("fee-cap")
        if await self._affords(stuck.gas * fees.max_fee, instead_of=stuck.most):
            self._counters.add("transactions_replaced")
            await self._sign(intent, stuck.nonce, stuck.gas, fees)

    async def _sign(self, intent: Intent, nonce: int, gas: int, fees: Fees) -> None:
        """Keep first, then send."""
        creates = self._work[intent.kind].creates
        made = await self._account.sign(intent.data, nonce, gas, fees, creates=creates)
        now = self._clock.now()
        signed = Signed(made.hash, nonce, made.raw, gas, fees.max_fee, fees.priority_fee, now)
        await self._store.write(lambda db: intents.keep_signed(db, intent.id, signed))
        await self._send(intent.kind, signed)

    async def _send(self, kind: str, signed: Signed) -> None:
        await self._account.send(signed.raw)
        self._sent_at[signed.hash] = self._clock.now()
        self._counters.add(f"{kind}_sent")

    async def _affords(self, cost: int, *, instead_of: int = 0) -> bool:
        """Whether budget and account allow it; if not, an alarm says so."""
        with self._store.read() as db:
            spent = intents.spent(db, self._clock.now()) - instead_of
        over = spent + cost > self._allowance.budget
        told = (
            f"{spent / ETHER:.6f} of {self._allowance.budget / ETHER:.6f} ether, {cost / ETHER:.6f} more"
        )
        self._alarms.set("budget-spent", told if over else None)
        balance = await self._account.balance()
        short = balance < cost
        told = f"{balance / ETHER:.6f} ether, the next transaction may cost {cost / ETHER:.6f}"
        self._alarms.set("account-empty", told if short else None)
        return not over and not short

    async def _settle(self, head: ChainHead) -> None:
        """Find out what became of what was sent, up to this head."""
        balance = await self._account.balance()
        low = f"{balance / ETHER:.6f} ether" if balance < self._allowance.low else None
        self._alarms.set("account-low", low)
        with self._store.read() as db:
            sent = [one for one in intents.open_intents(db) if one.nonce is not None]
        used = await self._account.used_nonces() if sent else 0
        for intent in sent:
            assert intent.nonce is not None  # noqa: S101 - it was asked for
            await self._look(intent, head, is_used=used > intent.nonce)

    async def _look(self, intent: Intent, head: ChainHead, *, is_used: bool) -> None:
        landed = await self._find(intent) if is_used else None
        last_final = head.point.number - self._finality
        now = self._clock.now()
        if landed is None:
            if intent.mined:
                log.warning("a reorganisation dropped the transaction of %s %d", intent.kind, intent.id)
                await self._store.write(lambda db: intents.mined(db, intent.id, None, 0, now))
            if is_used:
                await self._doubt(intent, last_final)
            return
        if landed.block != intent.mined:
            await self._keep_landed(intent, landed, now)
        if landed.block.number <= last_final:
            await self._store.write(lambda db: self._finish(db, intent, landed, now))

    async def _find(self, intent: Intent) -> Landed | None:
        with self._store.read() as db:
            signed = intents.signed_for(db, intent)
        for one in signed:
            if landed := await self._account.landed(one.hash):
                return landed
        return None

    async def _keep_landed(self, intent: Intent, landed: Landed, now: float) -> None:
        def keep(db: Writing) -> None:
            intents.mined(db, intent.id, landed.block, landed.cost, now)
            self._work[intent.kind].landed(db, intent, landed, now)

        await self._store.write(keep)
        self._counters.add("transactions_mined")
        reverted = None if landed.ok else f"the {intent.kind} in block {landed.block.number}"
        self._alarms.set("transaction-failed", reverted)
        self._alarms.end("nonce-used-elsewhere")

    def _finish(self, db: Writing, intent: Intent, landed: Landed, now: float) -> None:
        intents.settle(db, intent.id, "done" if landed.ok else "failed")
        if not landed.ok:
            self._work[intent.kind].failed(db, intent, now)

    async def _doubt(self, intent: Intent, last_final: int) -> None:
        """Its nonce is used, but not by it, or the endpoint lags: we wait until that is final."""
        assert intent.nonce is not None  # noqa: S101 - it was asked for
        if last_final < 0 or await self._account.used_nonces(last_final) <= intent.nonce:
            return
        if await self._find(intent):  # asked before, an endpoint that lags may have said no
            self._settled = None
            return
        self._alarms.start(
            "nonce-used-elsewhere", f"nonce {intent.nonce}; the {intent.kind} gets another"
        )
        await self._store.write(lambda db: intents.take_nonce_back(db, intent.id))

    async def _give_up(self, intent: Intent) -> None:
        def keep(db: Writing) -> None:
            intents.settle(db, intent.id, "failed")
            self._work[intent.kind].failed(db, intent, self._clock.now())

        await self._store.write(keep)
