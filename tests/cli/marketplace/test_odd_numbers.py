"""Times as shops have them (naive or aware datetimes, floats, zero, the past) and huge files."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.marketplace.shop import ORIGIN, YEAR_S, Shop, answer, person
from sayso.errors import OutputFailed
from sayso.marketplace import publishing
from sayso_protocol.errors import SaysoError
from support.node_rig import NOW

ADA = person("ada")
ODD = [0, -1, 2**63, 2**64, 10**400, float("nan"), float("inf"), True, "1", None, datetime(2027, 1, 1)]


@pytest.mark.parametrize("when", ODD, ids=repr)
def test_an_end_that_is_no_time_in_the_future_is_refused_before_anything_is_kept(
    shop: Shop, when: Any
) -> None:
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    kept = shop.keep("b.wav")
    before = shop.counts()
    people = [bytes(19) + b"\1"]
    calls: list[Any] = [
        lambda db: shop.market.sell(db, "order 17", shop.offer(held, expires_at=when)),
        lambda db: shop.market.request(db, shop.wanted(kept, expires_at=when)),
        lambda db: shop.market.dispute(db, "case 1", people, "impersonation", when),
    ]
    for call in calls:
        with pytest.raises(SaysoError), shop.market.begin(shop.engine) as db:
            call(db)
    assert shop.counts() == before


def test_a_float_is_a_time(shop: Shop) -> None:
    """`time.time() + 86_400` is what people write."""
    request = shop.request(shop.keep("a.wav"), expires_at=NOW + 86_400.5)
    assert type(request.body["expires"]) is int
    held = shop.signed(ADA, request)
    shop.take(request.token, answer(held), ORIGIN)
    shop.checked()
    sale = shop.sell("order 17", shop.offer(held, expires_at=NOW + 3_600.25))
    assert shop.sell("order 17", shop.offer(held, expires_at=NOW + 3_600.25)) == sale


def test_a_datetime_is_refused_by_name(shop: Shop) -> None:
    end = datetime.fromtimestamp(int(NOW) + YEAR_S, UTC)
    with pytest.raises(SaysoError, match="seconds since the epoch"):
        shop.request(shop.keep("a.wav"), expires_at=end)


def test_a_file_that_a_table_cannot_hold_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    shop.sell("order 17", shop.offer(held))
    with shop.market.begin(shop.engine) as db:
        data = shop.market.dataset(db, "order 17")
    monkeypatch.setattr(publishing, "VALUE_BYTES", 4)
    with pytest.raises(OutputFailed, match=r"a\.wav"):
        data.write(shop.folder / "data", "parquet")
    assert not (shop.folder / "data").exists()
    data.write(shop.folder / "data", "folder")
