"""Verdicts over random histories in which licenses are passed on: the oracle, and what always holds."""

from dataclasses import replace
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.bulk import judge_rows
from sayso_protocol.verdicts.license_table import LicenseTable
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, verdict
from support.known import Heard, Known, PassingOn, license_hash
from support.passing import (
    BASE,
    HOLDERS,
    ITEMS,
    LAB,
    MARKET,
    PAIR,
    Oracle,
    Question,
    a_license,
    histories,
    pass_on,
    questions,
    stops,
    sublicenses,
)
from support.protocol_strategies import ADA, BEN


def answers(history: list[Heard], asked: list[Question]) -> list[Reason]:
    known = Known(history)
    return [verdict(known, *question) for question in asked]


def parts(history: list[Heard]) -> tuple[list[License], list[PassingOn]]:
    held = [one for one in history if isinstance(one, License)]
    return held, [one for one in history if isinstance(one, PassingOn)]


@given(histories())
def test_the_slow_oracle_agrees(history: list[Heard]) -> None:
    asked, oracle = questions(history), Oracle(history)
    assert answers(history, asked) == [oracle.answer(question) for question in asked]


def test_a_party_that_stops_the_asker_has_no_open_chain() -> None:
    """Rules 8.5.4 and 8.7: of such a consent `to` is no revocation; it is not considered at all."""
    ada, ben = (a_license(contributor=one, parties=PAIR) for one in (ADA, BEN))
    passed = pass_on(MARKET, LAB, ada, ben)
    for stopped in (LAB, MARKET):
        history: list[Heard] = [ada, ben, passed, Revocation(BEN, (f"to 0x{stopped.hex()}",))]
        asked = Question(Row(license_hash(ada.consent), ITEMS[0]), Query(LAB, "train-ai"), BASE)
        assert Oracle(history).answer(asked) is Reason.INCOMPLETE
        assert answers(history, [asked]) == [Reason.INCOMPLETE]


@given(histories())
def test_the_verdict_over_many_rows_agrees(history: list[Heard]) -> None:
    known = Known(history)
    table = LicenseTable.of((name, one.consent, one.items) for name, one in known.licenses.items())
    asked = sorted(questions(history), key=lambda one: (one.now, one.query.grantee, one.query.purpose))
    for (query, now), some in groupby(asked, lambda one: (one.query, one.now)):
        rows = [one.row for one in some]
        found = judge_rows(table, known, join_rows(rows), query, now).reasons
        assert [REASONS[one] for one in found] == [verdict(known, one, query, now) for one in rows]


@given(histories(), st.data())
def test_hearing_a_revocation_makes_nothing_clear(history: list[Heard], data: st.DataObject) -> None:
    later = data.draw(stops(*parts(history)))
    asked = questions(history)
    for old, new in zip(answers(history, asked), answers([*history, later], asked), strict=True):
        assert new is not Reason.GRANTED or old is Reason.GRANTED
        assert old is not Reason.REVOKED or new is Reason.REVOKED


@given(histories(), st.data())
def test_hearing_a_sublicense_gives_back_nothing_that_was_revoked(
    history: list[Heard], data: st.DataObject
) -> None:
    """Of the row's own permission; another party may consent anew, and pass that on (8.7)."""
    later = data.draw(sublicenses(*parts(history)))
    oracle, asked = Oracle(history), questions(history)
    revoked = [one for one in asked if _is_revoked(oracle, one)]
    assert set(answers([*history, later], revoked)) <= {Reason.REVOKED}


@given(histories(), st.data())
def test_order_and_repeats_do_not_matter(history: list[Heard], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=4))
    again = data.draw(st.permutations([*history, *repeats]))
    asked = questions(history)
    assert answers(again, asked) == answers(history, asked)


@given(histories())
def test_a_sublicense_may_be_split(history: list[Heard]) -> None:
    """One message of many licenses, or one of each: without children, nobody sees a difference."""
    held, passed = parts(history)
    roots = [one for one in passed if not any(one.terms.parent)]
    against = [one for one in history if isinstance(one, Revocation)]
    against = [one for one in against if not any(map(_names_a_statement, one.scopes))]
    by_hash = {name: one for one in held for name in Known([one]).licenses}
    split = [
        pass_on(one.terms.signer, one.terms.grantee, by_hash[name], **_terms(one))
        for one in roots
        for name in one.names
    ]
    asked = questions([*held])
    assert answers([*held, *against, *split], asked) == answers([*held, *against, *roots], asked)


@given(histories(), st.data())
def test_strangers_sublicenses_change_nothing(history: list[Heard], data: st.DataObject) -> None:
    """A stranger holds nothing, so whatever it passes on, from whatever parent, is no way to anybody."""
    stranger = b"\x77" * 20
    held, passed = parts(history)
    one = data.draw(sublicenses(held, passed))
    strange = one._replace(terms=replace(one.terms, signer=stranger))
    asked = questions(history)
    below = pass_on(stranger, data.draw(st.sampled_from(HOLDERS)), *held, parent=one.terms.parent)
    assert answers([*history, strange, below], asked) == answers(history, asked)


def _names_a_statement(scope: str) -> bool:
    """A message that is split has another digest."""
    return scope.startswith("statement ")


def _terms(one: PassingOn) -> dict[str, object]:
    names = ("parent", "purposes", "issued_at", "expires_at")
    return {name: getattr(one.terms, name) for name in names}


def _is_revoked(oracle: Oracle, question: Question) -> bool:
    held = oracle.licenses[question.row.license]
    return question.row.item in ITEMS and oracle.revoked(held, question.row.item, question.query)
