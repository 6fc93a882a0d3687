"""`python mortal_shop.py FOLDER NODE STEP...`: a shop that is killed at each step, and goes on.

A step is a statement or a commit of the database, or a request to the node, before it or after it. A
shop does everything from the beginning when it starts again. For each step there is a line of JSON:
whether the shop lived that long, and what is there after it went on. Each shop is a fork, so nothing is
imported twice.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, select

from cli.marketplace.shop import BOTH, Shop, address, answer, orders, person
from sayso.contributor.licensing import sign_message
from sayso.marketplace.courier import Courier
from sayso.marketplace.requests import ConsentRequest, request_of
from sayso.marketplace.tables import messages, requests, revoked
from sayso.networks import load_network
from sayso.node_client.client import NodeClient
from sayso.node_client.transport import Transport
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import hex_text


class Fate:
    """Counts steps; the last one is SIGKILL."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self, *_: Any, **__: Any) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def attend(self, shop: Shop) -> None:
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(shop.engine, name, self.step)
        ask = Transport._ask

        async def watched(transport: Transport, *arguments: Any, **named: Any) -> Any:
            self.step()
            value = await ask(transport, *arguments, **named)
            self.step()
            return value

        Transport._ask = watched  # type: ignore[method-assign,assignment]


async def eventually(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not (found := condition()) or (asyncio.iscoroutine(found) and not await found):
        assert time.monotonic() < end, condition
        await asyncio.sleep(0.01)


class Story:
    """What the shop does, in the order in which it does it."""

    def __init__(self, folder: Path, url: str, name: str) -> None:
        trusted = load_network(folder / "network.toml")
        self.shop = Shop(folder / name, trusted, time.time, nodes=[url])
        self.who, self.url = person(name), url
        self.courier = Courier(self.shop.market, self.shop.engine)

    async def run(self) -> None:
        request = self.uploaded()
        held = self.answered(request)
        await eventually(lambda: self.in_stock(held))
        if not self.is_begun():
            self.sold(held)
            await eventually(self.sent)
            self.published()
        if not self.is_over():
            await self.revoked(held)
        with self.shop.market.begin(self.shop.engine) as db:
            duties = self.shop.market.duties(db)
            self.shop.market.removed(db, [one.number for one in duties if not one.is_removed])
        await eventually(self.confirmed)

    def uploaded(self) -> ConsentRequest:
        """The order of the upload, the item and the request are one transaction."""
        path = self.shop.folder / "a.wav"
        path.write_bytes(b"contents")
        market = self.shop.market
        with market.begin(self.shop.engine) as db:
            if not db.execute(select(orders).where(orders.c.number == 1)).first():
                db.execute(insert(orders).values(number=1, what="upload"))
                market.request(db, self.shop.wanted([market.keep(db, path)]), "upload 1")
            return request_of(db, str(db.execute(select(requests.c.token)).scalar_one()))

    def answered(self, request: ConsentRequest) -> Envelope:
        """The browser sends its answer until it hears that the shop has it."""
        kept = self.shop.folder / "browser.json"
        if not kept.exists():  # not the shop: it signs once
            part = kept.with_suffix(".part")
            part.write_bytes(answer(self.shop.signed(self.who, request)))
            part.replace(kept)
        self.shop.take(request.token, kept.read_bytes())
        text = json.loads(kept.read_bytes())["licenses"][0]["envelope"]
        return decode(bytes.fromhex(text[2:]), self.shop.network)

    def is_over(self) -> bool:
        """Whether the person took it back already, and the shop knows it of both purposes."""
        with self.shop.market.begin(self.shop.engine) as db:
            return len(db.execute(select(revoked)).all()) == len(BOTH)

    def is_begun(self) -> bool:
        """Whether the shop knows it of one purpose; nodes are asked about one after the other."""
        with self.shop.market.begin(self.shop.engine) as db:
            return db.execute(select(revoked)).first() is not None

    async def in_stock(self, held: Envelope) -> bool:
        await self.courier.send()
        if not self.shop.stock():
            await self.courier.check()
        return self.shop.stock() == {*held.items} or self.is_begun()

    def sold(self, held: Envelope) -> None:
        with self.shop.market.begin(self.shop.engine) as db:
            if not db.execute(select(orders).where(orders.c.number == 17)).first():
                db.execute(insert(orders).values(number=17, what="sale"))
                until = int(self.shop.clock()) + 10_000_000
                self.shop.market.sell(db, "order 17", self.shop.offer([held], expires_at=until))

    async def sent(self) -> bool:
        await self.courier.send()
        with self.shop.market.begin(self.shop.engine) as db:
            return not self.shop.market.outbox(db)

    def published(self) -> None:
        with self.shop.market.begin(self.shop.engine) as db:
            found = self.shop.market.dataset(db, "order 17")
        found.write(self.shop.folder / "data", "folder")

    async def revoked(self, held: Envelope) -> None:
        """The person takes it back, while the shop follows."""
        message = Revocation(address(self.who), (f"file {hex_text(held.items[0])}",))
        stop = sign_message(self.who, message, self.shop.network)
        follower = asyncio.create_task(self.courier.follow(self.url))
        async with NodeClient(self.url, self.shop.market.trusted) as node:
            await node.submit([stop])
        await eventually(self.is_over)
        follower.cancel()

    async def confirmed(self) -> bool:
        await self.courier.confirm(people=1)
        with self.shop.market.begin(self.shop.engine) as db:
            left = self.shop.market.duties(db)
        return await self.sent() and not left

    async def found(self) -> dict[str, Any]:
        """What the shop and the node have at the end."""
        with self.shop.market.begin(self.shop.engine) as db:
            kinds = [*db.execute(select(messages.c.kind).order_by(messages.c.kind)).scalars()]
            mine = select(messages.c.digest).where(messages.c.kind == CONSENT)
            license_ = db.execute(mine).scalar_one()
            numbers = [*db.execute(select(orders.c.number).order_by(orders.c.number)).scalars()]
        at_node: dict[str, int] = {}
        transport = Transport(self.url)
        async with transport:
            for kind in ("sublicense", "removal"):
                path = f"/v1/hashes/{hex_text(license_)}/statements?kind={kind}"
                told = await transport.get(path, dict[str, Any])
                at_node[kind] = len(told["statements"])
        return {
            "kinds": kinds,
            "orders": numbers,
            "counts": self.shop.counts(),
            "at_node": at_node,
            "files": sorted(one.name for one in self.shop.folder.iterdir()),
        }


def _forked(work: Callable[[], object]) -> int:
    """Run in a child; returns its exit status, negative for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the child of a fork never returns
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def main(folder: Path, url: str, steps: list[int]) -> None:
    for last in steps:
        name = f"shop {last}"

        def mortal(last: int = last, name: str = name) -> None:
            story = Story(folder, url, name)
            Fate(last).attend(story.shop)
            asyncio.run(story.run())

        def again(name: str = name) -> None:
            story = Story(folder, url, name)
            asyncio.run(story.run())
            (folder / "found.json").write_text(json.dumps(asyncio.run(story.found())))

        status = _forked(mortal)
        assert status in {0, -signal.SIGKILL}, status
        assert _forked(again) == 0
        print(json.dumps({"lived": status == 0} | json.loads((folder / "found.json").read_text())))  # noqa: T201
        sys.stdout.flush()
        if status == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(one) for one in sys.argv[3:]])
