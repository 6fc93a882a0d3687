"""The courier: everything between the shop's database and nodes, which may fail and is repeated.

It sends what waits in the outbox, asks nodes about new consents, follows their events, and confirms
removals. Each step reads the database, speaks to a node, and writes down what came of it in one
transaction, so a shop that is killed at any point goes on where it was.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, select, update

from sayso.errors import NodeRefused, NodeUnreachable, NotHeld, NotKept
from sayso.holder.final_block import final_block
from sayso.marketplace.asking import ask
from sayso.marketplace.market import Marketplace
from sayso.marketplace.outbox import Waiting, envelopes_of, note_sent, waiting
from sayso.marketplace.removing import MIXED_PEOPLE, confirm, ready_licenses
from sayso.marketplace.stock import Permission, hear, note_checked
from sayso.marketplace.tables import changing, consents, insert_once, parts, positions
from sayso.node_client.client import NodeClient
from sayso.node_client.following import REVOCATION, Event, Gap, Reached, follow
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import DISPUTE
from sayso_protocol.primitives import address_text

EVENTS_AT_ONCE: Final = 256
TRACES_AT_ONCE: Final = 256
REST_S: Final = 2.0  # between rounds with nothing to do
OUTAGES: Final = (NodeUnreachable, NodeRefused)  # the same may go well later
T = TypeVar("T")
log = logging.getLogger(__name__)


class Courier:
    """Courier speaks to the nodes of a marketplace; several may run on one database.

    Args:
        market: The marketplace.
        engine: Its database.
        max_age_s: The oldest accepted view of a node when it is asked about consents, seconds.
    """

    def __init__(self, market: Marketplace, engine: Engine, *, max_age_s: int = 60) -> None:
        self._market, self._engine, self._max_age_s = market, engine, max_age_s
        self._clock: Callable[[], float] = market.clock
        self._traced = (0.0, b"")  # of the last round of removals: due date and license

    def _client(self, url: str) -> NodeClient:
        return NodeClient(url, self._market.trusted, clock=self._clock)

    async def send(self) -> int:
        """Send what waits in the outbox and is due; returns how many messages a node took in.

        A message that no node takes in stays, with the code of the reason. An outage ends the round.
        """
        now, network, taken = self._clock(), self._market.trusted.network, 0
        while due := await self._in_db(lambda db: waiting(db, network, now)):
            sent, failed = await self._send(due)
            await self._change(partial(note_sent, sent=sent, failed=failed, now=now))
            taken += len(sent)
            if failed and all(code == NodeUnreachable.code for _, code in failed):
                break
        return taken

    async def _in_db(self, work: Callable[[Connection], T]) -> T:
        """Do something in a transaction of its own, in a thread.

        The shop may hold the tables in a transaction of this thread, and await something within it.
        """

        def run() -> T:
            with self._market.begin(self._engine) as db:
                return work(db)

        return await asyncio.to_thread(run)

    async def _change(self, work: Callable[[Connection], T]) -> T:
        return await self._in_db(partial(_changed, work))

    async def _send(self, due: Sequence[Waiting]) -> tuple[list[bytes], list[tuple[Waiting, str]]]:
        """Offer messages to each node in turn; returns which were taken, and the codes of the others."""
        codes, left = dict[bytes, str](), list(due)
        for url in self._market.nodes:
            async with self._client(url) as node:
                if await _offer(node, left, codes):
                    left = []
                    break
                if NodeUnreachable.code not in codes.values():  # one of them is refused: which?
                    left = [one for one in left if not await _offer(node, [one], codes)]
        waits = {one.envelope.digest for one in left}
        sent = [one.envelope.digest for one in due if one.envelope.digest not in waits]
        return sent, [(one, codes[one.envelope.digest]) for one in left]

    async def check(self, *, everything: bool = False) -> int:
        """Ask all nodes what is revoked of consents that are new, or of all; returns how many are clear.

        A consent is in stock only after this. A person may have revoked before the shop heard of her;
        what is revoked later comes as an event.

        Raises:
            NodeUnreachable: A node does not answer. See NodeClient.check for other errors.
        """
        asked = select(consents.c.license).order_by(consents.c.license)
        if not everything:
            asked = asked.where(consents.c.checked_at.is_(None))
        names = await self._in_db(lambda db: list(db.execute(asked).scalars()))
        clear, failed = 0, list[SaysoError]()
        for some in parts(names):
            clear += await self._check(some, failed)
        if failed:
            raise failed[0]
        return clear

    async def _check(self, names: Sequence[bytes], failed: list[SaysoError]) -> int:
        """Ask about some consents; what any node knows is revoked is taken out, also if others fail."""
        network, shop = self._market.trusted.network, self._market.address
        held = await self._in_db(lambda db: list(envelopes_of(db, names, network)))
        gone, unsure, before = list[Permission](), set[bytes](), len(failed)
        for url in self._market.nodes:
            try:
                async with self._client(url) as node:
                    await ask(node, shop, held, self._max_age_s, gone, unsure)
            except OUTAGES as error:
                failed.append(error)
        sure = [one.digest for one in held if one.digest not in unsure]
        if len(failed) > before:
            sure = []
        now = self._clock()
        await self._change(partial(note_checked, gone=gone, sure=sure, unsure=unsure, now=now))
        return len(sure)

    async def follow(self, url: str) -> None:
        """Follow the events of one node for ever, without gaps; see `follow` of following.py."""
        queue: asyncio.Queue[Event | Gap | Reached] = asyncio.Queue(EVENTS_AT_ONCE)
        asked = select(positions.c.position).where(positions.c.url == url)
        place = await self._in_db(lambda db: db.execute(asked).scalar())
        reader = asyncio.create_task(self._read(url, place, queue))
        try:
            while True:
                taker = asyncio.create_task(queue.get())
                await asyncio.wait({taker, reader}, return_when=asyncio.FIRST_COMPLETED)
                if reader.done():
                    taker.cancel()
                    await reader  # raises its error
                some = [await taker]
                while not queue.empty() and len(some) < EVENTS_AT_ONCE:
                    some.append(queue.get_nowait())
                await self._take(url, some)
        finally:
            reader.cancel()

    async def _read(
        self, url: str, after: str | None, queue: "asyncio.Queue[Event | Gap | Reached]"
    ) -> None:
        async for one in self.events(url, after):
            await queue.put(one)

    def events(self, url: str, after: str | None) -> AsyncIterator[Event | Gap | Reached]:
        """Return the events of a node; filters of the route, as it gets them, go here."""
        return follow(url, after)

    async def _take(self, url: str, some: Sequence[Event | Gap | Reached]) -> None:
        """Apply events, and the position after them, in one transaction; after a gap all is asked."""
        if any(isinstance(one, Gap) for one in some):
            await self._until_checked()
        await asyncio.to_thread(self._apply, url, some)

    async def _until_checked(self) -> None:
        while True:
            try:
                await self.check(everything=True)
            except OUTAGES:
                await asyncio.sleep(REST_S)
            else:
                return

    def _apply(self, url: str, some: Sequence[Event | Gap | Reached]) -> None:
        network, now = self._market.trusted.network, self._clock()
        with self._market.begin(self._engine) as db, changing(db):
            for one in some:
                if isinstance(one, Event) and one.name == REVOCATION:
                    hear(db, one.signer, one.word, one.mask, network, now)
            insert_once(db, positions, [{"url": url, "position": ""}])
            change = update(positions).where(positions.c.url == url)
            db.execute(change.values(position=some[-1].id))

    async def confirm(self, people: int = MIXED_PEOPLE) -> list[Envelope]:
        """Sign removals for what the shop removed, once a final block dates it; returns them.

        Args:
            people: So many people are in one removal, unless a due date is near.
        """
        ready = sorted((due, name) for name, due in (await self._in_db(ready_licenses)).items())
        if not ready:
            return []
        # What cannot be dated yet must not hold up the others, so each round begins behind the last.
        some = ([one for one in ready if one > self._traced] or ready)[:TRACES_AT_ONCE]
        self._traced = some[-1]
        block, dated = await self._dated([name for _, name in some])
        signer, now = self._market.signer, self._clock()
        return await self._change(lambda db: confirm(db, dated, block, signer, now, people))

    async def _dated(self, names: Sequence[bytes]) -> tuple[int, list[bytes]]:
        """Return the last final block, and which licenses are dated by then, from a node that can."""
        failed: SaysoError = NodeUnreachable("the shop has no node")
        for url in self._market.nodes:
            try:
                async with self._client(url) as node:
                    block = await final_block(node)
                    return block, [one for one in names if await self._is_dated(node, one, block)]
            except OUTAGES as error:
                failed = error
        raise failed

    async def _is_dated(self, node: NodeClient, name: bytes, block: int) -> bool:
        """Return whether a removal up to a block counts for all that is taken back of a license."""
        try:
            holders = (await node.trace(name)).holders
        except NotHeld:
            return False
        me = address_text(self._market.address)
        mine = [duty for one in holders if one.address == me for duty in one.duties]
        # A removal counts only up to its block; what landed later waits for the next one.
        return bool(mine) and all(one.revoked and one.revoked.number <= block for one in mine)

    async def step(self) -> int:
        """Send, check and confirm once; returns how much was done. What fails is tried again later."""
        done = await self.send()
        try:
            with suppress(*OUTAGES):
                done += await self.check()
        finally:  # which may need a node less
            with suppress(*OUTAGES):
                done += len(await self.confirm())
        return done

    async def run(self) -> None:
        """Do everything for ever; what fails is logged with its code, and tried again."""

        async def steps() -> None:
            while await self.step():
                pass

        async with asyncio.TaskGroup() as tasks:
            for url in self._market.nodes:
                tasks.create_task(_again(partial(self.follow, url)))
            tasks.create_task(_again(steps))


def _changed(work: Callable[[Connection], T], db: Connection) -> T:
    with changing(db):
        return work(db)


async def _again(work: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, with a rest between."""
    while True:
        try:
            await work()
        except SaysoError as error:
            log.warning("tried again in %.0f s: %s: %s", REST_S, error.code, error)
        await asyncio.sleep(REST_S)


async def _offer(node: NodeClient, some: Sequence[Waiting], codes: dict[bytes, str]) -> bool:
    """Hand messages in; returns whether the node keeps all of them, and notes the codes otherwise."""
    for one in some:
        codes.pop(one.envelope.digest, None)
    try:
        results = await node.submit([one.envelope for one in some])
    except SaysoError as error:
        codes |= {one.envelope.digest: error.code for one in some}
        return False
    # Only nodes that heed the shop keep its disputes, and buyers choose those.
    pairs = zip(some, results, strict=True)
    lost = [one for one, got in pairs if got.pending and one.envelope.message.kind != DISPUTE]
    codes |= {one.envelope.digest: NotKept.code for one in lost}
    return not lost
