"""A store of an older release is brought up to date, and is then what a new one is."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from node.store.backends import BACKENDS
from node.store.harness import add_consent
from node.store.test_sublicenses import give
from sayso_node.errors import StoreUnusable
from sayso_node.store import shared_claims
from sayso_node.store.chain import chain_state, intents
from sayso_node.store.interface import Reading
from sayso_node.store.opening import snapshot_at, store_at
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.statements import lookup, sublicenses
from sayso_node.store.statements.chains import chains_to
from sayso_node.store.tables import migrations
from sayso_node.store.tables.schema import VERSION
from sayso_protocol.encoding.packing import pack
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, STATEMENTS
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Sought
from support.holders import LABS, T, removal, sublicense, use
from support.node_rig import NOW, consent, revocation
from support.packed import unpack
from support.passed_rows import passed_rows
from support.protocol_strategies import ADA, BEN, CLEO, NODE, a_consent, item_hashes, signed

OLDEST = 3
HERE = Path(__file__).parent


def old_store(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript((HERE / f"version_{OLDEST}.sql").read_text())
    db.execute(f"PRAGMA user_version = {OLDEST}")
    db.execute("INSERT INTO relay_wants VALUES (?, ?, ?, 1.5, 0)", (b"a" * 20, b"w" * 32, b"m" * 32))
    db.execute("INSERT INTO intents (kind, subject, data, made_at) VALUES ('relay', x'', x'01', 2.5)")
    db.commit()
    db.close()


def opened(path: Path) -> None:
    store = store_at(path)
    store.start()
    store.stop()


def shape(path: Path) -> dict[str, Any]:
    """Tables with their columns; indexes and triggers as they were written, comments left out."""
    db = sqlite3.connect(path)
    found: dict[str, Any] = {}
    for kind, name, text in db.execute("SELECT type, name, sql FROM sqlite_master"):
        is_table = kind == "table"
        plain = re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", text or ""))
        found[name] = db.execute(f"PRAGMA table_info({name})").fetchall() if is_table else plain
    [found["version"]] = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return found


def test_there_is_a_step_from_every_version() -> None:
    assert sorted(migrations.STEPS) == list(range(OLDEST, VERSION))


def test_an_old_store_becomes_what_a_new_one_is_and_keeps_what_it_had(tmp_path: Path) -> None:
    old_store(tmp_path / "old.sqlite")
    for _ in range(2):  # the second time there is nothing to do
        opened(tmp_path / "old.sqlite")
    opened(tmp_path / "new.sqlite")
    assert shape(tmp_path / "old.sqlite") == shape(tmp_path / "new.sqlite")
    with snapshot_at(tmp_path / "old.sqlite") as db:
        wants = db.execute("SELECT wanted_at, done, not_before FROM relay_wants").fetchall()
        [intent] = intents.open_intents(db)
    assert wants == [(1.5, 0, 0)]
    assert (intent.kind, intent.data, intent.nonce, intent.gas) == ("relay", b"\1", None, None)


def first_reading(envelope: Envelope) -> bytes:
    """A consent as it was encoded before it had two clocks."""
    tree = unpack(encode(envelope))
    del tree[2][13:]
    return pack(tree)


def test_consents_of_several_parties_are_found_after_a_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(migrations.FILLS, 14)  # which refuses them
    old_store(tmp_path / "old.sqlite")
    items = item_hashes(3)
    shared = a_consent(items, contributor=BEN, parties=tuple(sorted((ADA, BEN))), grantee=CLEO)
    some = [consent(1), signed(shared, items).sponsored_by(NODE), consent(2)]
    db = sqlite3.connect(tmp_path / "old.sqlite")
    for one in some:
        row = (one.digest, CONSENT, one.message.signer, first_reading(one), NOW)
        query = (
            "INSERT INTO messages (digest, kind, contributor, body, arrived_at) VALUES (?, ?, ?, ?, ?)"
        )
        db.execute(query, row)
    db.execute("INSERT INTO anchors VALUES (?, ?, 1, ?)", (b"r" * 32, b"s" * 20, b"h" * 32))
    db.commit()
    db.close()
    opened(tmp_path / "old.sqlite")
    tables = BACKENDS["sqlite"].tables()
    for one in some:
        add_consent(tables, one, NOW)
    with snapshot_at(tmp_path / "old.sqlite") as db_:
        query = "SELECT * FROM shared_claims ORDER BY claim"
        assert db_.execute(query).fetchall() == tables.execute(query).fetchall() != []
        query = "SELECT list FROM shared_items ORDER BY list"
        assert db_.execute(query).fetchall() == tables.execute(query).fetchall() != []
        sought = Sought(items[2], shared.parties, BEN, Query(CLEO, "train-ai"), NOW)
        assert list(shared_claims.considered(db_, sought)) == [some[1].digest]
        assert chain_state.missing_batches(db_, b"", 10) == [b"r" * 32]


def as_before_numbers(path: Path) -> None:
    """A store of version 22, before licenses and sublicenses had numbers, with what this one has."""
    db = sqlite3.connect(path)
    db.executescript((HERE / "before_numbers.sql").read_text())
    for what in ("TRIGGER statement_ends_in", "TABLE statement_ends", "TABLE erased"):
        db.execute(f"DROP {what}")
    db.execute("PRAGMA user_version = 22")
    db.commit()
    db.close()


def test_what_was_passed_on_and_named_stays_so(tmp_path: Path) -> None:
    """Also of a consent that was forgotten, and what is displaced."""
    path, gone = tmp_path / "old.sqlite", consent(3)
    sold = [consent(at, purposes=("resale", "train-ai")) for at in (1, 2)]
    some = [one.digest for one in sold]
    many = [sublicense(BEN, LABS[0], some, expires_at=T + 100 + at) for at in range(18)]
    below = sublicense(LABS[0], LABS[1], some, many[-1].digest)
    said = [use(BEN, some), removal(LABS[0], some, 7)]
    granted = "SELECT license, grantee FROM grants ORDER BY license"
    store = store_at(path)
    store.start()
    store.stop()
    with closing(SqliteConnection(path, isolation_level=None)) as tables:
        give(tables, [gone, *sold, *many, below, *said])
        tables.execute("DELETE FROM messages WHERE digest = ?", (gone.digest,))
        before = asked(tables, some)
        grants = tables.execute(granted).fetchall()
    as_before_numbers(path)
    opened(path)
    opened(tmp_path / "new.sqlite")
    assert shape(path) == shape(tmp_path / "new.sqlite")
    with closing(SqliteConnection(path, isolation_level=None)) as tables:
        assert asked(tables, some) == before
        ends = tables.execute("SELECT digest FROM statement_ends").fetchall()
        assert {one for (one,) in ends} == {one.digest for one in (*many, below, *said)}
        assert (
            tables.execute("SELECT license, grantee FROM grants ORDER BY license").fetchall() == grants
        )
        numbers = tables.execute("SELECT number FROM grants").fetchall()
        assert len({*numbers}) == len(numbers) == 3
        give(tables, [sublicense(BEN, LABS[0], some, expires_at=T + 200)])  # the best of all
        assert len(sublicenses.sublicenses_to(tables, some[0], LABS[0])) == 16
        assert tables.execute("SELECT count(*) FROM displaced").fetchone() == (6,)


def asked(db: Reading, licenses: list[bytes]) -> list[Any]:
    """What is read of statements: ranks, depths, chains, pages, displaced ones."""
    return [
        [sublicenses.sublicenses_to(db, one, who) for one in licenses for who in LABS[:2]],
        chains_to(db, licenses, LABS[1]),
        [lookup.kept(db, licenses[0], kind, bytes(32), 100) for kind in STATEMENTS],
        sorted(passed_rows(db)),
        db.execute("SELECT license, digest FROM displaced ORDER BY license, digest").fetchall(),
    ]


@pytest.mark.parametrize("kind", ["consent", "revocation", "pending"])
def test_messages_of_the_first_reading_are_refused_and_stay(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "old.sqlite"
    old_store(path)
    held, stop = consent(1), revocation("everything")
    db = sqlite3.connect(path)
    if kind == "pending":
        query = "INSERT INTO pending (digest, signer, source, body, bits, arrived_at)"
        db.execute(f"{query} VALUES (?, ?, 'http', ?, x'', 1)", (stop.digest, ADA, encode(stop)))
    else:
        one, body = (held, first_reading(held)) if kind == "consent" else (stop, encode(stop))
        query = "INSERT INTO messages (digest, kind, contributor, body, arrived_at)"
        row = (one.digest, one.message.kind, one.message.signer, body)
        db.execute(f"{query} VALUES (?, ?, ?, ?, 1)", row)
    db.commit()
    db.close()
    for _ in range(2):
        with pytest.raises(StoreUnusable, match="first reading"):
            opened(path)
    db = sqlite3.connect(path)
    [count] = db.execute(
        "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM pending)"
    ).fetchone()
    assert (count, db.execute("PRAGMA user_version").fetchone()[0] < VERSION) == (1, True)
    db.close()


def test_a_step_that_fails_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.sqlite"
    old_store(path)
    before = shape(path)
    monkeypatch.setitem(migrations.STEPS, OLDEST, "DROP TABLE marks; DROP TABLE no_such_table;")
    with pytest.raises(StoreUnusable, match="no_such_table"):
        opened(path)
    assert shape(path) == before
    monkeypatch.undo()
    opened(path)
    assert shape(path)["version"] == VERSION
