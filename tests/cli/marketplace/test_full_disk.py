"""A full disk under the shop's database: what fails is said, and nothing of it is there."""

import resource
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from cli.marketplace.shop import Shop, address, answer, person
from sayso.errors import LedgerFailed
from sayso.marketplace.courier import Courier
from sayso.marketplace.tables import positions
from sayso.node_client.following import Event
from sayso_protocol.permissions.scopes import scope_word
from support.waiting import until

ADA, BEN = person("ada"), person("ben")
UNTIL_S = 86_400


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows: the journal of the database neither."""
    old, handler = (
        resource.getrlimit(resource.RLIMIT_FSIZE),
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


def fails_whole(shop: Shop, work: Callable[[], Any]) -> None:
    """It raises `ledger-failed` on a full disk and changes nothing; later it works."""
    before = shop.counts()
    with full_disk(), pytest.raises(LedgerFailed) as caught:
        work()
    assert caught.value.code == "ledger-failed"
    assert shop.counts() == before
    work()
    assert shop.counts() != before


def test_an_answer_is_taken_whole_or_not_at_all(shop: Shop) -> None:
    request = shop.request(shop.keep("a.wav", "b.wav"))
    given = answer(shop.signed(ADA, request))
    fails_whole(shop, lambda: shop.take(request.token, given))
    assert not any(shop.take(request.token, given).values())  # it is known


def test_requests_and_files_are_kept_whole(shop: Shop) -> None:
    path = shop.folder / "a.wav"
    path.write_bytes(b"of Ada")

    def keep() -> None:
        with shop.market.begin(shop.engine) as db:
            shop.market.keep(db, path)

    fails_whole(shop, keep)
    kept = shop.keep("b.wav")
    fails_whole(shop, lambda: shop.request(kept))


def test_a_dispute_and_its_end_are_signed_whole(shop: Shop) -> None:
    shop.licensed(BEN, "a.wav")
    shop.checked()

    def dispute() -> None:
        with shop.market.begin(shop.engine) as db:
            ends = int(shop.clock()) + UNTIL_S
            shop.market.dispute(db, "case 1", [address(BEN)], "impersonation", ends)

    def lift() -> None:
        with shop.market.begin(shop.engine) as db:
            shop.market.lift(db, "case 1")

    fails_whole(shop, dispute)
    assert shop.stock() == set()
    fails_whole(shop, lift)
    assert len(shop.stock()) == 1


class Heard(Courier):
    """A courier whose node has one event, and then is silent."""

    def __init__(self, shop: Shop, event: Event) -> None:
        super().__init__(shop.market, shop.engine)
        self._event, self.asked, self._shop = event, list[str | None](), shop

    async def events(self, url: str, after: str | None) -> AsyncIterator[Event]:
        self.asked.append(after)
        yield self._event
        await until(lambda: self.place(url) == self._event.id)
        raise LedgerFailed("the stream of this test ends")

    def place(self, url: str) -> str | None:
        with self._shop.market.begin(self._shop.engine) as db:
            return db.execute(select(positions.c.position).where(positions.c.url == url)).scalar()


async def test_an_event_is_heard_again_after_a_full_disk(shop: Shop) -> None:
    """The place is written with what the event changes, so it is not passed over."""
    shop.licensed(ADA, "a.wav")
    shop.checked()
    word = scope_word("everything")
    courier = Heard(shop, Event("ab-7", "revocation", address(ADA), None, word, 1))
    with full_disk(), pytest.raises(LedgerFailed):
        await courier.follow("http://node")
    assert len(shop.stock()) == 1
    for _ in range(2):  # and a repeated event changes nothing
        with pytest.raises(LedgerFailed, match="ends"):
            await courier.follow("http://node")
        assert shop.stock() == set()
    assert courier.asked == [None, None, "ab-7"]
