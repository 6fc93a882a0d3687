"""What several tests of the store share: changes that fail or wait, and consents."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self

from sayso_node.store.admission import consents
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.interface import Reading, Store, Writing
from sayso_protocol.messages.envelope import Envelope
from support.waiting import DEADLINE_S


def add_consent(db: Writing, envelope: Envelope, now: float, *, own: bool = False) -> bool:
    """Keep a consent, of this node's or of somebody else's; False if it was there."""
    assert envelope.sponsor
    sponsor = envelope.sponsor.node_key
    keeper = Keeper(sponsor if own else b"", Quotas(operators=frozenset({sponsor})))
    return consents.admit(db, [envelope], keeper, now, now) == [Admitted.STORED]


Change = Callable[[Writing], int]
Tables = Callable[[], Writing]


class Refused(Exception):
    """What a change raises of its own accord."""


def number(value: int, *, fails: bool = False) -> Change:
    """Writes a row, then perhaps fails."""

    def change(db: Writing) -> int:
        db.execute("INSERT INTO numbers VALUES (?, ?)", (f"n{value}", value))
        if fails:
            raise Refused
        return value

    return change


def numbers(db: Reading) -> set[int]:
    return {value for (value,) in db.execute("SELECT value FROM numbers")}


class Held:
    """Holds the writer inside a change, so that everything asked for meanwhile forms one group."""

    def __init__(self, store: Store) -> None:
        self.inside, self.release = threading.Event(), threading.Event()
        self.task = asyncio.create_task(store.write(self._wait))

    def _wait(self, db: Writing) -> None:
        db.execute("INSERT INTO numbers VALUES ('held', -1)")
        self.inside.set()
        assert self.release.wait(DEADLINE_S)

    async def __aenter__(self) -> Self:
        assert await asyncio.to_thread(self.inside.wait, DEADLINE_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release.set()
        await self.task
