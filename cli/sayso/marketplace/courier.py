"""The courier: everything between the shop's database and nodes, which may fail and is repeated.

It sends what waits in the outbox, asks nodes about new consents, follows their events, and confirms
removals. Each step reads the database, speaks to a node, and writes down what came of it in one
transaction, so a shop that is killed at any point goes on where it was.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Engine, select, update

from sayso.errors import NodeRefused, NodeUnreachable, NotHeld, NotKept
from sayso.holder.final_block import final_block
from sayso.marketplace.market import Marketplace
from sayso.marketplace.outbox import Waiting, envelopes_of, note_failed, note_sent, waiting
from sayso.marketplace.removing import MIXED_PEOPLE, confirm, ready_licenses
from sayso.marketplace.stock import Permission, add_bit, known_bits, licenses_of, newly_revoked, take_out
from sayso.marketplace.tables import consents, insert_once, lock, parts, positions
from sayso.node_client.client import NodeClient
from sayso.node_client.following import REVOCATION, Event, Gap, Reached, follow
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import DISPUTE, as_kind
from sayso_protocol.primitives import address_text
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

EVENTS_AT_ONCE: Final = 256
QUESTION_ROWS: Final = 16_384  # of a question
TRACES_AT_ONCE: Final = 256
REST_S: Final = 2.0  # between rounds with nothing to do
UNKNOWN_YET: Final = frozenset({Reason.STALE, Reason.UNKNOWN})  # not an answer about revocation
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
        while True:
            with self._market.begin(self._engine) as db:
                due = waiting(db, network, now)
            if not due:
                return taken
            sent, failed = await self._send(due)
            with self._market.begin(self._engine) as db:
                lock(db)
                note_sent(db, sent, now)
                note_failed(db, failed, now)
            taken += len(sent)
            if failed and all(code == NodeUnreachable.code for _, code in failed):
                return taken

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
        with self._market.begin(self._engine) as db:
            asked = select(consents.c.license)
            if not everything:
                asked = asked.where(consents.c.checked_at.is_(None))
            names = list(db.execute(asked.order_by(consents.c.license)).scalars())
        return sum([await self._check(some) for some in parts(names)])

    async def _check(self, names: Sequence[bytes]) -> int:
        with self._market.begin(self._engine) as db:
            held = list(envelopes_of(db, names, self._market.trusted.network))
        gone, unsure = list[Permission](), set[bytes]()
        for url in self._market.nodes:
            async with self._client(url) as node:
                for purpose in sorted({one for two in held for one in _consent(two).purposes}):
                    rows = [
                        Row(one.digest, item)
                        for one in held
                        if purpose in _consent(one).purposes
                        for item in one.items
                    ]
                    for row, reason in await self._ask(node, purpose, rows):
                        if reason is Reason.REVOKED:
                            gone.append(Permission(*row, purpose))
                        elif reason in UNKNOWN_YET:
                            unsure.add(row.license)
        now = self._clock()
        with self._market.begin(self._engine) as db:
            lock(db)
            take_out(db, gone, now)
            for one in held:  # what nodes do not know leaves the stock, until a later answer
                when = None if one.digest in unsure else now
                change = update(consents).where(consents.c.license == one.digest)
                db.execute(change.values(checked_at=when))
        return len(held) - len(unsure)

    async def _ask(self, node: NodeClient, purpose: str, rows: list[Row]) -> list[tuple[Row, Reason]]:
        query, found = Query(self._market.address, purpose), list[tuple[Row, Reason]]()
        for at in range(0, len(rows), QUESTION_ROWS):
            some = rows[at : at + QUESTION_ROWS]
            answer = await node.check(Question(query, self._max_age_s, "stock"), join_rows(some))
            found += zip(some, answer.reasons, strict=True)
        return found

    async def follow(self, url: str) -> None:
        """Follow the events of one node for ever, without gaps; see `follow` of following.py."""
        queue: asyncio.Queue[Event | Gap | Reached] = asyncio.Queue(EVENTS_AT_ONCE)
        reader = asyncio.create_task(self._read(url, self._position(url), queue))
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

    def _position(self, url: str) -> str | None:
        with self._market.begin(self._engine) as db:
            return db.execute(select(positions.c.position).where(positions.c.url == url)).scalar()

    async def _take(self, url: str, some: Sequence[Event | Gap | Reached]) -> None:
        """Apply events, and the position after them, in one transaction; after a gap all is asked."""
        if any(isinstance(one, Gap) for one in some):
            await self._until_checked()
        await asyncio.to_thread(self._apply, url, some)

    async def _until_checked(self) -> None:
        while True:
            try:
                await self.check(everything=True)
            except (NodeUnreachable, NodeRefused):
                await asyncio.sleep(REST_S)
            else:
                return

    def _apply(self, url: str, some: Sequence[Event | Gap | Reached]) -> None:
        network, now = self._market.trusted.network, self._clock()
        with self._market.begin(self._engine) as db:
            lock(db)
            for one in some:
                if not isinstance(one, Event) or one.name != REVOCATION:
                    continue
                if not (names := licenses_of(db, one.signer)):
                    continue
                add_bit(db, one.signer, one.word, one.mask)
                for held in envelopes_of(db, names, network):
                    known = known_bits(db, _consent(held).revokers)
                    take_out(db, list(newly_revoked(known, held)), now)
            insert_once(db, positions, [{"url": url, "position": ""}])
            change = update(positions).where(positions.c.url == url)
            db.execute(change.values(position=some[-1].id))

    async def confirm(self, people: int = MIXED_PEOPLE) -> list[Envelope]:
        """Sign removals for what the shop removed, once a final block dates it; returns them.

        Args:
            people: So many people are in one removal, unless a due date is near.
        """
        with self._market.begin(self._engine) as db:
            ready = sorted((due, name) for name, due in ready_licenses(db).items())
        if not ready:
            return []
        # What cannot be dated yet must not hold up the others, so each round begins behind the last.
        some = ([one for one in ready if one > self._traced] or ready)[:TRACES_AT_ONCE]
        self._traced = some[-1]
        async with self._client(self._market.nodes[0]) as node:
            block = await final_block(node)
            dated = [name for _, name in some if await self._is_dated(node, name, block)]
        with self._market.begin(self._engine) as db:
            return confirm(db, dated, block, self._market.signer, self._clock(), people)

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
            done += await self.check()
            done += len(await self.confirm())
        except (NodeUnreachable, NodeRefused):
            return done
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


def _consent(envelope: Envelope) -> Consent:
    return as_kind(envelope.message, Consent)
