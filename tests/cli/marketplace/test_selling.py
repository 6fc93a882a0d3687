"""Sales are whole or do not happen: order, rows and sublicenses are one transaction of the shop."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, text

from cli.marketplace.shop import BOTH, LAB, Shop, address, answer, orders, person
from sayso.errors import NodeUnreachable
from sayso.marketplace.delivery import DeliveryGate
from sayso.marketplace.selling import Offer
from sayso.marketplace.stock import Permission, take_out
from sayso_protocol.errors import SaysoError
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.primitives import address_text
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.verdict import Reason, Row
from support.node_rig import NOW

ADA, BEN = person("ada"), person("ben")


def refused(code: str, call: Callable[[], object]) -> None:
    with pytest.raises(SaysoError) as caught:
        call()
    assert caught.value.code == code, caught.value


def test_an_order_and_its_sale_commit_together(shop: Shop) -> None:
    held = shop.licensed(ADA, "a.wav", "b.wav") + shop.licensed(BEN, "c.wav")
    shop.checked()
    with shop.market.begin(shop.engine) as db:
        db.execute(insert(orders).values(number=17, what="three songs"))
        sale = shop.market.sell(db, "order 17", shop.offer(held))
    (envelope,) = sale.sublicenses
    envelope.check_signatures(EoaVerifier())
    message = as_kind(envelope.message, Sublicense)
    assert (message.grantee, message.purposes, message.signer) == (LAB, ("train-ai",), address(shop.key))
    assert envelope.items == tuple(sorted(one.digest for one in held))
    assert {row.item for row in sale.rows} == {item for one in held for item in one.items}
    with shop.market.begin(shop.engine) as db:
        assert [one.reference for one in shop.market.outbox(db)] == ["upload 1"] * 2 + ["order 17"]
        assert shop.market.buyers(db, held[0].digest) == [("order 17", LAB)]


def test_a_shop_that_fails_after_the_sale_has_sold_nothing(shop: Shop) -> None:
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    before = shop.counts()

    def order() -> None:
        with shop.market.begin(shop.engine) as db:
            db.execute(insert(orders).values(number=17, what="a song"))
            shop.market.sell(db, "order 17", shop.offer(held))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        order()
    assert shop.counts() == before


def test_the_same_order_twice_is_one_sale(shop: Shop) -> None:
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    offer = shop.offer(held)
    first = shop.sell("order 17", offer)
    once = shop.counts()
    shop.market.clock = lambda: NOW + 50  # the second would have another digest
    assert shop.sell("order 17", offer) == first
    assert shop.counts() == once
    other = shop.offer(held, grantee=address(BEN))
    refused("other-statements", lambda: shop.sell("order 17", other))
    assert shop.counts() == once


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purposes": ("evaluate",)}, "not-in-stock"),
        ({"purposes": ("train-ai", "evaluate")}, "not-in-stock"),
        ({"purposes": ("%",)}, "not-in-stock"),
        ({"items": (b"\1" * 32,)}, "not-in-stock"),
        ({"items": ()}, "not-in-stock"),
        ({"grantee": bytes(20)}, "invalid-statement"),
        ({"expires_at": int(NOW) - 1}, "invalid-statement"),
    ],
)
def test_what_cannot_be_sold_is_not_half_sold(shop: Shop, changes: dict[str, Any], code: str) -> None:
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    before = shop.counts()
    offer: dict[str, Any] = {
        "grantee": LAB,
        "purposes": ("train-ai",),
        "expires_at": int(NOW) + 1_000,
        "items": held[0].items,
    }
    refused(code, lambda: shop.sell("order 17", Offer(**(offer | changes))))
    assert shop.counts() == before


def test_nothing_is_sold_before_nodes_were_asked(shop: Shop) -> None:
    held = shop.licensed(ADA, "a.wav")
    refused("not-in-stock", lambda: shop.sell("order 17", shop.offer(held)))
    shop.checked()
    shop.sell("order 17", shop.offer(held))


def test_a_call_is_sold_with_the_licenses_of_both_or_not_at_all(shop: Shop) -> None:
    kept = shop.keep("call.wav")
    both = {"parties": (address(ADA), address(BEN))}
    first, second = (shop.request(kept, **both) for _ in range(2))
    (of_ada,) = shop.signed(ADA, first)
    (of_ben,) = shop.signed(BEN, second)
    shop.take(first.token, answer([of_ada]))
    shop.checked()
    assert shop.stock() == set()
    refused("not-in-stock", lambda: shop.sell("order 17", shop.offer([of_ada])))
    shop.take(second.token, answer([of_ben]))
    shop.checked()
    assert shop.stock() == {kept[0].item}
    sale = shop.sell("order 17", shop.offer([of_ada]))
    (envelope,) = sale.sublicenses
    assert envelope.items == tuple(sorted([of_ada.digest, of_ben.digest]))
    # Either of them takes it back.
    with shop.market.begin(shop.engine) as db:
        take_out(db, [Permission(of_ben.digest, kept[0].item, "train-ai")], NOW)
    assert shop.stock() == set()


def test_resale_taken_back_takes_everything_out_of_stock(shop: Shop) -> None:
    (held,) = shop.licensed(ADA, "a.wav", "b.wav", purposes=(*BOTH, "evaluate"))
    shop.checked()
    gone = [Permission(held.digest, held.items[0], "resale")]
    with shop.market.begin(shop.engine) as db:
        assert take_out(db, gone * 2, NOW) == 1
        assert take_out(db, gone, NOW + 1) == 0
        assert take_out(db, [Permission(b"\7" * 32, held.items[0], "resale")], NOW) == 0
    for purpose in ("train-ai", "evaluate"):
        assert shop.stock(purpose) == {held.items[1]}


def test_a_fraudulent_cohort_leaves_the_stock_and_comes_back(shop: Shop) -> None:
    fraud = [person(f"fraud {number}") for number in range(5)]
    held = [shop.licensed(one, f"{at}.wav")[0] for at, one in enumerate(fraud)]
    (honest,) = shop.licensed(ADA, "a.wav")
    shop.checked()
    people, until = [address(one) for one in fraud], int(NOW) + 1_000_000
    with shop.market.begin(shop.engine) as db:
        (signed,) = shop.market.dispute(db, "case 1", people, "impersonation", until)
        assert shop.market.dispute(db, "case 1", people[::-1], "impersonation", until) == [signed]
    message = as_kind(signed.message, Dispute)
    assert (message.count, message.subject) == (5, "contributors")
    assert shop.stock() == {*honest.items}
    refused("not-in-stock", lambda: shop.sell("order 17", shop.offer(held)))
    with shop.market.begin(shop.engine) as db:
        (lifted,) = shop.market.lift(db, "case 1")
        assert shop.market.lift(db, "case 1") == [lifted]
        assert len(shop.market.outbox(db)) == 8
    assert len(shop.stock()) == 6
    refused("nothing-to-state", lambda: _lift(shop, "case 2"))
    refused("nothing-to-state", lambda: _lift(shop, "order 17"))


def _lift(shop: Shop, reference: str) -> None:
    with shop.market.begin(shop.engine) as db:
        shop.market.lift(db, reference)


async def test_the_gate_delivers_nothing_of_whom_the_shop_disputes(shop: Shop) -> None:
    """Its nodes need not heed the shop; the shop's own word is enough, without asking them."""
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    shop.sell("order 17", shop.offer(held))
    with shop.market.begin(shop.engine) as db:
        people = [address(ADA)]
        shop.market.dispute(db, "case 1", people, "impersonation", int(shop.clock()) + 1_000)
    gate, row = DeliveryGate(shop.market, shop.engine), Row(held[0].digest, held[0].items[0])
    found = await gate.judge(row, LAB, "train-ai")
    assert (found.reason, found.is_active) == (Reason.DISPUTED, False)
    with shop.market.begin(shop.engine) as db:
        shop.market.lift(db, "case 1")
    with pytest.raises(NodeUnreachable):  # now it asks its node, which is away
        await gate.judge(row, LAB, "train-ai")


