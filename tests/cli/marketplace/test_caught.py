"""A shop may catch an error and commit its own rows: nothing of the call that failed is kept."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import event, insert

from cli.marketplace.shop import Shop, answer, orders, person
from sayso.marketplace.deeds import ShopSigner
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import address_from_text
from support.node_rig import NOW

ADA, BEN = person("ada"), person("ben")
DAY_S = 86_400


def half_wrong(shop: Shop) -> Callable[[Any], object]:
    """An answer whose second consent is not what was asked for."""
    request = shop.request(shop.keep("a.wav", "b.wav"))
    good, wrong = (
        shop.signed(ADA, request)[0],
        shop.signed(BEN, request, expires=request.body["expires"] + DAY_S)[0],
    )
    given = answer([good, wrong])
    return lambda db: shop.market.take(db, request.token, given, "https://market.example")


def unsigned_sale(shop: Shop) -> Callable[[Any], object]:
    """A sale that the key of the shop, in a device, does not sign."""
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    return lambda db: shop.market.sell(db, "order 17", shop.offer(held))


def unsigned_dispute(shop: Shop) -> Callable[[Any], object]:
    people, until = [address_from_text(ADA.address)], int(NOW) + DAY_S
    return lambda db: shop.market.dispute(db, "case 1", people, "impersonation", until)


@pytest.mark.parametrize("made", [half_wrong, unsigned_sale, unsigned_dispute])
def test_a_refused_call_leaves_nothing_though_the_shop_commits(
    shop: Shop, made: Callable[[Shop], Callable[[Any], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = made(shop)
    before = shop.counts()
    if made is not half_wrong:

        def refuse(*_: object) -> None:
            raise SaysoError("the device is locked")

        monkeypatch.setattr(ShopSigner, "sign", refuse)
    with shop.market.begin(shop.engine) as db:
        db.execute(insert(orders).values(number=1, what="the shop's own row"))
        with pytest.raises(SaysoError):
            call(db)
    assert shop.counts() == before | {"orders": 1}
    monkeypatch.undo()
    if made is not half_wrong:  # and the same reference works later
        with shop.market.begin(shop.engine) as db:
            assert call(db)


def test_a_sale_whose_statements_fail_is_not_half_kept_by_a_shop_that_goes_on(shop: Shop) -> None:
    """Each statement of the sale fails once; the shop catches that, and commits its order."""
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    before, offer, number = shop.counts(), shop.offer(held), 0
    sold = False
    while not sold:
        number += 1
        left = number

        def fail(_db: object, _cursor: object, statement: str, *_: object) -> None:
            nonlocal left
            if statement.startswith(("RELEASE", "ROLLBACK")):  # the transaction's own
                return
            left -= 1
            if left == 0:
                raise RuntimeError("the connection is gone")

        with shop.market.begin(shop.engine) as db:
            db.execute(insert(orders).values(number=number, what="the shop's own row"))
            event.listen(shop.engine, "before_cursor_execute", fail)
            with suppress(RuntimeError):
                shop.market.sell(db, "order 17", offer)
                sold = True
            event.remove(shop.engine, "before_cursor_execute", fail)
        if not sold:
            assert shop.counts() == before | {"orders": number}
    assert number > 5
