"""The tables of a marketplace, in the shop's own database: SQLite or PostgreSQL.

Every change is made within `changing`: wholly or not at all, and one after the other, so that the events
of nodes and the orders of the shop do not cross. What is done twice changes nothing (`insert_once`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from sayso.errors import LedgerFailed
from sayso_protocol.errors import SaysoError

PREFIX: Final = "sayso_"
DAY_S: Final = 86_400
LARGEST_TIME: Final = 1 << 53  # which JSON holds exactly
VALUES_AT_ONCE: Final = 500  # values in one statement
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by INTEGER alone
metadata: Final = MetaData()


def _table(name: str, *parts: Any) -> Table:
    return Table(PREFIX + name, metadata, *parts)


def _required(name: str, kind: Any, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)


ledger: Final = _table("ledger", Column("id", Integer, primary_key=True), _required("turns", _NUMBER))
items: Final = _table(
    "items",
    Column("item", LargeBinary, primary_key=True),
    _required("salt", LargeBinary),  # empty for the plain SHA-256 of the file
    _required("name", Text),
    _required("path", Text),
    _required("kept_at", Float),
)
requests: Final = _table(
    "requests",
    Column("token", Text, primary_key=True),
    _required("reference", Text),
    _required("body", Text),  # what the page of a node is asked to show, JSON
    _required("valid_until", Float),
)
messages: Final = _table(
    "messages",  # all that was signed; the outbox is those without `sent_at`
    Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    _required("digest", LargeBinary, unique=True),
    _required("kind", Integer),
    _required("envelope", LargeBinary),
    _required("reference", Text, index=True),
    _required("attempts", Integer),
    _required("next_at", Float),
    Column("sent_at", Float, index=True),
    _required("code", Text),  # why it was not sent yet
)
consents: Final = _table(
    "consents",
    Column("license", LargeBinary, primary_key=True),
    _required("token", Text, index=True),
    _required("contributor", LargeBinary, index=True),
    _required("guardian", LargeBinary, index=True),
    _required("parties", LargeBinary),  # 20 bytes each
    _required("purposes", Text),  # between commas, also the first and the last
    _required("issued_at", _NUMBER),
    _required("expires_at", _NUMBER),
    _required("removal_days", Integer),
    Column("checked_at", Float),  # since when nodes hold it, and were asked what is revoked of it
)
rows: Final = _table(
    "rows",
    Column("license", LargeBinary, primary_key=True),
    Column("item", LargeBinary, primary_key=True, index=True),
)
bits: Final = _table(
    "bits",
    Column("address", LargeBinary, primary_key=True),
    Column("word", LargeBinary, primary_key=True),
    _required("mask", LargeBinary),
)
revoked: Final = _table(
    "revoked",
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    _required("license", LargeBinary),
    _required("item", LargeBinary),
    _required("purpose", Text),
    _required("heard_at", Float),
    _required("due_at", Float),
    Column("removed_at", Float),
    Column("confirmed", LargeBinary),  # the digest of the removal
    UniqueConstraint("license", "item", "purpose"),
)
positions: Final = _table(
    "positions", Column("url", Text, primary_key=True), _required("position", Text)
)
deeds: Final = _table(
    "deeds",  # what the shop did once under a reference of its own
    Column("reference", Text, primary_key=True),
    _required("kind", Text),
    _required("asked", LargeBinary),  # SHA-256 of what was asked for
    _required("grantee", LargeBinary, index=True),
    _required("purposes", Text),
    _required("expires_at", _NUMBER),
    _required("is_over", Boolean),
)
named: Final = _table(
    "named",  # what a deed names: rows that were sold, or contributors that are disputed (item empty)
    Column("reference", Text, primary_key=True),
    Column("license", LargeBinary, primary_key=True, index=True),
    Column("item", LargeBinary, primary_key=True),
)
Index("sayso_revoked_due", revoked.c.confirmed, revoked.c.due_at)


def whole_seconds(value: object, error: type[SaysoError]) -> int:
    """Return a time in seconds since the epoch, rounded down; raises `error` for what is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < LARGEST_TIME:
        return int(value)
    raise error("the end is no time: give seconds since the epoch, as a number")


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Turn an error of the database into LedgerFailed, of which the transaction keeps nothing."""
    try:
        yield
    except (SQLAlchemyError, UnicodeError) as error:  # no database takes half of a surrogate pair
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise LedgerFailed(f"the shop's database failed, and nothing was changed: {why}") from error


@contextmanager
def changing(db: Connection) -> Iterator[None]:
    """Let this transaction alone change the tables, wholly; what raises an error changed nothing.

    So a shop may catch the error, and commit what it changed itself. Raises LedgerFailed.
    """
    with ledger_errors():
        _lock(db)
        if not getattr(db.connection.driver_connection, "in_transaction", True):  # of SQLite
            raise LedgerFailed("the shop's connection is in no transaction (AUTOCOMMIT)")
        with db.begin_nested():
            yield


def _lock(db: Connection) -> None:
    """Let this transaction alone change the tables until it ends."""
    turn = update(ledger).where(ledger.c.id == 1).values(turns=ledger.c.turns + 1)
    if not db.execute(turn).rowcount:
        insert_once(db, ledger, [{"id": 1, "turns": 0}])
        db.execute(turn)


def insert_once(db: Connection, table: Table, values: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, except those whose key exists; returns how many were new."""
    if not values:
        return 0
    dialects: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    made = dialects.get(db.dialect.name)
    if made is None:
        db.execute(insert(table), list(values))
        return len(values)
    statement = made(table).on_conflict_do_nothing()
    return db.execute(statement, [dict(one) for one in values]).rowcount


def parts(values: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield values, each once, in lists that a statement can take."""
    unique = list(dict.fromkeys(values))
    for at in range(0, len(unique), VALUES_AT_ONCE):
        yield unique[at : at + VALUES_AT_ONCE]
