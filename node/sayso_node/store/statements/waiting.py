"""Statements that are not kept yet, in bounded space (rule 7.17): what would complete each is noted.

A statement waits for a consent, a sublicense, or an endorsement; a stranger's use, removal or dispute
waits for nothing that he can hurry, and is shown on look-up. The room is counted in hashes. A source
above its share loses its own oldest; only when all are too many does the largest source lose some.
Nothing that is dropped leaves a mark: without it, fewer rows are clear (rule 8.5).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing

BASE_WEIGHT: Final = 16  # hashes that a statement counts for besides its own
UNENDORSED_WEIGHT: Final = 512  # the same of one without signature: all are looked at for each block
ANY: Final = b""  # in place of a parent: a use or removal waits for any way to hold what it names


class StatementRoom(NamedTuple):
    """Limits for waiting statements, in hashes, at some 200 bytes each.

    Attributes:
        hashes: In all: 100 MB.
        source: From one source.
        signer: Of one signer.
    """

    hashes: int = 524_288
    source: int = 32_768
    signer: int = 16_384


class Name(NamedTuple):
    """What a statement waits for: a hash that its signer holds, by some parent (or ANY)."""

    hash: bytes
    parent: bytes
    signer: bytes


class Waiting(NamedTuple):
    """A verified statement that is not kept; `endorsed` is False while its endorsement is missing."""

    digest: bytes
    kind: int
    signer: bytes
    source: str
    body: bytes
    weight: int
    endorsed: bool


def hold(db: Writing, one: Waiting, names: Iterable[Name], room: StatementRoom) -> bool:
    """Make a statement wait, dropping others above the limits; False if it waited already."""
    cursor = db.execute(
        "INSERT INTO waiting (digest, kind, signer, source, body, weight, endorsed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        one,
    )
    if not cursor.rowcount:
        return False
    expect(db, one.digest, names)
    # Anybody can name a signer in a statement without signature, so these are counted apart.
    of_signer = "SELECT sum(weight) FROM waiting WHERE endorsed = 1 AND signer = ?"
    while one.endorsed and _weight(db, of_signer, one.signer) > room.signer:
        _drop_oldest(db, "endorsed = 1 AND signer", one.signer)
    while _weight(db, "SELECT weight FROM waiting_sources WHERE source = ?", one.source) > room.source:
        _drop_oldest(db, "source", one.source)
    while _weight(db, "SELECT value FROM numbers WHERE name = ?", "waiting") > room.hashes:
        query = "SELECT source FROM waiting_sources ORDER BY weight DESC LIMIT 1"
        _drop_oldest(db, "source", db.execute(query).fetchone()[0])
    return True


def load(db: Reading) -> int:
    """Return how many hashes the waiting statements count for."""
    return _weight(db, "SELECT value FROM numbers WHERE name = ?", "waiting")


def find(db: Reading, digest: bytes) -> Waiting | None:
    """Return a waiting statement."""
    query = "SELECT digest, kind, signer, source, body, weight, endorsed FROM waiting WHERE digest = ?"
    row = db.execute(query, (digest,)).fetchone()
    return Waiting(*row)._replace(endorsed=bool(row[-1])) if row else None


def endorsed_of(db: Reading, digests: Iterable[bytes]) -> dict[bytes, bool]:
    """Return those of some statements that wait, and whether each is signed or endorsed."""
    if db.execute("SELECT 1 FROM waiting LIMIT 1").fetchone() is None:
        return {}
    rows = many.among(db, "SELECT digest, endorsed FROM waiting WHERE digest IN", digests)
    return {digest: bool(endorsed) for digest, endorsed in rows}


def release(db: Writing, digest: bytes) -> None:
    """Remove a statement and all that it waits for."""
    db.execute("DELETE FROM waiting WHERE digest = ?", (digest,))
    db.execute("DELETE FROM waiting_names WHERE digest = ?", (digest,))


def expect(db: Writing, digest: bytes, names: Iterable[Name]) -> None:
    """Note what would complete a statement."""
    rows = ((*one, digest) for one in names)
    many.insert(db, "INTO waiting_names", rows, "ON CONFLICT DO NOTHING")


def completed_by(db: Reading, names: Iterable[Name]) -> list[tuple[Name, bytes]]:
    """Return the statements that waited for one of some names, each with that name."""
    if db.execute("SELECT 1 FROM waiting_names LIMIT 1").fetchone() is None:
        return []
    query = (
        "SELECT hash, parent, signer, digest FROM {} CROSS JOIN waiting_names"
        " WHERE hash = column1 AND parent = column2 AND signer = column3"
    )
    return [(Name(*row[:3]), row[3]) for row in many.joined(db, query, names)]


def no_longer(db: Writing, names: Iterable[tuple[Name, bytes]]) -> None:
    """Remove what came from what statements wait for."""
    db.executemany(
        "DELETE FROM waiting_names WHERE hash = ? AND parent = ? AND signer = ? AND digest = ?",
        ((*name, digest) for name, digest in names),
    )


def _drop_oldest(db: Writing, column: str, whose: bytes | str) -> None:
    query = f"SELECT digest FROM waiting WHERE {column} = ? ORDER BY seq LIMIT 1"  # noqa: S608 - our own names
    release(db, db.execute(query, (whose,)).fetchone()[0])


def _weight(db: Reading, query: str, whose: bytes | str) -> int:
    row = db.execute(query, (whose,)).fetchone()
    return int(row[0] or 0) if row else 0
