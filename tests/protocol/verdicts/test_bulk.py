"""The verdict over many rows gives what the verdict over one gives, whatever happened before."""

import math
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.bulk import judge_rows, revoked_masks
from sayso_protocol.verdicts.license_table import ABSENT, LicenseTable, listed
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, is_revoked, verdict
from support.histories import BASE, ITEMS, Message, histories, questions
from support.known import Known, license_hash
from support.protocol_strategies import BEN, a_consent

QUERY = Query(bytes(20), "train-ai")


def table_of(licenses: list[License]) -> LicenseTable:
    held = {license_hash(one.consent): one for one in licenses}
    return LicenseTable.of((name, one.consent, one.items) for name, one in held.items())


def judged(known: Known, rows: list[Row], query: Query, now: float) -> list[Reason]:
    table = table_of(list(known.licenses.values()))
    reasons = judge_rows(table, known, join_rows(rows), query, now).reasons
    return [REASONS[number] for number in reasons.tolist()]


@given(histories(), st.booleans())
def test_it_agrees_with_the_verdict_over_one_row(history: list[Message], everything_held: bool) -> None:
    held = history if everything_held else history[1:]
    known = Known(held)
    asked = sorted(questions(history), key=lambda one: (one.now, one.query.grantee, one.query.purpose))
    for (query, now), some in groupby(asked, lambda one: (one.query, one.now)):
        rows = [one.row for one in some]
        assert judged(known, rows, query, now) == [verdict(known, one, query, now) for one in rows]


@given(histories())
def test_it_tells_which_permissions_are_revoked(history: list[Message]) -> None:
    known = Known(history)
    for held in known.licenses.values():
        consent = held.consent
        asked = [Query(consent.grantee, one) for one in consent.purposes]
        flags = [is_revoked(known, held, item, one) for item in held.items for one in asked]
        masks = revoked_masks(known, consent, held.items)
        assert sum(mask << 256 * at for at, mask in enumerate(masks)) == sum(
            1 << at for at, flag in enumerate(flags) if flag
        )


def test_a_clock_that_is_no_number_clears_nothing() -> None:
    held = License(a_consent(ITEMS), ITEMS)
    row = Row(license_hash(held.consent), ITEMS[0])
    assert judged(Known([held]), [row], QUERY, BASE + 60) == [
        verdict(Known([held]), row, QUERY, BASE + 60)
    ]
    assert judged(Known([held]), [row], QUERY, math.nan) == [Reason.NOT_YET_VALID]


def test_nothing_is_held() -> None:
    assert judged(Known(), [Row(bytes(32), bytes(32))], QUERY, BASE) == [Reason.UNKNOWN]


@pytest.mark.parametrize("count", [2, 3, 1_000])
def test_items_made_to_look_alike_are_told_apart(count: int) -> None:
    """Hashes are claimed, so anybody can make many that begin alike."""
    alike = tuple(bytes(8) + sha256(b"%d" % number)[8:] for number in range(count))
    held = License(a_consent(alike), alike)
    name = license_hash(held.consent)
    table = table_of([held])
    asked = [*alike, bytes(8) + b"\x01" * 24]
    found = table.find(join_rows(Row(name, item) for item in asked))
    assert table.position[found[:-1]].tolist() == list(range(count))
    assert found[-1] == ABSENT
    strange = Row(bytes(24) + name[24:], alike[0])
    assert table.find(join_rows([strange])).tolist() == [ABSENT]


@given(histories(), st.data())
def test_tables_may_be_joined(history: list[Message], data: st.DataObject) -> None:
    licenses = list(Known(history).licenses.values())
    cut = data.draw(st.integers(0, len(licenses)))
    parts = [table_of(licenses[:cut]), table_of(licenses[cut:])]
    joined, whole = LicenseTable.joined(parts), table_of(licenses)
    rows = join_rows(one.row for one in questions(history))
    found, expected = joined.find(rows), whole.find(rows)
    for column in ("owner", "position"):
        assert getattr(joined, column)[found].tolist() == getattr(whole, column)[expected].tolist()
    assert listed(joined.licenses["name"]) == listed(whole.licenses["name"])
    everyone = np.arange(len(licenses))
    for query, now in {(one.query, one.now) for one in questions(history)}:
        assert (joined.terms(query, now, everyone) == whole.terms(query, now, everyone)).all()
    assert (found == ABSENT).tolist() == (expected == ABSENT).tolist()


def test_only_those_are_asked_about_who_are_asked_for() -> None:
    """A table may hold everybody; a check of one row must not cost what everybody has revoked."""
    held = [License(a_consent(ITEMS, grantee=bytes([n]) * 20), ITEMS) for n in range(1, 5)]
    other = License(a_consent(ITEMS, contributor=BEN, parties=(BEN,)), ITEMS)
    known, asked = Known([*held, other]), []
    known.bits = lambda address: asked.append(address) or {}  # type: ignore[method-assign,func-returns-value]
    judge_rows(
        table_of([*held, other]), known, license_hash(held[0].consent) + ITEMS[0], QUERY, BASE + 60
    )
    assert asked == [held[0].consent.contributor]
