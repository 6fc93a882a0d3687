"""Rule 7.17.6: of a statement that has ended, a quota counts the digest that stays, and no more."""

import pytest

from node.store.harness import Tables
from node.store.test_statement_ends import EXPIRED, SOLD, run
from sayso_node.intake.admissions import Circumstances, admit
from sayso_node.store import messages
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.drawn import draw_singles
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements.ends import AWAITED_S
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import sha256
from support.holders import dispute, use
from support.node_rig import NOW
from support.protocol_strategies import BEN, CLEO, NODE

KEY = bytes(NODE.verify_key)
OWN = Quotas(trusted=2, hashes=10, strangers=0, operators=frozenset({KEY}))
POOL = Quotas(strangers=4, hashes=10)
EACH = 10  # hashes of a use: as many as half of the sponsor's room, or a quarter of the pool


def give(db: Writing, one: Envelope, quotas: Quotas) -> Admitted:
    keeper = Keeper(KEY, quotas, frozenset({CLEO}))
    (admitted,) = admit(db, [one], Circumstances(keeper, PendingRoom(), "test", NOW, NOW))
    return admitted


def sold(tables: Tables, quotas: Quotas) -> Writing:
    """A store that holds the license."""
    db = tables()
    draw_singles(db, bytes)
    give(db, SOLD, quotas)
    return db


def a_use(number: int, hashes: int = EACH) -> Envelope:
    others = [sha256(b"another license %d" % at) for at in range(hashes - 1)]
    return use(BEN, [SOLD.digest, *others], f"run-{number}")


def counted(db: Reading) -> int:
    """Hashes that fill any quota."""
    [own] = db.execute("SELECT coalesce(sum(held), 0) FROM statement_sponsors").fetchone()
    row = db.execute("SELECT value FROM numbers WHERE name = 'pooled-hashes'").fetchone()
    return int(own) + int(row[0] if row else 0)


@pytest.mark.parametrize("quotas", [OWN, POOL], ids=["own", "pool"])
def test_what_has_ended_makes_room(tables: Tables, quotas: Quotas) -> None:
    db = sold(tables, quotas)
    kept = [one for one in map(a_use, range(9)) if give(db, one, quotas) is Admitted.STORED]
    assert counted(db) == EACH * len(kept)
    lasting = dispute(CLEO, [SOLD.items[0]])
    assert run(db, EXPIRED - AWAITED_S) == set()
    assert run(db, EXPIRED) == {one.digest for one in kept}
    assert counted(db) == len(kept)
    assert give(db, lasting, quotas) is Admitted.STORED
    assert counted(db) == len(kept) + 1


def test_both_rooms_of_one_sponsor_are_told_apart(tables: Tables) -> None:
    """What a sponsor has in the pool frees no room of its own, nor the other way round."""
    quotas = OWN._replace(strangers=4)
    db = sold(tables, quotas)
    kept = [one for one in map(a_use, range(4)) if give(db, one, quotas) is Admitted.STORED]
    assert len(kept) == 4
    assert _rooms(db) == (20, 20)
    run(db, EXPIRED - AWAITED_S)
    run(db, EXPIRED)
    assert _rooms(db) == (2, 2)


def test_what_ends_at_once_fills_the_pool_all_the_same(tables: Tables) -> None:
    """Else strangers could leave digests without end, each of a license that is over."""
    quotas = Quotas(strangers=4, hashes=2)
    db = sold(tables, quotas)
    for number in range(60):
        give(db, a_use(number, 1), quotas)
        run(db, EXPIRED)
    query = "SELECT count(*) FROM messages WHERE kind = ?"
    [ended] = db.execute(query, (messages.ENDED,)).fetchone()
    assert 4 <= ended <= 8
    assert counted(db) == ended


def _rooms(db: Reading) -> tuple[int, int]:
    [own] = db.execute("SELECT coalesce(sum(held), 0) FROM statement_sponsors").fetchone()
    return own, counted(db) - own