def test_two_orders_of_one_second_for_the_same_have_messages_of_their_own(shop: Shop) -> None:
    """The sublicenses of the second were those of the first, so it had none, and no data set."""
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    sales = [shop.sell(f"order {number}", shop.offer(held)) for number in range(3)]
    digests = {one.digest for sale in sales for one in sale.sublicenses}
    assert len(digests) == len(sales)
    with shop.market.begin(shop.engine) as db:
        assert [shop.market.sold(db, one.reference) for one in sales] == sales
        assert shop.market.dataset(db, "order 2").entries
        case = ([address(ADA)], "impersonation", int(shop.clock()) + 1_000)
        first, second = (shop.market.dispute(db, name, *case) for name in ("case 1", "case 2"))
        assert first[0].digest != second[0].digest
        shop.market.lift(db, "case 1")
    assert shop.stock() == set()  # the other case is open


def test_a_dispute_that_is_over_holds_nothing_back(shop: Shop) -> None:
    shop.licensed(ADA, "a.wav")
    shop.checked()
    with shop.market.begin(shop.engine) as db:
        shop.market.dispute(db, "case 1", [address(ADA)], "voice", int(NOW) + 100)
    assert shop.stock() == set()
    shop.market.clock = lambda: NOW + 200
    assert len(shop.stock()) == 1


