"""Events reach whom they concern: no others, and none is left out, whatever came first."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from node.store.harness import Tables
from node.store.test_sublicenses import give
from sayso_node.store.events import circles, concerned, publishing
from sayso_node.store.events import feed as events
from sayso_node.store.events.circles import EVERYBODY, Link, Party, Role
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations import bits
from sayso_node.store.tables.audience_step import fill_audience
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import DISPUTE, REMOVAL, REVOCATION, SUBLICENSE, USE
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import hex_text, sha256
from support.holders import LABS, dispute, removal, sublicense, use
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO
from support.sql_steps import counted_steps

SOLD = consent(1, purposes=("resale", "train-ai"))  # Ada's, to Ben
OTHER = consent(2, contributor=CLEO, parties=(CLEO,), grantee=BEN, purposes=("resale", "train-ai"))
DAN, EVE, FAY, *_ = LABS
WITHDRAWN = -1
Heard = list[tuple[int, bytes]]


def heard(db: Reading, role: Role, address: bytes) -> Heard:
    """The kinds and signers of what a listener hears, from the first event on."""
    some = events.events_of(db, [Party(role, address), EVERYBODY], 0, 1_000)
    return [(WITHDRAWN if one.is_withdrawn else one.kind, one.address) for one in some]


def test_everybody_hears_of_their_own_and_of_nothing_else(tables: Tables) -> None:
    db = tables()
    passed = sublicense(BEN, DAN, [SOLD.digest])
    further = sublicense(DAN, EVE, [SOLD.digest], passed.digest)
    used, removed = use(DAN, [passed.digest]), removal(DAN, [SOLD.digest])
    give(db, [SOLD, OTHER, passed, further, used, removed])
    give(db, [sublicense(BEN, FAY, [OTHER.digest])])
    give(db, [revocation("everything"), revocation("everything", contributor=CLEO)])
    assert heard(db, Role.CONTRIBUTOR, ADA) == [
        (SUBLICENSE, BEN),
        (SUBLICENSE, DAN),
        (USE, DAN),
        (REMOVAL, DAN),
        (REVOCATION, ADA),
    ]
    assert heard(db, Role.CONTRIBUTOR, CLEO) == [(SUBLICENSE, BEN), (REVOCATION, CLEO)]
    assert heard(db, Role.GRANTEE, BEN) == [
        *heard(db, Role.CONTRIBUTOR, ADA)[:4],
        (SUBLICENSE, BEN),
        (REVOCATION, ADA),
        (REVOCATION, CLEO),
    ]
    assert heard(db, Role.LICENSOR, BEN) == heard(db, Role.GRANTEE, BEN)
    assert heard(db, Role.HOLDER, EVE) == [(SUBLICENSE, DAN), (REVOCATION, ADA)]
    assert heard(db, Role.HOLDER, FAY) == [(SUBLICENSE, BEN), (REVOCATION, CLEO)]
    assert heard(db, Role.LICENSOR, FAY) == heard(db, Role.CONTRIBUTOR, FAY) == []


@pytest.mark.parametrize("statement", ["sublicense", "use", "removal", "dispute"])
@pytest.mark.parametrize("scope", ["statement {}", "statements"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_withdrawal_reaches_them_whatever_came_first(
    tables: Tables, statement: str, scope: str, is_first: bool
) -> None:
    db = tables()
    made: dict[str, Callable[[], Envelope]] = {
        "sublicense": lambda: sublicense(BEN, DAN, [SOLD.digest]),
        "use": lambda: use(BEN, [SOLD.digest]),
        "removal": lambda: removal(BEN, [SOLD.digest]),
        "dispute": lambda: dispute(CLEO, SOLD.items),
    }
    one = made[statement]()
    signer = one.message.signer
    ended = revocation(scope.format(hex_text(one.digest)), contributor=signer)
    # A consent of the signer's makes the scope count before the statement is there.
    theirs = consent(5, contributor=signer, parties=(signer,), grantee=FAY)
    give(db, [SOLD, theirs, *((ended, one) if is_first else (one, ended))])
    told = heard(db, Role.CONTRIBUTOR, ADA)
    if is_first or scope != "statements":
        assert (WITHDRAWN, signer) in told
    else:
        assert (REVOCATION, signer) in told
    assert told.index((one.message.kind, signer)) < len(told) - 1


def test_who_comes_late_hears_of_what_was_stated_before(tables: Tables) -> None:
    db = tables()
    both = sorted([SOLD.digest, OTHER.digest])
    passed = sublicense(BEN, DAN, both)
    give(db, [SOLD, passed, use(BEN, both), use(DAN, [passed.digest], "run-8")])
    assert heard(db, Role.CONTRIBUTOR, CLEO) == []
    give(db, [OTHER])
    assert set(heard(db, Role.CONTRIBUTOR, CLEO)) == {(SUBLICENSE, BEN), (USE, BEN)}
    assert heard(db, Role.HOLDER, DAN)[-1] == (SUBLICENSE, BEN)


def test_guardians_and_wards_hear_of_each_other(tables: Tables) -> None:
    db = tables()
    guarded = consent(6, guardian=CLEO)
    give(db, [guarded, revocation(f"ward {hex_text(ADA)} everything", contributor=CLEO)])
    for role, who in ((Role.CONTRIBUTOR, ADA), (Role.CONTRIBUTOR, CLEO), (Role.GRANTEE, BEN)):
        assert heard(db, role, who) == [(REVOCATION, CLEO)]


def test_a_dispute_reaches_all_whose_file_or_person_it_is_about(tables: Tables) -> None:
    db = tables()
    give(db, [SOLD, OTHER, sublicense(BEN, DAN, [SOLD.digest])])
    give(db, [dispute(CLEO, SOLD.items)])
    give(db, [dispute(CLEO, [bytes(12) + ADA], "contributors")])
    about = [(DISPUTE, CLEO)] * 2
    assert heard(db, Role.CONTRIBUTOR, ADA)[-2:] == heard(db, Role.GRANTEE, BEN)[-2:] == about
    assert heard(db, Role.HOLDER, DAN)[-2:] == heard(db, Role.LICENSOR, BEN)[-2:] == about
    assert heard(db, Role.HOLDER, FAY) == []


def _wide(db: Reading) -> int:
    return len(heard(db, Role.HOLDER, sha256(b"nobody")[:20]))


def test_what_concerns_too_many_is_for_everybody(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tables()
    give(db, [SOLD])
    circles.add(db, (Link(ADA, Role.HOLDER, sha256(b"%d" % n)[:20]) for n in range(publishing.NEAR)))
    give(db, [revocation("everything")])
    assert _wide(db) == 1
    give(db, [dispute(CLEO, SOLD.items)])
    assert _wide(db) == 2
    passed = sublicense(BEN, DAN, [SOLD.digest])
    give(db, [passed])
    monkeypatch.setattr(concerned, "LOOKED_AT", 0)
    give(db, [use(DAN, [passed.digest])])
    assert _wide(db) == 3


_AS_THEN = (  # the tables that the step reads, as they were before licenses had numbers
    "CREATE TABLE grantees AS SELECT license, grantee FROM grants",
    "ALTER TABLE passed_on RENAME TO new_passed_on",
    """
