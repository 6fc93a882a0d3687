"""Removals mix people; wallets that only a chain can verify wait for a node."""

from typing import Any

import pytest

from cli.marketplace.shop import Shop, answer, person
from sayso.marketplace.removing import MIXED_PEOPLE, confirm, ready_licenses
from sayso.marketplace.stock import Permission, take_out
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.removal import Removal
from support.node_rig import NOW

DAY_S = 86_400


def revoked(shop: Shop, people: int) -> list[Envelope]:
    """So many people took a file back, and the shop removed it."""
    held = [shop.licensed(person(f"{at}"), f"{at}.wav")[0] for at in range(people)]
    with shop.market.begin(shop.engine) as db:
        gone = [Permission(one.digest, one.items[0], "train-ai") for one in held]
        take_out(db, gone, NOW)
        shop.market.removed(db, [one.number for one in shop.market.duties(db)])
    return held


def signed(shop: Shop, held: list[Envelope], now: float = NOW) -> list[Envelope]:
    with shop.market.begin(shop.engine) as db:
        names = [one.digest for one in held]
        return confirm(db, names, 7, shop.market.signer, now, MIXED_PEOPLE)


def test_a_removal_waits_for_other_people_or_its_date(shop: Shop) -> None:
    few = revoked(shop, MIXED_PEOPLE - 1)
    assert signed(shop, few) == []
    assert signed(shop, few, NOW + 26 * DAY_S) == []
    (one,) = signed(shop, few, NOW + 28 * DAY_S)  # due after thirty days
    assert one.items == tuple(sorted(two.digest for two in few))
    assert signed(shop, few, NOW + 28 * DAY_S) == []


def test_enough_people_are_confirmed_together_in_no_order_of_theirs(shop: Shop) -> None:
    held = revoked(shop, MIXED_PEOPLE)
    (one,) = signed(shop, held)
    assert one.items == tuple(sorted(two.digest for two in held))
    assert as_kind(one.message, Removal).as_of_block == 7
    with shop.market.begin(shop.engine) as db:
        assert shop.market.duties(db) == []


def test_a_license_is_confirmed_only_when_all_of_it_is_removed(shop: Shop) -> None:
    (held,) = shop.licensed(person("ada"), "a.wav", "b.wav")
    with shop.market.begin(shop.engine) as db:
        take_out(db, [Permission(held.digest, one, "train-ai") for one in held.items], NOW)
        first, _ = shop.market.duties(db)
        shop.market.removed(db, [first.number])
        assert ready_licenses(db) == {}
    assert signed(shop, [held], NOW + 29 * DAY_S) == []


@pytest.mark.parametrize("signature", [b"\1" * 100, b"\1" * 8_000])
def test_a_contract_wallet_waits_for_a_node(shop: Shop, signature: bytes) -> None:
    request = shop.request(shop.keep("a.wav"))
    (plain,) = shop.signed(person("ada"), request)
    wallet: Any = Envelope(plain.message, plain.network, signature, plain.items)
    assert shop.take(request.token, answer([wallet])) == {plain.digest: True}
    assert shop.stock() == set()
