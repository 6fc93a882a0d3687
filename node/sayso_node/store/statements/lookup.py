"""Looks statements up: one by its digest, and those that name a hash, a page at a time by digest.

Sublicenses are looked up by the licenses for which they meet the parent rule. A page costs the same
however many statements name the hash.
"""

from typing import Final, NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading
from sayso_protocol.messages.message import STATEMENTS, SUBLICENSE

SCANNED: Final = 1_024  # names of waiting statements that are looked at for a page


class Found(NamedTuple):
    """A statement: its envelope, and whether it is kept or waits (rule 7.17)."""

    body: bytes
    is_kept: bool


class Page(NamedTuple):
    """Digests, ascending, and the digest after which the next page begins; None for the last page."""

    digests: list[bytes]
    after: bytes | None


def statement(db: Reading, digest: bytes) -> Found | None:
    """Return a statement by its digest, kept or waiting."""
    query = "SELECT body, kind FROM messages WHERE digest = ?"
    if row := db.execute(query, (digest,)).fetchone():
        return Found(row[0], is_kept=True) if row[1] in STATEMENTS else None
    row = db.execute("SELECT body FROM waiting WHERE digest = ?", (digest,)).fetchone()
    return Found(row[0], is_kept=False) if row else None


def kept(db: Reading, named: bytes, kind: int, after: bytes, limit: int) -> Page:
    """Return the kept statements of a kind that name a hash."""
    if kind == SUBLICENSE:
        query = "SELECT digest FROM passed_on WHERE license = ? AND digest > ? ORDER BY digest LIMIT ?"
        rows = db.execute(query, (named, after, limit + 1))
    else:
        query = "SELECT digest FROM named WHERE hash = ? AND kind = ? AND digest > ?"
        rows = db.execute(f"{query} ORDER BY digest LIMIT ?", (named, kind, after, limit + 1))
    return _page([digest for (digest,) in rows], limit)


def waiting(db: Reading, named: bytes, kind: int, after: bytes, limit: int) -> Page:
    """Return the waiting statements of a kind that name a hash; a page may have fewer than `limit`."""
    query = "SELECT digest FROM waiting_names WHERE hash = ? AND digest > ? ORDER BY digest LIMIT ?"
    names = [digest for (digest,) in db.execute(query, (named, after, SCANNED))]
    query = "SELECT digest FROM waiting WHERE kind = ? AND digest IN"
    page = _page(sorted(digest for (digest,) in many.among(db, query, names, (kind,))), limit)
    if page.after is None and len(names) == SCANNED:
        return page._replace(after=names[-1])
    return page


def _page(digests: list[bytes], limit: int) -> Page:
    more = len(digests) > limit
    return Page(digests[:limit], digests[limit - 1] if more else None)