CREATE TABLE passed_on AS SELECT grants.license, new_passed_on.grantee, signer FROM new_passed_on
    JOIN grants ON grants.number = new_passed_on.license
    JOIN sublicense_terms ON sublicense_terms.number = sublicense
""",
)


def test_a_migration_tells_everybody_of_the_past_and_knows_who_deals_with_whom(tables: Tables) -> None:
    db = tables()
    passed = sublicense(BEN, DAN, [SOLD.digest])
    guarded = consent(6, guardian=CLEO)
    give(db, [SOLD, guarded, passed, use(DAN, [passed.digest]), revocation("everything")])
    filled = ("circles", "statement_words")
    before = {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall()) for name in filled}
    for name in (*filled, "event_parties"):
        db.execute(f"DELETE FROM {name}")
    db.execute("DELETE FROM events WHERE kind <> 2")
    for old in _AS_THEN:
        db.execute(old)
    fill_audience(db)
    after = {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall()) for name in filled}
    assert after == before
    assert sorted(heard(db, Role.HOLDER, FAY)) == sorted(
        [(REVOCATION, ADA), (SUBLICENSE, BEN), (USE, DAN)]
    )


async def _costs(folder: Path, others: int) -> Sequence[int]:
    """What a page of a listener costs, and a revocation, beside so many events of others."""

    def fill(db: Writing) -> None:
        give(db, [SOLD])
        for start in range(0, others, 500):
            some = range(start, min(others, start + 500))
            first = db.next_seq("events", len(some))
            who = [sha256(b"person %d" % n)[:20] for n in some]
            events.add_many(db, first, [events.Event(one, 7, 1, "chain", None, NOW) for one in who])
            rows: list[Any] = [(Role.CONTRIBUTOR, one, first + at) for at, one in enumerate(who)]
            rows += [(Role.HOLDER, EVE, first + at) for at in range(len(who))]
            db.executemany("INSERT INTO event_parties VALUES (?, ?, ?)", rows)
            circles.add(db, (Link(one, Role.GRANTEE, CLEO) for one in who))
        bits.merge_bits(db, ADA, {scope_word("everything"): 1}, source=bits.CHAIN, now=NOW)

    with NodeRig(folder) as rig:
        await rig.store.write(fill)
    with counted_steps() as steps, NodeRig(folder) as rig:
        found = list[int]()
        for role, who in ((Role.CONTRIBUTOR, ADA), (Role.HOLDER, FAY), (Role.GRANTEE, BEN)):
            before = steps.count
            with rig.store.read() as db:
                assert len(heard(db, role, who)) == (who != FAY)
            found.append(steps.count - before)
        before = steps.count
        await rig.store.write(lambda db: give(db, [revocation(f"file {hex_text(SOLD.items[0])}")]))
        found.append(steps.count - before)
    return found


async def test_a_filter_costs_what_it_finds_and_not_what_the_store_has(tmp_path: Path) -> None:
    for name in ("small", "large"):
        (tmp_path / name).mkdir()
    small, large = await _costs(tmp_path / "small", 50), await _costs(tmp_path / "large", 20_000)
    assert all(cost <= 1.25 * few + 200 for cost, few in zip(large, small, strict=True)), (small, large)
