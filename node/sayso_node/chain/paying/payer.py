"""Sends the transactions for intents, each exactly once, from the one paying account.

One transaction is in progress at a time, so no nonce waits behind another. Signed bytes are on disk
before they are sent; after a crash the same bytes are sent again. A stuck transaction is replaced under
the same nonce, so only one of the two can take effect. A mined transaction is watched until it is final;
if a reorganisation drops it, the same bytes are sent again. An intent gets another nonce only when
somebody else's transaction used its nonce, that is final, and minutes later there is still neither a
receipt, nor a transaction, nor an effect of its own.
"""

from collections.abc import Sequence
from typing import TypeVar

from sayso_contracts.errors import CallReverted, TransactionTooLarge
from sayso_contracts.transactions import Fees
from sayso_node.chain.interface import Account, Landed
from sayso_node.chain.paying.fees import ETHER, Allowance, TooExpensive, first_fees, higher_fees
from sayso_node.chain.paying.traces import Traces
from sayso_node.chain.paying.work import Work
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.freshness import ChainHead
from sayso_node.interfaces import Clock
from sayso_node.store.chain import intents
from sayso_node.store.chain.intents import Intent, Signed
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every

log = logger(__name__)
K = TypeVar("K")

INTERVAL_S = 1.0
IDLE_S = 600.0  # between two looks at the balance while there is nothing to pay
STUCK_S = 90.0  # some blocks; after that the offer is raised
DOUBT_S = 300.0  # that a used nonce is without a receipt; after that somebody else has used it


