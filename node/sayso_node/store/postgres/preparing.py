"""Makes, migrates and checks the tables of a store in PostgreSQL, and checks the server under it."""

from typing import Any, Final

import psycopg

from sayso_node.errors import StoreMissing, StoreUnusable, WrongStore
from sayso_node.interfaces import Randomness
from sayso_node.store.drawn import draw_singles
from sayso_node.store.interface import check_version
from sayso_node.store.moving import marks
from sayso_node.store.postgres import dialect, session
from sayso_node.store.postgres.connection import Handle
from sayso_node.store.tables.migrations import FILLS, STEPS
from sayso_node.store.tables.schema import SCHEMA, VERSION

STATE: Final = """
CREATE TABLE store_state (version BIGINT NOT NULL, commits BIGINT NOT NULL);
CREATE TABLE store_numbers (sequence TEXT PRIMARY KEY, last BIGINT NOT NULL);
"""
# Sequences do not roll back, and a `seq` without a row would look like a lost row. So each commit notes
# where they stand, and they are put back there after a change that was undone.
FIND_NUMBERS: Final = (
    "INSERT INTO store_numbers SELECT relname, 0 FROM pg_class WHERE relkind = 'S'"
    " AND relnamespace = current_schema()::regnamespace ON CONFLICT DO NOTHING"
)
NOTE_NUMBERS: Final = (
    "UPDATE store_numbers SET last = coalesce(pg_sequence_last_value(sequence::regclass), 0)"
    " WHERE last <> coalesce(pg_sequence_last_value(sequence::regclass), 0)"
)
RESTORE_NUMBERS: Final = (
    "SELECT setval(sequence::regclass, greatest(last, 1), last > 0) FROM store_numbers"
)
_DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_STRONGER: Final = ("remote_write", "remote_apply")  # of synchronous_commit: on, and a replica


def prepare(db: psycopg.Connection[Any], name: str, randomness: Randomness) -> None:
    """Create the tables of an empty database, migrate older ones, refuse unknown ones."""
    session.lock_groups(db)
    handle = Handle(db)
    if not has_store(db):
        _create(db, name, randomness)
    version = handle.execute("SELECT version FROM store_state").fetchone()[0]
    while version in STEPS:
        for statement in dialect.script(STEPS[version]):
            handle.execute(statement)
        if version in FILLS:
            FILLS[version](handle)
        version += 1
        handle.execute("UPDATE store_state SET version = ?", (version,))
    check_version(name, version, VERSION)
    if version != VERSION:
        raise StoreUnusable(f"{name} has version {version}, which no release migrates")
    session.prepare(db)
    handle.execute(FIND_NUMBERS)
    handle.execute(RESTORE_NUMBERS)


def check_joinable(db: psycopg.Connection[Any], name: str) -> None:
    """Refuse what no node of this release has made or still has; raises StoreMissing and more."""
    if not has_store(db):
        raise StoreMissing(f"{name} has no store: start the node first, which makes it")
    handle = Handle(db)
    version = handle.execute("SELECT version FROM store_state").fetchone()[0]
    check_version(name, version, VERSION, oldest=VERSION)
    marks.check_startable(handle, name)


def _create(db: psycopg.Connection[Any], name: str, randomness: Randomness) -> None:
    taken = db.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone()
    if taken and taken[0]:
        raise WrongStore(f"{name} is a database, and not the store of a node")
    handle = Handle(db)
    for statement in dialect.script(SCHEMA + STATE):
        handle.execute(statement)
    handle.execute("INSERT INTO store_state VALUES (?, 0)", (VERSION,))
    draw_singles(handle, randomness)


def has_store(db: psycopg.Connection[Any]) -> bool:
    """Return whether a database has the tables of a store."""
    row = db.execute("SELECT to_regclass('store_state') IS NOT NULL").fetchone()
    return bool(row and row[0])


def check_durable(db: psycopg.Connection[Any]) -> None:
    """Refuse a server that forgets what it has committed, or that is a replica; raises StoreUnusable."""
    for name, wanted in _DURABLE.items():
        row = db.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] not in (wanted, *_STRONGER):
            found = row[0] if row else "nothing"
            raise StoreUnusable(
                f"PostgreSQL runs with {name} = {found}; a store needs {name} = {wanted}"
            )
    row = db.execute("SELECT pg_is_in_recovery()").fetchone()
    if row and row[0]:
        raise StoreUnusable("this PostgreSQL server is a replica; a store needs the primary")
