"""Kept statements do not depend on the order in which messages came, nor a look on their number."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.store.harness import Tables
from sayso_node.errors import NotFound
from sayso_node.intake.admissions import Circumstances, admit
from sayso_node.store import messages
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements import chains, lookup, passing, sublicenses
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import SUBLICENSE, USE
from support.holders import LABS, T, dispute, sublicense, use
from support.node_rig import NOW, consent
from support.passed_rows import passed_rows
from support.protocol_strategies import BEN, CLEO, NODE
from support.tries import tries

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
OTHER = consent(2, grantee=CLEO)
DAN, EVE, *_ = LABS
DIGEST = SOLD.digest


def _state(db: Reading) -> tuple[Any, ...]:
    tables = "named", "disputes", "waiting_names"
    rows = [sorted(db.execute(f"SELECT * FROM {table}").fetchall()) for table in tables]
    rows.append(sorted(passed_rows(db)))
    rows.append(sorted(db.execute("SELECT license, grantee, contributor FROM grants").fetchall()))
    rows.append(sorted(db.execute("SELECT address FROM people").fetchall()))
    kept = sorted(d for (d,) in db.execute("SELECT digest FROM messages"))
    waits = sorted(d for (d,) in db.execute("SELECT digest FROM waiting"))
    return kept, waits, *rows


_CONSENTS = [SOLD, OTHER, consent(3)]
_LICENSES = [one.digest for one in _CONSENTS]
_PEOPLE = [BEN, CLEO, DAN, EVE]


@st.composite
def _histories(draw: st.DrawFn) -> list[Envelope]:
    """Consents, and sublicenses, uses and disputes of them, most of which lead somewhere."""
    found: list[Envelope] = [_CONSENTS[at] for at in draw(st.sets(st.sampled_from(range(3))))]
    links = list[Envelope]()
    for number in range(draw(st.integers(1, 14))):
        signer = draw(st.sampled_from(_PEOPLE))
        hashes = draw(st.sets(st.sampled_from(_LICENSES), min_size=1))
        match draw(st.sampled_from("ssssud")):
            case "s":
                parents = [one.digest for one in links if one.message.grantee == signer]  # type: ignore[attr-defined]
                parent = draw(st.sampled_from([bytes(32), *parents]))
                grantee = draw(st.sampled_from([one for one in _PEOPLE if one != signer]))
                ends = draw(st.integers(T + 1, T + 3))
                links.append(sublicense(signer, grantee, hashes, parent, expires_at=ends))
            case "u":
                some = [*sorted(hashes), *(one.digest for one in links)]
                named = draw(st.sets(st.sampled_from(some), min_size=1))
                found.append(use(signer, named, f"{number}"))
            case _:
                found.append(dispute(signer, hashes))
    return list({one.digest: one for one in [*found, *links]}.values())


@settings(deadline=None, max_examples=tries(60))
@given(_histories(), st.data())
def test_any_order_gives_the_same_state(
    tables: Tables, history: list[Envelope], data: st.DataObject
) -> None:
    """Duplicates and splits included; two that count are enough to displace others.

    Who may use a license is the same, whether it is asked for by its number or by its hash.
    """
    states = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passing, "COUNTED", 2)
        for order in (history, data.draw(st.permutations(history + history[:3]))):
            db = tables()
            give(db, order)
            states.append(_state(db))
            assert _ways(db, by_number=True) == _ways(db, by_number=False)
    assert states[0] == states[1]


def _ways(
    db: Reading, *, by_number: bool
) -> list[tuple[dict[bytes, set[bytes]], dict[bytes, chains.Way]]]:
    """For each address: the sublicenses that pass each license on to it, and those above them."""
    numbers = {number: name for name, number in sublicenses.numbers_of(db, _LICENSES).items()}
    found = [
        chains.chains_of_numbered(db, numbers, one, {})
        if by_number
        else chains.chains_to(db, _LICENSES, one)
        for one in _PEOPLE
    ]
    return [({name: {*some} for name, some in named.items()}, ways) for named, ways in found]


def give(db: Writing, envelopes: list[Envelope]) -> None:
    key = bytes(NODE.verify_key)
    keeper = Keeper(key, Quotas(operators=frozenset({key})), frozenset({CLEO}))
    for one in envelopes:
        admit(db, [one], Circumstances(keeper, PendingRoom(), "test", NOW, NOW))


def test_the_first_sixteen_count_and_displacement_is_for_good(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD])
    some = [sublicense(BEN, DAN, [DIGEST], expires_at=T + 100 + n) for n in range(20)]
    give(db, some)
    assert [one.digest for one in sublicenses.sublicenses_to(db, DIGEST, DAN)] == [
        one.digest for one in reversed(some[4:])
    ]
    for by_number in (True, False):
        to_dan, _ = _ways(db, by_number=by_number)[_PEOPLE.index(DAN)]
        assert to_dan == {DIGEST: {one.digest for one in some[4:]}}
    give(db, [sublicense(BEN, EVE, [DIGEST], expires_at=T + 1)])  # another grantee has its own
    assert len(sublicenses.sublicenses_to(db, DIGEST, EVE)) == 1
    assert all(messages.is_known(db, one.digest) for one in some)  # displaced ones stay kept


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_pages_have_each_kept_statement_once(tables: Tables, size: int) -> None:
    """Also those that are displaced while somebody turns the pages."""
    db = tables()
    some = [sublicense(BEN, who, [DIGEST], expires_at=T + n) for n in range(1, 13) for who in LABS[:3]]
    later = [sublicense(BEN, DAN, [DIGEST], expires_at=T + 100 + n) for n in range(9)]
    said = [use(BEN, [DIGEST], f"{n}") for n in range(5)]
    give(db, [SOLD, *some, *said])
    for kind, kept in ((SUBLICENSE, some), (USE, said)):
        found, after = list[bytes](), bytes(32)
        while True:
            page = lookup.kept(db, DIGEST, kind, after, size)
            found += page.digests
            if page.after is None:
                break
            after = page.after
            give(db, [later.pop()] if later and kind == SUBLICENSE else [])
        assert len(found) == len({*found})
        assert {*found} >= {one.digest for one in kept}
    with pytest.raises(NotFound):
        lookup.kept(db, DIGEST, SUBLICENSE, b"n" * 32, size)
    with pytest.raises(NotFound):
        lookup.kept(db, DIGEST, USE, b"n" * 32, size)
