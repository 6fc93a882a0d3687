"""Who may use a license besides its grantee: every way in which a chain closes, each by its name."""

from typing import Any

import pytest

from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.bulk import judge_rows
from sayso_protocol.verdicts.license_table import LicenseTable
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, verdict
from support.known import Heard, Known, PassingOn, license_hash, message_hash
from support.passing import (
    AGENT,
    ALL,
    BASE,
    GUARDIAN,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    OTHER,
    PAIR,
    RESELLER,
    SOON,
    Oracle,
    Question,
    a_license,
    chain_of,
    pass_on,
)
from support.protocol_strategies import ADA, BEN

HELD = a_license()
DIRECT = pass_on(MARKET, LAB, HELD)
TWO = chain_of(MARKET, RESELLER, LAB, of=(HELD,))
FOUR = chain_of(MARKET, RESELLER, AGENT, OTHER, LAB, of=(HELD,))


def judge(
    *heard: Heard,
    held: License = HELD,
    asker: bytes = LAB,
    purpose: str = "train-ai",
    now: float = BASE + 50,
) -> Reason:
    """The answer of the verdict, which the bulk verdict and the oracle share."""
    row, query = Row(license_hash(held.consent), ITEMS[0]), Query(asker, purpose)
    known = Known(heard)
    table = LicenseTable.of((name, one.consent, one.items) for name, one in known.licenses.items())
    many = judge_rows(table, known, join_rows([row]), query, now).reasons
    found = verdict(known, row, query, now)
    assert REASONS[many[0]] is found is Oracle([*heard]).answer(Question(row, query, int(now)))
    return found


def say(who: bytes, *scopes: str) -> Revocation:
    return Revocation(who, scopes)


def to(address: bytes) -> str:
    return f"to 0x{address.hex()}"


def statement(one: PassingOn) -> str:
    return f"statement 0x{message_hash(one.terms).hex()}"


@pytest.mark.parametrize("chain", [[DIRECT], TWO, FOUR])
def test_who_holds_by_a_chain_may_use_it(chain: list[PassingOn]) -> None:
    assert judge(HELD, *chain) is Reason.GRANTED
    assert judge(*chain[::-1], HELD, *chain) is Reason.GRANTED


def test_nobody_else_may() -> None:
    assert judge(HELD) is Reason.OTHER_GRANTEE
    assert judge(HELD, *TWO, asker=OTHER) is Reason.OTHER_GRANTEE
    assert judge(HELD, TWO[1]) is Reason.OTHER_GRANTEE  # its parent was not heard
    assert judge(HELD, pass_on(OTHER, LAB, HELD)) is Reason.OTHER_GRANTEE


def test_a_fifth_hop_is_none() -> None:
    fifth = pass_on(LAB, BEN, HELD, parent=message_hash(FOUR[-1].terms))
    assert judge(HELD, *FOUR, fifth, asker=BEN) is Reason.OTHER_GRANTEE
    assert judge(HELD, *FOUR, fifth) is Reason.GRANTED


@pytest.mark.parametrize("at", range(4))
def test_a_withdrawn_hop_closes_all_below_it(at: int) -> None:
    terms = FOUR[at].terms
    for scope in (statement(FOUR[at]), "statements", f"statements to 0x{terms.grantee.hex()}"):
        assert judge(HELD, *FOUR, say(terms.signer, scope)) is Reason.WITHDRAWN
        assert judge(HELD, *FOUR, say(BEN, scope)) is Reason.GRANTED  # not BEN's to withdraw
    assert judge(HELD, *FOUR, say(terms.signer, f"statements to 0x{BEN.hex()}")) is Reason.GRANTED


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("change", [{"expires_at": BASE + 40}, {"issued_at": BASE + 60}])
def test_a_hop_that_is_not_in_force_closes_all_below_it(at: int, change: dict[str, Any]) -> None:
    assert judge(HELD, *changed(at, **change)) is Reason.WITHDRAWN


@pytest.mark.parametrize("at", range(3))
def test_a_hop_without_resale_closes_all_below_it(at: int) -> None:
    assert judge(HELD, *changed(at, purposes=("evaluate", "train-ai"))) is Reason.WITHDRAWN


def test_the_last_hop_needs_no_resale() -> None:
    assert judge(HELD, *changed(3, purposes=("train-ai",))) is Reason.GRANTED


