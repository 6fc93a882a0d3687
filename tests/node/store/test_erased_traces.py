"""Rule 8.13.8: of two nodes one of which erased a consent, both compute the same trace."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.store.harness import Tables
from node.store.test_sublicenses import give
from node.store.test_traces import anchor, be_final, land
from sayso_node.errors import NotDated, NotRevoked
from sayso_node.store import erasure
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements import traces
from sayso_node.store.statements.traces import Trace
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.permissions.scopes import agreement_subject, file_subject, to_subject
from sayso_protocol.traces.duties import Standing
from support.holders import LABS, removal, sublicense, use
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK

DAN, EVE, *_ = LABS
SOLD = consent(1, count=3, purposes=("evaluate", "resale", "train-ai"), guardian=CLEO, via="kled.ai")
TERMS = as_kind(SOLD.message, Consent)
TO_DAN = sublicense(BEN, DAN, [SOLD.digest], purposes=("evaluate", "resale", "train-ai"))
TO_EVE = sublicense(DAN, EVE, [SOLD.digest], TO_DAN.digest)
WARD = f"ward 0x{ADA.hex()} "


def of(db: Reading) -> Trace:
    return traces.trace(db, NETWORK, SOLD.digest, bytes(20), 16)


def compared(db: Reading) -> object:
    """A trace without what is to be gone, and without the numbers of a store.

    Gone are the consent's text and items, and disputes over the items.
    """
    found = of(db)
    holders = [
        who._replace(held=[one._replace(terms=one.terms._replace(number=0)) for one in who.held])
        for who in found.holders
    ]
    one = found.consent
    terms = one.contributor, one.grantee, one.guardian, one.purposes, one.items, one.removal_days
    return (
        terms,
        one.issued_at,
        one.expires_at,
        found._replace(consent=TERMS, disputes=[], holders=holders),
    )


def _words(items: list[int], purposes: list[str]) -> Envelope:
    return revocation(words=TERMS.masks(items, purposes))


REVOCATIONS = [
    revocation("everything"),
    revocation("everything for train-ai"),
    revocation(f"{WARD}everything for evaluate", contributor=CLEO),
    revocation(agreement_subject(TERMS.agreement)),
    revocation("via kled.ai for resale"),
    revocation(to_subject(BEN)),
    revocation(to_subject(DAN)),
    revocation(f"{to_subject(EVE)} for resale"),
    *(revocation(file_subject(item)) for item in SOLD.items),
    revocation(f"{file_subject(SOLD.items[0])} for train-ai"),
    revocation(WARD + file_subject(SOLD.items[1]), contributor=CLEO),
    revocation(f"{file_subject(SOLD.items[2])} for resale"),
    _words([0, 1, 2], ["resale"]),
    _words([0, 1, 2], ["evaluate", "train-ai"]),
    _words([1], ["train-ai"]),
]
STATEMENTS = [
    TO_DAN,
    TO_EVE,
    use(BEN, [SOLD.digest]),
    use(EVE, [TO_EVE.digest]),
    *(removal(who, [SOLD.digest], at) for who in (BEN, DAN) for at in (4, 9)),
    removal(EVE, [TO_EVE.digest], 12),
    revocation(f"statement 0x{TO_DAN.digest.hex()}", contributor=BEN),
]
Step = Callable[[Writing, int], None]


def _steps(one: Envelope) -> list[Step]:
    """A message comes; a batch has it; the chain says it.

    A batch has a revocation only once it has come: who erased a consent cannot learn later that a scope
    of a single file was anchored before (15.6.2).
    """

    def in_batch(db: Writing, at: int) -> None:
        if one in REVOCATIONS:
            give(db, [one])
        anchor(db, at, one)

    steps: list[Step] = [lambda db, _at: give(db, [one]), in_batch]
    if one in REVOCATIONS:
        steps.append(lambda db, at: land(db, at, one))
    return steps


STEPS = [step for one in (*REVOCATIONS, *STATEMENTS) for step in _steps(one)]
WHOLE = [lambda db, at, one=one: land(db, at, one) for one in (REVOCATIONS[0], REVOCATIONS[3])]


def _erase(db: Writing) -> bool:
    try:
        erasure.erase(db, NETWORK, SOLD.digest)
    except (NotDated, NotRevoked):
        return False
    return True


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sampled_from(STEPS), max_size=8),
    st.sampled_from(WHOLE),
    st.lists(st.sampled_from([*STEPS, be_final]), max_size=10),
)
def test_who_erased_computes_the_trace_of_who_did_not(
    tables: Tables, before: list[Step], whole: Step, after: list[Step]
) -> None:
    one, other = tables(), tables()
    for db in (one, other):
        give(db, [SOLD])
    is_erased = False
    for number, step in enumerate((*before, whole, be_final, *after), 1):
        for db in (one, other):
            step(db, number)
        is_erased = is_erased or _erase(one)
        assert compared(one) == compared(other)
    assert is_erased
    be_final(one, 99, 2_000_000_000)
    be_final(other, 99, 2_000_000_000)
    assert compared(one) == compared(other)


@pytest.mark.parametrize("name", ["words", "files", "everything"])
def test_dates_and_who_has_to_confirm_stay(tables: Tables, name: str) -> None:
    db = tables()
    stops = {
        "words": [_words([0, 1, 2], list(TERMS.purposes))],
        "files": [revocation(*map(file_subject, SOLD.items))],
        "everything": [revocation("everything")],
    }[name]
    give(db, [SOLD, TO_DAN, *stops])
    for stop in stops:
        land(db, 5, stop)
    be_final(db, 6)
    due = [one.due for holder in of(db).holders for one in holder.duties]
    erasure.erase(db, NETWORK, SOLD.digest)
    found = {one.address: one.duties for one in of(db).holders}
    assert [one.due for duties in found.values() for one in duties] == due
    assert {who: [one.standing for one in duties] for who, duties in found.items()} == {
        BEN: [Standing.DUE],
        DAN: [Standing.DUE],
    }
    be_final(db, 99, due[0] + 1 if due[0] else 0)
    assert {one.standing for holder in of(db).holders for one in holder.duties} == {Standing.LATE}
    gone = removal(DAN, [TO_DAN.digest], 6)
    give(db, [gone])
    anchor(db, 50, gone)
    (dan,) = (one for one in of(db).holders if one.address == DAN)
    assert [one.standing for one in dan.duties] == [Standing.CONFIRMED]


def test_what_no_final_block_dates_is_not_erased(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, revocation("everything")])
    with pytest.raises(NotDated):
        erasure.erase(db, NETWORK, SOLD.digest)
    land(db, 5, revocation("everything"))
    be_final(db, 4)
    with pytest.raises(NotDated):
        erasure.erase(db, NETWORK, SOLD.digest)
    be_final(db, 5)
    erasure.erase(db, NETWORK, SOLD.digest)


def test_items_and_their_root_are_gone(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, revocation(*map(file_subject, SOLD.items))])
    land(db, 5, revocation(*map(file_subject, SOLD.items)))
    be_final(db, 6)
    erasure.erase(db, NETWORK, SOLD.digest)
    [(kept,)] = db.execute("SELECT terms FROM erased").fetchall()
    for gone in (TERMS.content, *SOLD.items):
        assert gone not in kept
    [(body,)] = db.execute("SELECT body FROM messages WHERE digest = ?", (SOLD.digest,)).fetchall()
    assert not body
