"""What checks keep in memory: bounded, each license once, and never an old answer."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_node.verdicts import judge, license_cache, packed_license, stored_terms
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.packed_license import HeldLicense, PackedLicense
from sayso_node.verdicts.stored_terms import LicenseBatch, read_batches
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts import license_table
from sayso_protocol.verdicts.license_table import ABSENT, HASH, LicenseTable, Names, listed
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import BEN, a_consent

SOME = [consent(number, count=4) for number in range(1, 9)]
NAMES = [one.digest for one in SOME]
WEIGHT = 4 + stored_terms.LICENSE_WEIGHT  # of one, when it is read
PURPOSES = license_table.PURPOSES_BYTES  # of the one set of purposes
SINGLE = packed_license.LICENSE_BYTES + 4 * packed_license.ITEM_BYTES  # of one for single rows
BYTES = 4 * 47 + 117 + 32 + 8 + 8  # of one on a shelf


class Shop:
    """Reads licenses and counts how often."""

    def __init__(self, batch: int = len(SOME)) -> None:
        self.reads = 0
        self._batch = batch

    def read(self, name: bytes) -> HeldLicense | None:
        self.reads += 1
        for one in SOME:
            if one.digest == name and isinstance(one.message, Consent):
                return HeldLicense(one.message, one.items, 7.0)
        return None

    def read_batches(self, names: Names) -> Iterator[LicenseBatch]:
        asked = listed(names)
        for start in range(0, len(asked), self._batch):
            part = asked[start : start + self._batch]
            held = {name: one for name in part if (one := self.read(name))}
            table = LicenseTable.of((name, one.consent, one.items) for name, one in held.items())
            arrivals = np.full(len(held), 7.0)
            numbers = np.array([NAMES.index(name) for name in held], np.int64)
            cache = TableCache(table, arrivals, np.array([*held], HASH), numbers)
            yield LicenseBatch(cache, np.empty(0, HASH))


def rows_of(*names: bytes) -> bytes:
    items = {one.digest: one.items for one in SOME}
    return join_rows(Row(name, item) for name in names for item in items.get(name, 4 * (bytes(32),)))


def found(kept: LicenseCache, shop: Shop, *names: bytes) -> list[bytes]:
    """Which of them the shelves hold, sorted; a license may stand on one shelf only."""
    rows = rows_of(*names)
    shelves, _ = kept.gather(rows, shop.read_batches)
    assert all(list(one.arrivals) == [7.0] * len(one.names) for one in shelves)
    assert all(listed(one.names) == sorted(listed(one.table.licenses["name"])) for one in shelves)
    for one in shelves:
        assert [NAMES[number] for number in one.numbers] == listed(one.table.licenses["name"])
    hits = sum(one.table.find(rows) != ABSENT for one in shelves)
    assert not shelves or hits.tolist() == [name in NAMES for name in names for _ in range(4)]
    return sorted(name for one in shelves for name in listed(one.names) if name in names)


def test_a_license_is_read_once() -> None:
    kept, shop = LicenseCache(), Shop()
    for names in (NAMES[:4], NAMES[:4], NAMES[1:3], NAMES[2:8], NAMES):
        assert found(kept, shop, *names) == sorted(names)
    assert shop.reads == len(NAMES)


def test_what_is_not_held_is_asked_for_again() -> None:
    kept, shop = LicenseCache(), Shop()
    for _ in range(2):
        assert found(kept, shop, NAMES[0], bytes(32)) == NAMES[:1]
    assert shop.reads == 3
    assert found(kept, shop, bytes(32)) == []


def test_many_are_read_in_batches(rig: NodeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_terms, "BATCH_WEIGHT", 3 * WEIGHT)
    monkeypatch.setattr(stored_terms, "READ_AT_ONCE", 1)
    asyncio.run(rig.give(*SOME))
    batches = list(read_batches(rig.store, np.sort(np.array(NAMES, HASH))))
    assert [len(one.cache.names) for one in batches] == [3, 3, 2]
    assert sorted(listed(np.concatenate([one.cache.names for one in batches]))) == sorted(NAMES)


@pytest.mark.parametrize("most", range(9))
def test_what_is_kept_is_bounded(most: int) -> None:
    """What finds no room on the shelf is there for the rows of the check all the same."""
    limit = int((most * (BYTES + PURPOSES)) / license_cache.SHELF_SHARE) + 1
    kept, shop = LicenseCache(limit), Shop(1)
    for names in (NAMES, NAMES[:2], NAMES[::-1], NAMES[4:]):
        assert found(kept, shop, *names) == sorted(names)
        assert kept._shelf.nbytes <= most * (BYTES + PURPOSES)
    assert (len(kept._shelf.names) > 0) == (most > 0)


def test_what_is_not_kept_has_the_rows_items_only() -> None:
    rows = rows_of(NAMES[0])[64:128]
    [shelf], _ = LicenseCache(0).gather(rows, Shop().read_batches)
    assert len(shelf.table.owner) == 1
    assert shelf.table.position[shelf.table.find(rows)].tolist() == [1]
    assert shelf.table.find(rows_of(NAMES[0])).tolist() == [ABSENT, 0, ABSENT, ABSENT]


def test_others_licenses_take_the_place_of_unused_ones() -> None:
    limit = 6 * BYTES + PURPOSES
    kept, shop = LicenseCache(int(limit / license_cache.SHELF_SHARE) + 1), Shop()
    for names in (NAMES[:4], NAMES[4:]):
        assert found(kept, shop, *names) == sorted(names)
        assert listed(kept._shelf.names) == sorted(names)


def test_little_is_not_sorted_into_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(license_cache, "WORTH", 2)
    kept, shop = LicenseCache(), Shop()
    found(kept, shop, *NAMES[:4])
    for _ in range(2):
        assert found(kept, shop, *NAMES[:5]) == sorted(NAMES[:5])
    assert shop.reads == 6


def test_what_was_read_first_goes_first() -> None:
    kept, shop = LicenseCache(2 * SINGLE), Shop()
    for at in (0, 1, 0, 2):
        assert kept.license(NAMES[at], shop.read)
    assert [kept.get(name) is not None for name in NAMES[:4]] == [False, True, True, False]
    assert shop.reads == 3
    assert kept.license(bytes(32), shop.read) is None


def test_a_shelf_in_use_goes_last() -> None:
    kept, shop = LicenseCache(3 * SINGLE), Shop()
    found(kept, shop, NAMES[0])
    for at in range(1, 8):
        kept.license(NAMES[at], shop.read)
        assert found(kept, shop, NAMES[0]) == [NAMES[0]]
    assert shop.reads == 8
    assert kept.get(NAMES[-1])
    assert not kept.get(NAMES[1])


def test_one_bound_holds_for_both_forms() -> None:
    kept, shop = LicenseCache(2 * SINGLE), Shop()
    assert found(kept, shop, *NAMES[:3]) == sorted(NAMES[:3])
    assert len(kept._shelf.names) == 3
    for name in NAMES:
        kept.license(name, shop.read)
        assert kept._kept.currsize <= 2 * SINGLE
    assert not len(kept._shelf.names)
    assert found(kept, shop, *NAMES[:3]) == sorted(NAMES[:3])
    assert kept.get(NAMES[-1])
    assert not kept.get(NAMES[-2])


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.randoms())
def test_positions_are_those_of_the_consent(items: set[bytes], chance: random.Random) -> None:
    order = tuple(chance.sample(sorted(items), len(items)))
    packed = PackedLicense(HeldLicense(a_consent(order), order, 7.0))
    for index, item in enumerate(order):
        assert packed.position_of(item) == index
        for other in (item[1:] + item[:1], item[:-1], item + b"\0", b"", bytes(32), b"\xff" * 32):
            assert (packed.position_of(other) is not None) == (other in items)


def check(*envelopes: Envelope) -> Check:
    rows = join_rows(Row(one.digest, item) for one in envelopes for item in one.items)
    return Check(Query(BEN, "train-ai"), 60, "run", rows)


async def test_many_rows_are_judged_in_parts_and_batches(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.give(*SOME[:6])
    rig.clock.time += 1
    rig.be_current()
    await rig.give(SOME[6], revocation("file 0x" + SOME[1].items[2].hex()))
    asked = check(*SOME, *SOME[::-1])
    whole = rig.judge.judge(asked).reasons
    assert {REASONS[number] for number in whole} == {
        Reason.GRANTED,
        Reason.REVOKED,
        Reason.STALE,
        Reason.UNKNOWN,
    }
    monkeypatch.setattr(judge, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(stored_terms, "BATCH_WEIGHT", 2 * WEIGHT)
    monkeypatch.setattr(stored_terms, "READ_AT_ONCE", 1)
    assert rig.judge.judge(asked).reasons == whole
    monkeypatch.setattr(rig.judge, "_licenses", LicenseCache(2 * BYTES))
    assert rig.judge.judge(asked).reasons == rig.judge.judge(asked).reasons == whole


async def test_what_is_kept_is_judged_anew(tmp_path: Path, rig: NodeRig) -> None:
    await rig.give(*SOME[:2])
    rig.clock.time += 1
    rig.be_current()
    asked = check(*SOME[:2])
    assert set(rig.judge.judge(asked).reasons) == {Reason.GRANTED.number}
    await rig.give(revocation("file 0x" + SOME[0].items[0].hex()))
    assert rig.judge.judge(asked).reasons[0] == Reason.REVOKED.number
    rig.clock.time += 61
    assert set(rig.judge.judge(asked).reasons[1:]) == {Reason.STALE.number}