@pytest.mark.parametrize("at", range(4))
def test_a_purpose_that_widens_is_not_passed_on(at: int) -> None:
    """Whoever lacks the purpose cannot pass it on, whatever is said below."""
    assert judge(HELD, *changed(at, purposes=("evaluate", "resale"))) is Reason.WITHDRAWN
    narrow = a_license(purposes=("evaluate", "resale"))
    wide = chain_of(MARKET, LAB, of=(narrow,))
    assert judge(narrow, *wide, held=narrow) is Reason.PURPOSE_NOT_GRANTED


def test_a_license_without_resale_is_not_passed_on() -> None:
    held = a_license(purposes=("train-ai",))
    assert judge(held, pass_on(MARKET, LAB, held), held=held) is Reason.WITHDRAWN


def test_a_parent_of_another_license_is_none() -> None:
    other = a_license(purposes=("resale", "train-ai"))
    above = pass_on(MARKET, RESELLER, other)
    below = pass_on(RESELLER, LAB, HELD, other, parent=message_hash(above.terms))
    assert judge(HELD, other, above, below) is Reason.OTHER_GRANTEE
    assert judge(HELD, other, above, below, held=other) is Reason.GRANTED


def test_one_partys_license_that_is_not_passed_on_keeps_the_row_incomplete() -> None:
    hers, his = a_license(parties=PAIR), a_license(parties=PAIR, contributor=BEN)
    assert judge(hers, his, pass_on(MARKET, LAB, hers), held=hers) is Reason.INCOMPLETE
    both = pass_on(MARKET, LAB, hers, his)
    assert judge(hers, his, both, held=hers) is Reason.GRANTED
    assert judge(hers, his, both, say(BEN, "everything for resale"), held=hers) is Reason.REVOKED
    # His may be to the asker itself, while hers is passed on.
    own = a_license(parties=PAIR, contributor=BEN, grantee=LAB)
    assert judge(hers, own, pass_on(MARKET, LAB, hers), held=hers) is Reason.GRANTED


@pytest.mark.parametrize("subject", ["everything", f"file 0x{ITEMS[0].hex()}", to(MARKET), to(LAB)])
@pytest.mark.parametrize("end", ["", " for resale", " for train-ai"])
def test_a_revocation_reaches_every_descendant(subject: str, end: str) -> None:
    """And that of `resale` everybody but the grantee, whether or not anything was passed on."""
    stop = say(ADA, subject + end)
    for heard in ([], [DIRECT], TWO, FOUR):
        assert judge(HELD, *heard, stop) is Reason.REVOKED
    touches_grantee = end != " for resale" and subject != to(LAB)
    expected = Reason.REVOKED if touches_grantee else Reason.GRANTED
    assert judge(HELD, stop, asker=MARKET) is expected


def test_the_bit_of_resale_alone_reaches_every_descendant() -> None:
    masks = HELD.consent.masks([0], ["resale"])
    stop = Revocation(ADA, (), tuple(masks), tuple(masks.values()))
    assert judge(HELD, *FOUR, stop) is Reason.REVOKED
    assert judge(HELD, stop) is Reason.REVOKED
    assert judge(HELD, stop, asker=MARKET) is Reason.GRANTED


@pytest.mark.parametrize("end", ["", " for resale", " for train-ai", " for evaluate"])
def test_a_holder_in_between_whom_the_contributor_or_guardian_stops(end: str) -> None:
    held = a_license(guardian=GUARDIAN)
    chain = chain_of(MARKET, RESELLER, AGENT, LAB, of=(held,))
    expected = Reason.GRANTED if end.endswith("evaluate") else Reason.WITHDRAWN
    for holder in (RESELLER, AGENT):
        by_ada, by_guardian = to(holder) + end, f"ward 0x{ADA.hex()} {to(holder)}{end}"
        assert judge(held, *chain, say(ADA, by_ada), held=held) is expected
        assert judge(held, *chain, say(GUARDIAN, by_guardian), held=held) is expected
        assert judge(held, *chain, say(GUARDIAN, by_ada), held=held) is Reason.GRANTED
        assert judge(held, *chain, say(BEN, by_ada), held=held) is Reason.GRANTED


@pytest.mark.parametrize("guarded", [True, False])
def test_of_many_licenses_those_are_stopped_whose_people_say_so(*, guarded: bool) -> None:
    """They have the same chain, and are judged together."""
    changes = {"guardian": GUARDIAN} if guarded else {}
    some = [a_license(issued_at=BASE + number, **changes) for number in range(3)]
    his = [a_license(contributor=BEN, parties=(BEN,), issued_at=BASE + number) for number in range(3)]
    every = [one for pair in zip(some, his, strict=True) for one in pair]
    chain = chain_of(MARKET, RESELLER, LAB, of=tuple(every))
    stop = to(RESELLER)
    stopped = say(GUARDIAN, f"ward 0x{ADA.hex()} {stop}") if guarded else say(ADA, stop)
    known = Known([*every, *chain, stopped])
    table = LicenseTable.of((license_hash(one.consent), one.consent, one.items) for one in every)
    rows = [Row(license_hash(one.consent), ITEMS[0]) for one in every]
    query, now = Query(LAB, "train-ai"), BASE + 50
    found = [REASONS[one] for one in judge_rows(table, known, join_rows(rows), query, now).reasons]
    assert found == [Reason.WITHDRAWN, Reason.GRANTED] * 3
    assert found == [verdict(known, one, query, now) for one in rows]


