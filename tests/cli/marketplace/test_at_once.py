"""Many workers of the shop at once, on both databases: what comes several times is there once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from cli.marketplace.conftest import TRUSTED
from cli.marketplace.shop import Shop, answer, orders, person
from sayso.marketplace.courier import Courier
from sayso.node_client.following import REVOCATION, Event
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_from_text, hex_text
from support.node_rig import NOW
from support.postgres import postgres

WORKERS = 8
ADA = person("ada")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose workers wait for each other instead of failing."""
    shop = Shop(tmp_path / "shop", TRUSTED, lambda: NOW)
    if request.param == "sqlite":
        yield shop
        return
    with postgres() as server:
        url = server.dsn.replace("postgresql://", "postgresql+psycopg://", 1)
        shop.engine.dispose()
        shop.engine = create_engine(url, pool_size=WORKERS)
        shop.market.create_tables(shop.engine)
        orders.create(shop.engine, checkfirst=True)
        yield shop
        shop.engine.dispose()


def at_once(work: Any) -> list[Any]:
    with ThreadPoolExecutor(WORKERS) as pool:
        return [one.result() for one in [pool.submit(work, number) for number in range(WORKERS)]]


def test_the_same_comes_many_times_at_once(busy: Shop) -> None:
    request = busy.request(busy.keep("a.wav", "b.wav"))
    held = busy.signed(ADA, request)
    given = answer(held)
    taken = at_once(lambda _: busy.take(request.token, given))
    assert sorted(one[held[0].digest] for one in taken) == [False] * 7 + [True]
    busy.checked()
    offer = busy.offer(held)
    sales = at_once(lambda _: busy.sell("order 17", offer))
    assert len({one.sublicenses[0].digest for one in sales}) == 1
    counts = busy.counts()
    assert (counts["sayso_messages"], counts["sayso_deeds"], counts["sayso_named"]) == (2, 1, 2)


def test_no_revocation_falls_between_a_consent_and_its_events(busy: Shop) -> None:
    """Each worker takes a consent in, while another applies the events of its person."""
    courier = Courier(busy.market, busy.engine)
    address = address_from_text(ADA.address)
    requests = [busy.request(busy.keep(f"{number}.wav")) for number in range(WORKERS)]
    signed = [busy.signed(ADA, one)[0] for one in requests]
    words = [scope_word(f"file {hex_text(one.items[0])}") for one in signed]

    def both(number: int) -> None:
        busy.take(requests[number].token, answer([signed[number]]))
        event_ = Event(f"{'0' * 32}-{number}", REVOCATION, address, None, words[number], 1)
        courier._apply("http://node", [event_])

    at_once(both)
    busy.checked()
    assert busy.stock() == set()
    assert busy.counts()["sayso_revoked"] == WORKERS * 2
