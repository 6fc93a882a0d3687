"""Deploys contract wallets without code, so that their revocations can be relayed (ERC-6492).

The sender of such a revocation chooses the factory that the node pays for. So a temporary contract calls
the factory (sayso_contracts.wallet_deployment), with at most two million gas, and all deployments of a
day share a part of the budget: they can never use up the money for other revocations.
"""

from functools import partial

from sayso_node.chain.interface import Account, Landed
from sayso_node.chain.paying.fees import ETHER
from sayso_node.chain.paying.work import Work
from sayso_node.interfaces import Clock
from sayso_node.store.chain import deployments, intents
from sayso_node.store.chain.intents import Intent
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters

BUDGET_PART = 4  # a quarter of the day's budget
WALLETS_AT_ONCE = 32  # wallets examined in one step


class WalletDeployer(Work):
    """Makes contract creations; a wallet that exists is found before it is deployed again."""

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
        self.limit(budget)

    def limit(self, budget: int) -> None:
        """Change the budget of a day, in wei."""
        self._budget = budget // BUDGET_PART

    async def make(self) -> bool:
        """Deploy a wallet that a relay waits for; also raises ChainUnreachable."""
        for _ in range(WALLETS_AT_ONCE):
            now = self._clock.now()
            with self._store.read() as db:
                wanted = deployments.whose_turn(db, now)
                spent = intents.spent(db, now, self.kind)
            over = wanted and spent >= self._budget
            text = f"{spent / ETHER:.6f} of {self._budget / ETHER:.6f} ether"
            self._alarms.set("wallet-budget-spent", text if over else None)
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

    def landed(self, db: Writing, intent: Intent, landed: Landed, now: float) -> None:  # noqa: ARG002
        """Record that the wallet is deployed, so its revocation can be relayed."""
        if landed.ok:
            deployments.exists(db, intent.subject)
            self._counters.add("wallets_deployed")
            self._alarms.end("wallet-not-deployed")

    def failed(self, db: Writing, intent: Intent, now: float) -> None:
        """Record that the deployment failed."""
        deployments.failed(db, intent.subject, now)
        self._counters.add("wallets_not_deployed")
        self._alarms.start("wallet-not-deployed", f"0x{intent.subject.hex()}")
