"""Who is not the grantee is clear offline only through sublicenses that every file names."""

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.snapshots.keys import displaced_keys
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.offline_chains import HeldSublicense
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots
from sayso_protocol.verdicts.chains import Hop
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Reason, Row, verdict
from support.known import Heard, Known, PassingOn, license_hash, message_hash
from support.passing import (
    AGENT,
    BASE,
    GUARDIAN,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    PAIR,
    RESELLER,
    SOON,
    a_license,
    chain_of,
    histories,
    pass_on,
    questions,
)
from support.passing import OTHER as FOURTH
from support.protocol_strategies import ADA, BEN
from support.snapshots import AS_OF, OTHER, names_of, snapshot_of
from support.tries import tries

HELD = a_license(guardian=GUARDIAN)
TWO = chain_of(MARKET, RESELLER, LAB, of=(HELD,))
FOUR = chain_of(MARKET, RESELLER, AGENT, FOURTH, LAB, of=(HELD,))
MANY = [pass_on(MARKET, LAB, HELD, expires_at=LATE - 1 - at) for at in range(17)]
NOW = AS_OF + 20


def passed(history: list[Heard]) -> list[PassingOn]:
    return [one for one in history if isinstance(one, PassingOn)]


def file(history: list[Heard], *but: bytes, **options: Any) -> Snapshot:
    """A file of a node that heard this, which names all but these."""
    known = Known(history)
    names = names_of(known.licenses.values(), but, passed(history))
    return snapshot_of(known.state, names, **options)


def gate(history: list[Heard], *files: Snapshot, query: Query, **options: Any) -> OfflineGate:
    licenses = [one for one in history if isinstance(one, License)]
    held = HeldLicenses(
        {
            license_hash(one.consent): (license_hash(one.consent), one.consent, one.items)
            for one in licenses
        }.values(),
        {
            digest: HeldSublicense(Hop(digest, one.terms), one.names)
            for one in passed(history)
            for digest in [message_hash(one.terms)]
        }.values(),
    )
    return OfflineGate(held, Snapshots(files), query, **({"max_age_s": 10**6} | options))


def judge(
    history: list[Heard],
    *files: Snapshot,
    held: License = HELD,
    asker: bytes = LAB,
    now: float = NOW,
    **options: Any,
) -> Reason:
    made = gate(history, *(files or [file(history)]), query=Query(asker, "train-ai"), **options)
    row = Row(license_hash(held.consent), ITEMS[0])
    return REASONS[made.judge(join_rows([row]), now).reasons[0]]


@settings(deadline=None, max_examples=tries(200))
@given(histories(), st.booleans())
def test_it_agrees_with_the_verdict(history: list[Heard], is_union: bool) -> None:
    """Over files that name everybody and everything, at the moment for which they are valid."""
    known = Known(history)
    asked = sorted(questions(history), key=lambda one: (one.now, one.query.grantee, one.query.purpose))
    for (query, now), some in groupby(asked, lambda one: (one.query, one.now)):
        files = [file(history, as_of=now)]
        if is_union:
            files.append(file(history, as_of=now, key=OTHER))
        rows = [one.row for one in some]
        judged = gate(history, *files, query=query).judge(join_rows(rows), now).reasons.tolist()
        assert [REASONS[one] for one in judged] == [verdict(known, one, query, now) for one in rows]


@settings(deadline=None, max_examples=tries(200))
@given(histories(), st.data())
def test_what_is_clear_offline_is_clear_online(history: list[Heard], data: st.DataObject) -> None:
    """Whatever a file leaves out, and whatever the bundle lacks."""
    known = Known(history)
    names = names_of(known.licenses.values(), passed=passed(history))
    named = [name for name in names if data.draw(st.integers(0, 5))]
    made = snapshot_of(known.state, named, as_of=BASE + 70)
    bundle = [one for one in history if not isinstance(one, PassingOn) or data.draw(st.integers(0, 5))]
    for question in questions(history):
        row, query, _ = question
        judged = gate(bundle, made, query=query).judge(join_rows([row]), BASE + 70).reasons[0]
        if REASONS[judged] is Reason.GRANTED:
            assert verdict(known, row, query, BASE + 70) is Reason.GRANTED


