"""What an intent has left on the chain: a receipt, a transaction in a block, or its effect."""

from collections.abc import Callable

from sayso_node.chain.interface import Account, Landed
from sayso_node.store.chain import intents
from sayso_node.store.chain.intents import Intent
from sayso_node.store.interface import Reading, Store, Writing
from sayso_protocol.receipts.receipt import ChainPoint


class Traces:
    """Looks for the traces of intents; the methods raise ChainUnreachable and StoreUnusable."""

    def __init__(self, account: Account, store: Store) -> None:
        self._account = account
        self._store = store

    async def receipt(self, intent: Intent) -> Landed | None:
        """Return the outcome of the transaction that is in a block; None if no receipt is found."""
        with self._store.read() as db:
            signed = intents.signed_for(db, intent)
        for one in signed:
            if landed := await self._account.landed(one.hash):
                return landed
        return None

    async def are_on_chain(self, intent: Intent) -> bool:
        """Return whether a transaction is in a block, with its receipt or without one."""
        with self._store.read() as db:
            signed = intents.signed_for(db, intent)
        for one in signed:
            if await self._account.landed(one.hash) or await self._account.is_mined(one.hash):
                return True
        return False

    async def settle_by_effect(
        self, intent: Intent, seen: Callable[[Reading, Intent], ChainPoint | None], now: float
    ) -> bool:
        """Settle an intent whose effect the follower has seen; it counts at its highest cost."""
        with self._store.read() as db:
            most = max((one.most for one in intents.signed_for(db, intent)), default=0)
            block = seen(db, intent)
        if block is None:
            return False

        def keep(db: Writing) -> None:
            intents.mined(db, intent.id, block, most, now)
            intents.settle(db, intent.id, "done")

        await self._store.write(keep)
        return True
