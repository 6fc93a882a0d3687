"""Rule 8.18: who is heeded, by which disputes, and what turns `disputed` back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import Malformed
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.verdicts.bulk import judge_rows
from sayso_protocol.verdicts.license_table import LicenseTable
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, verdict
from support.known import Disputing, Heard, Known, license_hash
from support.passing import (
    AGENT,
    BASE,
    GUARDIAN,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    OTHER,
    PAIR,
    RESELLER,
    a_license,
    chain_of,
    disputing,
    withdrawal,
)
from support.protocol_strategies import ADA, BEN

NOW = BASE + 50
HELD = a_license()
HERS, HIS = (a_license(contributor=one, parties=PAIR) for one in (ADA, BEN))
FILE, ADAS = disputing(OTHER, ITEMS[0]), disputing(OTHER, contributor_hash(ADA), subject=CONTRIBUTORS)
HEED = (OTHER,)


def judge(
    *heard: Heard, heed: tuple[bytes, ...] | None = HEED, now: float = NOW, **changes: Any
) -> Reason:
    """The verdict on the first item of the first license, one by one and in columns."""
    known, licenses = Known(heard), [one for one in heard if isinstance(one, License)]
    query = Query(changes.get("grantee", MARKET), changes.get("purpose", "train-ai"), heed)
    row = Row(license_hash(licenses[0].consent), changes.get("item", ITEMS[0]))
    table = LicenseTable.of((license_hash(one.consent), one.consent, one.items) for one in licenses)
    found = verdict(known, row, query, now)
    many = judge_rows(table, known, row.license + row.item, query, now)
    assert REASONS[many.reasons[0]] is found
    return found


@pytest.mark.parametrize("one", [FILE, ADAS])
def test_a_dispute_counts_for_who_heeds_its_signer(one: Disputing) -> None:
    assert judge(HELD, one) is Reason.DISPUTED
    assert judge(HELD, one, heed=tuple(sorted((BEN, OTHER)))) is Reason.DISPUTED
    for heed in (None, (), (BEN,)):
        assert judge(HELD, one, heed=heed) is Reason.GRANTED


def test_it_is_about_its_file_or_its_contributor_only() -> None:
    assert judge(HELD, FILE, item=ITEMS[1]) is Reason.GRANTED
    assert judge(HELD, ADAS, item=ITEMS[1]) is Reason.DISPUTED
    hers = disputing(OTHER, contributor_hash(BEN), subject=CONTRIBUTORS)
    assert judge(HELD, hers) is Reason.GRANTED


def test_a_file_whose_hash_looks_like_an_address_is_no_contributor() -> None:
    assert judge(HELD, disputing(OTHER, contributor_hash(ADA))) is Reason.GRANTED


@pytest.mark.parametrize("first", [HERS, HIS])
def test_the_dispute_over_one_party_stops_the_license_of_another(first: License) -> None:
    both = (first, HIS if first is HERS else HERS)
    assert judge(*both) is Reason.GRANTED
    assert judge(*both, ADAS) is Reason.DISPUTED
    assert judge(first, ADAS) is Reason.DISPUTED  # before `incomplete`


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"grantee": BEN}, Reason.OTHER_GRANTEE),
        ({"purpose": "other"}, Reason.PURPOSE_NOT_GRANTED),
    ],
)
def test_it_precedes_what_is_judged_after_revoked(changes: dict[str, Any], reason: Reason) -> None:
    assert judge(HELD, **changes) is reason
    assert judge(HELD, FILE, **changes) is Reason.DISPUTED


def test_it_precedes_the_clocks_of_the_consent() -> None:
    long = disputing(OTHER, ITEMS[0], expires_at=LATE + 10)
    assert judge(HELD, long, now=LATE) is Reason.DISPUTED
    early = disputing(OTHER, ITEMS[0], issued_at=BASE - 10)
    assert judge(HELD, early, now=BASE - 1) is Reason.DISPUTED
    assert judge(HELD, FILE, now=float("nan")) is Reason.NOT_YET_VALID


def test_it_reaches_who_holds_by_a_chain() -> None:
    passed = chain_of(MARKET, RESELLER, LAB, of=(HELD,))
    assert judge(HELD, *passed, grantee=LAB) is Reason.GRANTED
    assert judge(HELD, *passed, FILE, grantee=LAB) is Reason.DISPUTED


@pytest.mark.parametrize("one", [FILE, ADAS])
def test_it_never_hides_what_is_revoked(one: Disputing) -> None:
    assert judge(HELD, one, Revocation(ADA, ("everything",))) is Reason.REVOKED


def test_it_does_not_make_an_unknown_row_known() -> None:
    assert judge(HELD, FILE, item=bytes(32)) is Reason.UNKNOWN


@pytest.mark.parametrize("now", [BASE - 1, LATE])
def test_it_counts_from_its_beginning_to_its_end(now: int) -> None:
    consent = a_license(issued_at=BASE - 10, expires_at=LATE + 10)
    assert judge(consent, FILE, now=now) is Reason.GRANTED
    assert judge(consent, FILE, now=min(max(now, BASE), LATE - 1)) is Reason.DISPUTED


def test_its_signer_alone_withdraws_it() -> None:
    twin = disputing(OTHER, ITEMS[0], code="other")
    assert judge(HELD, FILE, withdrawal(OTHER, FILE)) is Reason.GRANTED
    assert judge(HELD, FILE, Revocation(OTHER, ("statements",))) is Reason.GRANTED
    assert judge(HELD, FILE, withdrawal(ADA, FILE)) is Reason.DISPUTED
    assert judge(HELD, FILE, Revocation(ADA, ("statements",))) is Reason.DISPUTED
    assert judge(HELD, FILE, twin, withdrawal(OTHER, FILE)) is Reason.DISPUTED
    assert judge(HELD, FILE, Revocation(OTHER, ("everything",))) is Reason.DISPUTED


SIGNERS = (OTHER, AGENT, GUARDIAN)
CONSENTS = (HELD, HERS, HIS)
DISPUTES = [
    disputing(signer, *names, subject=subject, expires_at=ends)
    for signer in SIGNERS
    for ends in (BASE + 40, LATE)
    for names, subject in [
        (ITEMS[:1], "files"),
        (ITEMS[:2], "files"),
        ((contributor_hash(ADA),), CONTRIBUTORS),
        ((contributor_hash(BEN),), CONTRIBUTORS),
    ]
]
SCOPES = [
    *(
        Revocation(one, (what,))
        for one in (ADA, BEN)
        for what in ("everything", f"file 0x{ITEMS[0].hex()}")
    ),
    *(Revocation(one, ("statements",)) for one in SIGNERS),
    *(withdrawal(one.terms.signer, one) for one in DISPUTES),
]
histories = st.lists(st.sampled_from([*DISPUTES, *SCOPES]), max_size=12)
heeds = st.sets(st.sampled_from(SIGNERS), max_size=3).map(sorted).map(tuple)
places = st.tuples(st.permutations(CONSENTS), st.sampled_from(ITEMS))
whole = given(places, histories, heeds, st.sampled_from([NOW, LATE - 1]))


@whole
def test_the_verdict_is_that_of_the_words_of_the_rule(
    place: tuple[list[License], bytes], heard: list[Heard], heed: tuple[bytes, ...], now: int
) -> None:
    licenses, item = place
    consent = licenses[0].consent
    plain = judge(*licenses, *heard, heed=(), now=now, item=item)
    taken = {
        (one.contributor, scope) for one in heard if isinstance(one, Revocation) for scope in one.scopes
    }
    parties = {contributor_hash(one) for one in consent.parties}
    counting = any(
        one.terms.signer in heed
        and one.terms.issued_at <= now < one.terms.expires_at
        and not {*one.names}.isdisjoint(parties if one.terms.subject == CONTRIBUTORS else {item})
        and taken.isdisjoint(
            {(one.terms.signer, scope) for scope in ("statements", *withdrawal(ADA, one).scopes)}
        )
        for one in heard
        if isinstance(one, Disputing)
    )
    own = {one for one in taken if one[0] == consent.contributor}  # of rule 8.2: 8.7 comes later
    own_revoked = any(what == "everything" or what == f"file 0x{item.hex()}" for _, what in own)
    expected = Reason.DISPUTED if counting and not own_revoked else plain
    assert judge(*licenses, *heard, heed=heed, now=now, item=item) is expected


@whole
def test_strangers_change_nothing_and_order_and_duplicates_neither(
    place: tuple[list[License], bytes], heard: list[Heard], heed: tuple[bytes, ...], now: int
) -> None:
    licenses, item = place
    found = judge(*licenses, *heard, heed=heed, now=now, item=item)
    mine = [one for one in heard if not isinstance(one, Disputing) or one.terms.signer in heed]
    assert judge(*licenses, *mine, heed=heed, now=now, item=item) is found
    assert judge(*licenses, *heard[::-1], *heard, heed=heed, now=now, item=item) is found


@whole
def test_only_withdrawing_turns_disputed_back(
    place: tuple[list[License], bytes], heard: list[Heard], heed: tuple[bytes, ...], now: int
) -> None:
    licenses, item = place
    found = [judge(*licenses, *heard[:n], heed=heed, now=now, item=item) for n in range(len(heard) + 1)]
    for one, before, after in zip(heard, found, found[1:], strict=False):
        if before is Reason.DISPUTED and after not in (Reason.DISPUTED, Reason.REVOKED):
            assert isinstance(one, Revocation)
            assert one.contributor in heed
            assert one.scopes[0].startswith("statement")
        if before is Reason.REVOKED:
            assert after in (Reason.REVOKED, Reason.DISPUTED)  # by another party's revocation (8.7)


@pytest.mark.parametrize(
    "heed",
    [
        (bytes(20),),
        (b"\x01" * 19,),
        (b"\x01" * 21,),
        (b"\x02" * 20, b"\x01" * 20),
        (b"\x01" * 20, b"\x01" * 20),
        tuple(bytes([n]) * 20 for n in range(1, 18)),
    ],
    ids=["zero", "short", "long", "not ascending", "twice", "17"],
)
def test_a_list_that_breaks_a_rule_is_refused(heed: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed):
        Query(MARKET, "train-ai", heed)


def test_sixteen_may_be_heeded() -> None:
    heed = tuple(bytes([n]) * 20 for n in range(1, 17))
    assert Query(MARKET, "train-ai", heed).heed == heed
