"""Which node has a database: the one whose session has the lock, under the epoch that it began.

The lock ends with its session, so a process that was killed blocks nobody. A process that lost its
session without noticing may come back after another one has begun: it is fenced off by the epoch, which
every group compares on the server, in the transaction of its changes.
"""

from typing import Any, Final

import psycopg
from psycopg import errors

from sayso_node.errors import StoreInUse, StoreUnusable

_WAIT: Final = "5s"  # for the end of a session whose process has just ended
_LOCK: Final = "SELECT pg_advisory_lock(hashtextextended('sayso node ' || current_schema(), 0))"
_FENCED: Final = "SAY01"  # begin_group raises it
# A cut connection is noticed by both sides within half a minute, instead of two hours.
_KEEPALIVE: Final = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
_EPOCH: Final = "ALTER TABLE store_state ADD COLUMN IF NOT EXISTS epoch BIGINT NOT NULL DEFAULT 0"
# Whoever writes beside a node has no epoch, and is only counted; the tables must be those it knows.
_BEGIN: Final = """
CREATE OR REPLACE FUNCTION begin_group(mine BIGINT, known BIGINT)
RETURNS void LANGUAGE plpgsql AS $body$ BEGIN
    UPDATE store_state SET commits = commits + 1 WHERE epoch = coalesce(mine, epoch) AND version = known;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another process has taken the store over' USING ERRCODE = 'SAY01';
    END IF;
    PERFORM pg_notify(commits_channel(), '');
END $body$
"""
_CHANNEL: Final = """
CREATE OR REPLACE FUNCTION commits_channel() RETURNS text LANGUAGE sql STABLE AS
$body$ SELECT 'sayso_' || md5(current_schema()) $body$
"""
# The lock of the groups of all processes. Each store of a database has its own, as it has a schema.
_GROUPS: Final = (
    b"SELECT pg_advisory_xact_lock(hashtextextended('sayso groups ' || current_schema(), 0))"
)
# The lock that every process beside a node shares, and that a move has alone.
_BESIDE: Final = "hashtextextended('sayso beside ' || current_schema(), 0)"
# What processes share besides the store itself: the node's word of its view, and what it is to send.
_SHARED: Final = """
CREATE TABLE IF NOT EXISTS store_told (
    one BIGINT PRIMARY KEY, told BYTEA NOT NULL, at DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS store_outbox (
    digest BYTEA PRIMARY KEY, urgent BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL
);
CREATE INDEX IF NOT EXISTS store_outbox_by_turn ON store_outbox (urgent DESC, at);
"""
OURS: Final = frozenset({"store_state", "store_numbers", "store_told", "store_outbox"})


def lock(db: psycopg.Connection[Any], name: str, epoch: int | None = None) -> None:
    """Take the lock for the life of this session.

    Args:
        db: The session.
        name: Name of the store, for people.
        epoch: What this process began in an earlier session; None if it begins.

    Raises StoreInUse if another process has the lock or has begun an epoch, and StoreUnusable while the
    lost session of this process still has it.
    """
    _be_brief(db)
    try:
        db.execute(_LOCK)
    except errors.LockNotAvailable:
        db.rollback()
        if epoch is not None and _epoch(db) == epoch:
            raise StoreUnusable(f"the store {name} is still locked by a session that was lost") from None
        raise StoreInUse(f"another process runs a node on the store {name}") from None
    db.commit()  # the lock stays
    if epoch is not None and _epoch(db) != epoch:
        raise StoreInUse(f"another process has taken the store {name} over")


def _be_brief(db: psycopg.Connection[Any]) -> None:
    """Notice a cut connection soon, and wait for a lock no longer than this transaction may."""
    for setting, value in _KEEPALIVE.items():
        db.execute("SELECT set_config(%s, %s, false)", (setting, str(value)))
    db.execute("SELECT set_config('lock_timeout', %s, true)", (_WAIT,))


def join(db: psycopg.Connection[Any], name: str) -> None:
    """Share the lock of those beside a node for the life of this session.

    Raises StoreInUse while the store is being moved.
    """
    _lock_beside(db, "_shared", f"the store {name} is being moved")


def keep_others_out(db: psycopg.Connection[Any], name: str) -> None:
    """Have the lock of those beside a node alone for the life of this session.

    Raises StoreInUse while another process is beside it.
    """
    _lock_beside(db, "", f"another process answers from the store {name}: stop it first")


def _lock_beside(db: psycopg.Connection[Any], how: str, refusal: str) -> None:
    _be_brief(db)
    try:
        db.execute(f"SELECT pg_advisory_lock{how}({_BESIDE})".encode())
    except errors.LockNotAvailable:
        db.rollback()
        raise StoreInUse(refusal) from None
    db.commit()  # the lock stays


def prepare(db: psycopg.Connection[Any]) -> None:
    """Make what the other functions need in the database."""
    for statement in (_EPOCH, _CHANNEL, _BEGIN, _SHARED):
        db.execute(statement)


def begin_epoch(db: psycopg.Connection[Any]) -> int:
    """Fence off every process that wrote before; returns the new epoch."""
    row = db.execute("UPDATE store_state SET epoch = epoch + 1 RETURNING epoch").fetchone()
    assert row  # noqa: S101 - the table has one row
    return int(row[0])


def lock_groups(db: psycopg.Connection[Any]) -> None:
    """Wait until no other process writes to the store, and have the lock until the transaction ends."""
    db.execute(_GROUPS)


def begin_group(db: psycopg.Connection[Any], epoch: int | None, version: int) -> None:
    """Count a commit, compare epoch and tables, and wake those who wait for commits.

    The server refuses what follows if the epoch or the version of the tables is another.
    """
    db.execute("SELECT begin_group(%s::bigint, %s::bigint)", (epoch, version))


def taken_over(error: BaseException, name: str) -> StoreInUse | None:
    """Return what an error means if it says that this process is fenced off."""
    if isinstance(error, StoreInUse):
        return error
    if isinstance(error, psycopg.Error) and error.sqlstate == _FENCED:
        return StoreInUse(f"another process has taken the store {name} over, or has migrated it")
    return None


def _epoch(db: psycopg.Connection[Any]) -> int:
    row = db.execute("SELECT epoch FROM store_state").fetchone()
    return int(row[0]) if row else 0