class Payer:
    """Carries out all intents, one after the other."""

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
        self._traces = Traces(account, store)
        self._store = store
        self._clock = clock
        self._counters = counters
        self._alarms = alarms
        self._allowance = allowance
        self._work = {one.kind: one for one in work}
        self._turns = list(work)
        self._finality = finality
        self._settled: ChainHead | None = None
        self.balance: int | None = None  # wei, when it was last asked for
        self._looked_at = float("-inf")  # at the chain
        self._sent_at: dict[bytes, float] = {}  # since this process started
        self._doubted_at: dict[int, float] = {}  # by intent, likewise

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(INTERVAL_S):
            try:
                await self.step()
            except (ChainUnreachable, StoreUnusable) as error:
                self._counters.add("payer_failed")
                log.warning("payer-failed", error=error)

    async def step(self) -> None:
        """Check the intents in progress and begin due ones; raises ChainUnreachable or StoreUnusable."""
        if await self._is_idle():
            return
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

    async def _is_idle(self) -> bool:
        """Make what is due; return whether nothing is to be done, so that the endpoint is not asked."""
        with self._store.read() as db:
            is_busy = bool(intents.open_intents(db))
        now = self._clock.now()
        if not is_busy and not await self._make() and 0 <= now - self._looked_at < IDLE_S:
            return True
        self._looked_at = now
        return False

    async def _make(self) -> bool:
        """Let the works make an intent in turn; one that made an intent goes to the end of the queue."""
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
            # A chain may need more gas than the EVM computes, for data that it publishes elsewhere.
            gas = max(await self._account.estimate(intent.data, creates=work.creates), intent.gas or 0)
        except TooExpensive as error:
            self._alarms.start("fee-cap", str(error))
            return
        except TransactionTooLarge as error:
            log.warning("transaction-smaller", kind=intent.kind, error=error)
            work.too_large()
            await self._give_up(intent)
            return
        except CallReverted as error:
            log.warning("transaction-reverted", kind=intent.kind, error=error)
            await self._give_up(intent)
            return
        self._alarms.end("fee-cap")
        extra = await self._account.data_fee(intent.data)
        if gas * fees.max_fee + extra > self._allowance.budget and work.too_large():
            log.warning("transaction-smaller", kind=intent.kind, error="the budget of the day")
            await self._give_up(intent)
            return
        nonce = max(lowest, await self._account.pending_nonces())
        if await self._affords(gas * fees.max_fee + extra):
            await self._sign(intent, nonce, gas, fees, extra)

    async def _push(self, intent: Intent) -> None:
        """Make sure that the endpoint has the transaction, and raise the offer if it is stuck."""
        assert intent.nonce is not None  # noqa: S101 - it is in progress
        if await self._account.used_nonces() > intent.nonce:
            self._settled = None  # its own or another transaction is in a block; the next step finds out
            return
        with self._store.read() as db:
            newest = intents.signed_for(db, intent)[0]
        known = await self._account.knows(newest.hash)
        now = self._clock.now()
        since = _not_to_come(self._sent_at, newest.hash, now) if known else newest.signed_at
        is_stuck = now - since >= STUCK_S
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
        extra = await self._account.data_fee(intent.data)
        if await self._affords(stuck.gas * fees.max_fee + extra, instead_of=stuck.most):
            self._counters.add("transactions_replaced")
            await self._sign(intent, stuck.nonce, stuck.gas, fees, extra)

    async def _sign(self, intent: Intent, nonce: int, gas: int, fees: Fees, extra: int) -> None:
        """Sign and store a transaction, then send it."""
        creates = self._work[intent.kind].creates
        made = await self._account.sign(intent.data, nonce, gas, fees, creates=creates)
        now = self._clock.now()
        signed = Signed(made.hash, nonce, made.raw, gas, fees.max_fee, fees.priority_fee, now, extra)
        await self._store.write(lambda db: intents.keep_signed(db, intent.id, signed))
        await self._send(intent.kind, signed)

    async def _send(self, kind: str, signed: Signed) -> None:
        await self._account.send(signed.raw)
        self._sent_at[signed.hash] = self._clock.now()
        self._counters.add(f"{kind}_sent")

    async def _affords(self, cost: int, *, instead_of: int = 0) -> bool:
        """Return whether budget and balance allow a cost; if not, raise an alarm."""
        with self._store.read() as db:
            spent = intents.spent(db, self._clock.now()) - instead_of
        over = spent + cost > self._allowance.budget
        text = (
            f"{spent / ETHER:.6f} of {self._allowance.budget / ETHER:.6f} ether, {cost / ETHER:.6f} more"
        )
        self._alarms.set("budget-spent", text if over else None)
        balance = self.balance = await self._account.balance()
        short = balance < cost
        text = f"{balance / ETHER:.6f} ether, the next transaction may cost {cost / ETHER:.6f}"
        self._alarms.set("account-empty", text if short else None)
        return not over and not short

    async def _settle(self, head: ChainHead) -> None:
        """Find out what became of the sent transactions, up to this head."""
        balance = self.balance = await self._account.balance()
        low = f"{balance / ETHER:.6f} ether" if balance < self._allowance.low else None
        self._alarms.set("account-low", low)
        with self._store.read() as db:
            sent = [one for one in intents.open_intents(db) if one.nonce is not None]
        used = await self._account.used_nonces() if sent else 0
        for intent in sent:
            assert intent.nonce is not None  # noqa: S101 - open intents with a nonce were selected
            await self._look(intent, head, is_used=used > intent.nonce)

    async def _look(self, intent: Intent, head: ChainHead, *, is_used: bool) -> None:
        landed = await self._traces.receipt(intent) if is_used else None
        last_final = head.point.number - self._finality
        now = self._clock.now()
        if landed or not is_used:
            self._doubted_at.pop(intent.id, None)  # a later doubt takes its own minutes
        if landed is None:
            if intent.mined:
                log.warning("transaction-dropped", kind=intent.kind, number=intent.id)
                await self._store.write(lambda db: intents.mined(db, intent.id, None, 0, now))
            if is_used:
                await self._doubt(intent, last_final)
            return
        if landed.block != intent.mined:
            await self._keep_landed(intent, landed, now)
        if landed.block.number <= last_final:
            await self._store.write(lambda db: self._finish(db, intent, landed, now))

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
        """Handle a nonce that another transaction seems to have used, once that is final.

        Endpoints give receipts minutes late. So the intent keeps its nonce until that has been so for
        minutes, and for good while one of its own transactions or its effect is in a block.
        """
        assert intent.nonce is not None  # noqa: S101 - open intents with a nonce were selected
        if last_final < 0 or await self._account.used_nonces(last_final) <= intent.nonce:
            return
        now = self._clock.now()
        since = _not_to_come(self._doubted_at, intent.id, now)
        if now - since < DOUBT_S or await self._traces.are_on_chain(intent):
            self._settled = None  # look again in the next step
            return
        if await self._traces.settle_by_effect(intent, self._work[intent.kind].seen, now):
            return
        self._alarms.start(
            "nonce-used-elsewhere", f"nonce {intent.nonce}; the {intent.kind} gets another one"
        )
        await self._store.write(lambda db: intents.take_nonce_back(db, intent.id))
        self._doubted_at.pop(intent.id, None)

    async def _give_up(self, intent: Intent) -> None:
        def keep(db: Writing) -> None:
            intents.settle(db, intent.id, "failed")
            self._work[intent.kind].failed(db, intent, self._clock.now())

        await self._store.write(keep)


def _not_to_come(dates: dict[K, float], name: K, now: float) -> float:
    """Return the date of this name: now without one, and if the clock was set back since."""
    found = dates[name] = min(dates.get(name, now), now)
    return found