def test_a_new_sublicense_reopens_what_was_withdrawn() -> None:
    again = pass_on(MARKET, LAB, HELD, expires_at=SOON)
    heard: list[Heard] = [HELD, DIRECT, say(MARKET, statement(DIRECT))]
    assert judge(*heard) is Reason.WITHDRAWN
    assert judge(*heard, again) is Reason.GRANTED
    assert judge(*heard, say(ADA, "everything"), again) is Reason.REVOKED


def test_of_a_signers_sublicenses_to_one_grantee_sixteen_count() -> None:
    """The sixteen that end last. What is displaced stays so, though all before it are withdrawn."""
    many = [pass_on(MARKET, LAB, HELD, expires_at=LATE - number) for number in range(17)]
    withdrawn = [say(MARKET, statement(one)) for one in many[:16]]
    assert judge(HELD, *many[1:], *withdrawn) is Reason.GRANTED
    assert judge(HELD, *many, *withdrawn) is Reason.WITHDRAWN
    # A displaced one is no way for those below it either, but proves that they hold.
    below = pass_on(LAB, OTHER, HELD, parent=message_hash(many[16].terms))
    assert judge(HELD, *many, below, asker=OTHER) is Reason.WITHDRAWN
    assert judge(HELD, *many[1:], below, asker=OTHER) is Reason.GRANTED


def test_of_all_sublicenses_to_one_grantee_the_first_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """By depth first: a reseller's flood does not displace what the marketplace passed on itself."""
    limit = LIMITS.passed_to_grantee
    made = [bytes([7]) * 18 + number.to_bytes(2) for number in range(limit)]
    above = [pass_on(MARKET, one, HELD) for one in made]
    flood = [pass_on(one.terms.grantee, LAB, HELD, parent=message_hash(one.terms)) for one in above]
    last = max(flood, key=lambda one: message_hash(one.terms))
    row, query = Row(license_hash(HELD.consent), ITEMS[0]), Query(LAB, "train-ai")

    def found(*heard: Heard) -> Reason:
        return verdict(Known([HELD, *above, *heard]), row, query, BASE + 50)

    stops = [say(one.terms.signer, "statements") for one in flood if one is not last]
    assert found(*flood, *stops) is Reason.GRANTED
    assert found(*flood, *stops, DIRECT, say(MARKET, statement(DIRECT))) is Reason.WITHDRAWN
    assert found(*flood, *stops, say(last.terms.signer, "statements"), DIRECT) is Reason.GRANTED


def test_a_license_for_anyone_needs_no_chain() -> None:
    held = a_license(grantee=bytes(20))
    assert judge(held, held=held) is Reason.GRANTED
    assert judge(held, say(ADA, "everything for resale"), held=held) is Reason.GRANTED


def test_time_is_judged_before_the_chain() -> None:
    assert judge(HELD, now=LATE) is Reason.EXPIRED
    assert judge(HELD, *TWO, now=LATE) is Reason.EXPIRED
    assert judge(HELD, *TWO, now=BASE - 1) is Reason.NOT_YET_VALID
    assert judge(HELD, *TWO, purpose="other") is Reason.PURPOSE_NOT_GRANTED
    assert judge(HELD, purpose="other") is Reason.OTHER_GRANTEE


def test_a_clock_that_is_no_number_opens_nothing() -> None:
    row, query = Row(license_hash(HELD.consent), ITEMS[0]), Query(LAB, "train-ai")
    assert verdict(Known([HELD, *TWO]), row, query, float("nan")) is Reason.NOT_YET_VALID


def changed(at: int, **change: Any) -> list[PassingOn]:
    """FOUR with a changed hop."""
    holders, made = [MARKET, RESELLER, AGENT, OTHER, LAB], list[PassingOn]()
    for place in range(4):
        parent = {"parent": message_hash(made[-1].terms)} if made else {}
        own = change if place == at else {}
        made.append(pass_on(holders[place], holders[place + 1], HELD, **parent, **own))
    return made


assert HELD.consent.purposes == ALL