@pytest.mark.parametrize("chain", [TWO, FOUR])
def test_a_chain_of_named_sublicenses_clears(chain: list[PassingOn]) -> None:
    assert judge([HELD, *chain]) is Reason.GRANTED
    assert judge([HELD, *chain], asker=BEN) is Reason.OTHER_GRANTEE


@pytest.mark.parametrize("at", range(4))
def test_a_sublicense_that_one_file_does_not_name_clears_nothing(at: int) -> None:
    """A hidden sale: signed, in the buyer's bundle, and told to nobody else."""
    history: list[Heard] = [HELD, *FOUR]
    hidden = message_hash(FOUR[at].terms)
    assert judge(history, file(history, hidden)) is Reason.STALE
    assert judge(history, file(history), file(history, hidden, key=OTHER)) is Reason.STALE
    assert judge(history, file([HELD])) is Reason.STALE


@pytest.mark.parametrize("at", range(4))
def test_a_signer_who_is_not_named_clears_nothing(at: int) -> None:
    history: list[Heard] = [HELD, *FOUR]
    assert judge(history, file(history, FOUR[at].terms.signer)) is Reason.STALE


@pytest.mark.parametrize("at", range(4))
def test_a_holder_withdraws(at: int) -> None:
    terms = FOUR[at].terms
    own = (f"statement 0x{message_hash(terms).hex()}", "statements")
    for scope in (*own, f"statements to 0x{terms.grantee.hex()}"):
        history: list[Heard] = [HELD, *FOUR, Revocation(terms.signer, (scope,))]
        assert judge(history) is Reason.WITHDRAWN
        assert judge(history, file([HELD, *FOUR]), file(history, key=OTHER)) is Reason.WITHDRAWN


def test_who_takes_resale_back_stops_everybody_below() -> None:
    for scope in ("everything for resale", f"to 0x{LAB.hex()}", f"to 0x{LAB.hex()} for resale"):
        assert judge([HELD, *TWO, Revocation(ADA, (scope,))]) is Reason.REVOKED
    ward = f"ward 0x{ADA.hex()} to 0x{RESELLER.hex()}"
    assert judge([HELD, *TWO, Revocation(GUARDIAN, (ward,))]) is Reason.WITHDRAWN


def test_a_sublicense_that_came_after_the_file_is_stale() -> None:
    late = pass_on(MARKET, LAB, HELD, issued_at=AS_OF + 1)
    assert judge([HELD, late]) is Reason.STALE


def test_a_displaced_one_clears_nothing_whatever_the_bundle_lacks() -> None:
    """The maker knows seventeen, the bundle has the last of them alone."""
    last = max(MANY, key=lambda one: (-one.terms.expires_at, message_hash(one.terms)))
    digest, name = message_hash(last.terms), license_hash(HELD.consent)
    history: list[Heard] = [HELD, *MANY]
    knows = file(history, more=displaced_keys(digest, [name]))
    assert judge([HELD, last], knows) is Reason.WITHDRAWN
    assert judge([HELD, last], file(history), knows) is Reason.WITHDRAWN
    assert judge(history, knows) is Reason.GRANTED
    elsewhere = file(history, more=displaced_keys(digest, [bytes(32)]))
    assert judge([HELD, last], elsewhere) is Reason.GRANTED  # displaced for another license alone


def test_each_party_needs_a_named_chain_of_its_own() -> None:
    hers, his = a_license(parties=PAIR), a_license(parties=PAIR, contributor=BEN)
    last = pass_on(MARKET, LAB, his)
    both: list[Heard] = [hers, his, pass_on(MARKET, LAB, hers), last]
    assert judge(both, held=hers) is Reason.GRANTED
    assert judge(both[:3], held=hers) is Reason.INCOMPLETE
    hidden = message_hash(last.terms)
    assert judge(both, file(both, hidden), held=hers) is Reason.STALE


def test_a_chain_bounds_until() -> None:
    ending = pass_on(MARKET, LAB, HELD, expires_at=SOON)
    made = gate([HELD, ending], file([HELD, ending]), query=Query(LAB, "train-ai"))
    rows = join_rows([Row(license_hash(HELD.consent), ITEMS[0])])
    assert made.judge(rows, NOW).until == SOON
    assert REASONS[made.judge(rows, NOW, SOON + 1).reasons[0]] is Reason.STALE
