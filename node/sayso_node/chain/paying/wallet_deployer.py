"""Deploys contract wallets that do not exist yet, so that their revocations can be relayed (ERC-6492).

Who brings a revocation of such a wallet has the node pay for a factory of his choice. So the factory is
called by a contract that is gone afterwards (sayso_contracts.wallet_deployment), with no more than two
million gas, and all deployments of a day together get a part of the budget only: revocations that need
none never wait for money that went into them.
"""

from functools import partial

from sayso_node.alarms import Alarms
from sayso_node.chain.interface import Account, Landed
from sayso_node.chain.paying.fees import ETHER
from sayso_node.counters import Counters
from sayso_node.interfaces import Clock
from sayso_node.store.chain import deployments, intents
from sayso_node.store.chain.intents import Intent
from sayso_node.store.interface import Store, Writing

BUDGET_PART = 4  # a quarter of the day's budget
WALLETS_AT_ONCE = 32  # wallets looked at in one step


class WalletDeployer:
    """See payer.Work; makes contract creations."""

    kind = "deploy"
    creates = True

    def __init__(
        self,
        account: Account,
        store: Store,
        clock: Clock,
        counters: Counters,
        alarms: Alarms,
        *,
        budget: int,
    ) -> None:
        self._account = account
        self._store = store
        self._clock = clock
        self._counters = counters
        self._alarms = alarms
        self._budget = budget // BUDGET_PART

    async def make(self) -> bool:
        """Deploy a wallet that a relay waits for; raises ChainUnreachable also."""
        for _ in range(WALLETS_AT_ONCE):
            now = self._clock.now()
            with self._store.read() as db:
                wanted = deployments.whose_turn(db, now)
                spent = intents.spent(db, now, self.kind)
            over = wanted and spent >= self._budget
            told = f"{spent / ETHER:.6f} of {self._budget / ETHER:.6f} ether"
            self._alarms.set("wallet-budget-spent", told if over else None)
            if wanted is None or over:
                return False
            wallet, code, _ = wanted
            if not await self._account.has_code(wallet):
                await self._store.write(
                    partial(intents.add, kind=self.kind, subject=wallet, data=code, now=now)
                )
                return True
            await self._store.write(partial(deployments.exists, wallet=wallet))
        return False

    def too_large(self) -> bool:
        """One wallet is the least there is; what is too dear fails, and is tried again later."""
        return False

    def landed(self, db: Writing, intent: Intent, landed: Landed, now: float) -> None:  # noqa: ARG002
        """It is there: its revocation may go on its way."""
        if landed.ok:
            deployments.exists(db, intent.subject)
            self._counters.add("wallets_deployed")
            self._alarms.end("wallet-not-deployed")

    def failed(self, db: Writing, intent: Intent, now: float) -> None:
        """Its factory did not deploy it."""
        deployments.failed(db, intent.subject, now)
        self._counters.add("wallets_not_deployed")
        self._alarms.start("wallet-not-deployed", f"0x{intent.subject.hex()}")
