"""A store of an older release is brought up to date, and is then what a new one is."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from node.store.test_sublicenses import give
from sayso_node.errors import StoreUnusable
from sayso_node.store.chain import intents
from sayso_node.store.interface import Reading
from sayso_node.store.opening import snapshot_at, store_at
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.statements import lookup, sublicenses
from sayso_node.store.statements.chains import chains_to
from sayso_node.store.tables import migrations
from sayso_node.store.tables.schema import VERSION
from sayso_protocol.messages.message import STATEMENTS
from support.holders import LABS, T, removal, sublicense, use
from support.node_rig import consent
from support.passed_rows import passed_rows
from support.protocol_strategies import BEN

OLDEST = 18
HERE = Path(__file__).parent


def old_store(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript((HERE / f"version_{OLDEST}.sql").read_text())
    db.execute(f"PRAGMA user_version = {OLDEST}")
    db.execute("INSERT INTO relay_wants VALUES (?, ?, ?, 1.5, 0, 2)", (b"a" * 20, b"w" * 32, b"m" * 32))
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
    assert wants == [(1.5, 0, 2)]
    assert (intent.kind, intent.data, intent.nonce, intent.gas) == ("relay", b"\1", None, None)


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


def test_a_store_that_no_release_migrates_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    old_store(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {OLDEST - 1}")
    before = shape(path)
    with pytest.raises(StoreUnusable, match=f"has version {OLDEST - 1}, which no release migrates"):
        opened(path)
    assert shape(path) == before


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