def test_a_full_disk_sells_nothing_and_says_so(shop: Shop) -> None:
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    before = shop.counts()
    with shop.engine.connect() as db:
        pages = db.execute(text("PRAGMA page_count")).scalar()

    def fill(db: Any) -> None:
        db.execute(text(f"PRAGMA max_page_count = {pages}"))

    def order() -> None:
        with shop.market.begin(shop.engine) as db:
            fill(db)
            for number in range(2_000):  # until the last page is full
                db.execute(insert(orders).values(number=number, what="x" * 100))
            shop.market.sell(db, "order 17", shop.offer(held))

    refused("ledger-failed", order)
    with shop.engine.connect() as db:  # the pooled connection had the limit
        db.execute(text("PRAGMA max_page_count = 1000000"))
    assert shop.counts() == before
    shop.sell("order 17", shop.offer(held))


def test_buyers_learn_what_was_taken_back_of_their_orders_alone(shop: Shop) -> None:
    held = shop.licensed(ADA, "a.wav") + shop.licensed(BEN, "b.wav")
    shop.checked()
    shop.sell("order 1", shop.offer(held))
    shop.sell("order 2", shop.offer(held[1:], grantee=address(BEN)))
    with shop.market.begin(shop.engine) as db:
        take_out(db, [Permission(held[0].digest, held[0].items[0], "train-ai")], NOW)
        take_out(db, [Permission(held[1].digest, held[1].items[0], "resale")], NOW)
        told = shop.market.withdrawn(db, LAB)
        assert [(one.reference, one.row.license, one.purpose) for one in told] == [
            ("order 1", held[0].digest, "train-ai"),
            ("order 1", held[1].digest, "resale"),
        ]
        assert shop.market.withdrawn(db, LAB, told[0].number) == told[1:]
        assert [one.reference for one in shop.market.withdrawn(db, address(BEN))] == ["order 2"]
        assert address_text(LAB)
        duties = shop.market.duties(db)
        assert [one.due_at for one in duties] == [NOW + 30 * 86_400] * 2
        assert shop.market.removed(db, [one.number for one in duties]) == 2
        assert shop.market.removed(db, [one.number for one in duties]) == 0
        assert all(one.is_removed for one in shop.market.duties(db))


def test_no_sale_ends_an_earlier_one(shop: Shop) -> None:
    """Rule 8.15.2: the seventeenth sale of a license to one buyer displaced one, and nobody said so."""
    first, other = shop.licensed(ADA, "a.wav"), shop.licensed(BEN, "b.wav")
    shop.checked()
    for number in range(LIMITS.passed_by_signer):
        shop.sell(f"order {number}", shop.offer(first, expires_at=int(NOW) + 1_000 + number))
    before = shop.counts()
    refused("displaced", lambda: shop.sell("order 16", shop.offer([*first, *other])))
    assert shop.counts() == before
    shop.sell("order 0", shop.offer(first, expires_at=int(NOW) + 1_000))  # again, so nothing is sold
    shop.sell("order 17", shop.offer(first, grantee=address(BEN)))
    shop.sell("order 18", shop.offer(other))
    shop.market.clock = lambda: NOW + 1_000  # the first ends, and makes room
    shop.sell("order 16", shop.offer([*first, *other]))
