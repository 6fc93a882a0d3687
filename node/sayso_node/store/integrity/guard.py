"""Audits the store once a day and whenever a read has found damage, and repairs what can be repaired.

From the first finding on the node is silent (freshness.py), until an audit finds nothing and then the
chain and the peers were read again, so that they have brought what was lost.

A process beside a node repairs nothing: it asks the node to, and audits again until that is done.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import msgspec

from sayso_node.errors import StoreUnusable
from sayso_node.interfaces import Randomness
from sayso_node.store.events import feed
from sayso_node.store.events.feed import STORE_ID_BYTES
from sayso_node.store.integrity.audit import Damaged, Finding
from sayso_node.store.integrity.repair import repair
from sayso_node.store.integrity.verifying import AuditOrder
from sayso_node.store.interface import Store
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.children import answer_of
from sayso_node.supervision.counters import Counters
from sayso_protocol.network import Network

FIRST_AUDIT_S: Final = 60.0  # after the start, when peers and chain were read
AUDIT_EVERY_S: Final = 86_400.0
AGAIN_S: Final = 60.0  # while the store is damaged
PASSES: Final = 4  # repairs that follow each other: a sum is repaired after what it sums

Audit = Callable[[AuditOrder], Awaitable[list[Finding]]]


class Forgetful(Protocol):
    """What says whether the node may speak."""

    def forget(self) -> None:
        """Be silent until the chain and the peers were read again."""


async def audited(order: AuditOrder) -> list[Finding]:
    """Audit in a process that is killed when this task is cancelled; raises StoreUnusable."""
    status, output = await answer_of("sayso_node.store.integrity.verifying", order)
    if status:
        raise StoreUnusable(f"the process that verifies the store ended with status {status}")
    return msgspec.json.decode(output, type=list[Finding])


class StoreGuard:
    """Runs audits and repairs until cancelled.

    Args:
        network: The network of the node's messages.
        store: What is audited.
        freshness: Is told when the store is right again.
        alarms: Show what is found.
        counters: Count repairs.
        audit: Makes an audit.
        randomness: Draws the store's id after a repair.
        ask: Asks the node to repair the store that had this id when the audit began, and so was not
            repaired since; None in the node itself. With it there are no audits without a finding,
            because the node makes them.
    """

    def __init__(
        self,
        network: Network,
        store: Store,
        freshness: Forgetful,
        alarms: Alarms,
        counters: Counters,
        *,
        audit: Audit = audited,
        randomness: Randomness = os.urandom,
        ask: Callable[[bytes], Awaitable[object]] | None = None,
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._alarms = alarms
        self._counters = counters
        self._audit = audit
        self._randomness = randomness
        self._ask = ask
        self._found = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._wake)

        self._store.damage.listen(wake)
        wait_s = None if self._ask else FIRST_AUDIT_S
        if self._store.damage.text:
            self._wake()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._found.wait()
            is_right = await self.check()
            wait_s = AGAIN_S if not is_right else None if self._ask else AUDIT_EVERY_S
            self._found.clear()

    def _wake(self) -> None:
        if not self._found.is_set():
            self._alarms.set("store-damaged", self._store.damage.text)
            self._found.set()

    async def check(self) -> bool:
        """Audit and repair; returns whether nothing is damaged any more. Raises StoreUnusable."""
        for _ in range(PASSES):
            store_id = await asyncio.to_thread(self._store_id) if self._ask else b""
            findings = await self._audit(AuditOrder(self._store.location, self._network))
            if not findings:
                if self._store.damage.text:
                    self._freshness.forget()
                    self._store.damage.repaired()
                self._alarms.end("store-damaged")
                return True
            self._tell(findings)
            if self._ask:
                await self._ask(store_id)
                return False
            if findings[0].kind is Damaged.PAGES:
                return False
            new_id = self._randomness(STORE_ID_BYTES)
            await self._store.write(
                lambda db, found=findings, new=new_id: repair(db, self._network, found, new)  # type: ignore[misc]
            )
            self._counters.add("store_repairs", len(findings))
        return False

    def _store_id(self) -> bytes:
        with self._store.read() as db:
            return feed.store_id(db)

    def _tell(self, findings: list[Finding]) -> None:
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        self._store.damage.report(findings[0].text + more)
        self._alarms.start("store-damaged", findings[0].text + more)
