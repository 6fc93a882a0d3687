"""Looks statements up: one by its digest, and those that name a hash, a page at a time.

Kept ones are in the order of their signers, sublicenses in that of their grantees, waiting ones in that
of their digests. Sublicenses are looked up by the licenses for which they meet the parent rule. A page
costs the same however many statements name the hash.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from sayso_node.errors import NotFound
from sayso_node.store import many
from sayso_node.store.interface import Reading
from sayso_node.store.statements import sublicenses
from sayso_protocol.messages.message import STATEMENTS, SUBLICENSE

SCANNED: Final = 1_024  # names of waiting statements that are looked at for a page
_STRANGE: Final = "`after` is none of the statements that this node keeps"


class Found(NamedTuple):
    """A statement: its envelope, and whether it is kept or waits (rule 7.17)."""

    body: bytes
    is_kept: bool


class Page(NamedTuple):
    """Digests in order, and the digest after which the next page begins; None for the last page."""

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
    """Return the kept statements of a kind that name a hash.

    Raises NotFound if `after` is no statement of this kind, or none any more (rule 15.7).
    """
    is_first = not any(after)
    if kind == SUBLICENSE:
        found = _passed_on(db, named, b"" if is_first else after, limit + 1)
        return _page([*islice(found, limit + 1)], limit)
    query = "SELECT contributor FROM messages WHERE digest = ? AND kind = ?"
    row = db.execute(query, (after, kind)).fetchone()  # none of a statement that has ended
    if row is None and not is_first:
        raise NotFound(_STRANGE)
    query = "SELECT digest FROM named WHERE hash = ? AND kind = ? AND (signer, digest) > (?, ?)"
    values = named, kind, row[0] if row else b"", after, limit + 1
    rows = db.execute(f"{query} ORDER BY signer, digest LIMIT ?", values)
    return _page([digest for (digest,) in rows], limit)


def _passed_on(db: Reading, license_hash: bytes, after: bytes, limit: int) -> Iterator[bytes]:
    """Yield the sublicenses of a license, by grantee and number, which is an order that never changes.

    Those of one grantee that count and those that do not are two runs of rows, which are merged; of a
    grantee, at most `limit` are read.
    """
    first = sublicenses.sublicense_of(db, after) if after else None
    if after and first is None:
        raise NotFound(_STRANGE)
    grants = sublicenses.grants_of(db, [license_hash])
    _, number, *_ = grants.get(license_hash, (b"", None))
    grantee, least = (first.grantee, first.number) if first else (b"", -1)
    run = (
        "SELECT number, digest FROM passed_on CROSS JOIN sublicense_terms WHERE number = sublicense"
        " AND license = ? AND passed_on.grantee = ? AND counts = ? AND sublicense > ?"
        " ORDER BY sublicense LIMIT ?"
    )
    following = (
        "SELECT grantee FROM passed_on WHERE license = ? AND grantee > ? ORDER BY grantee LIMIT 1"
    )
    while True:
        runs = (db.execute(run, (number, grantee, counts, least, limit)) for counts in (0, 1))
        yield from (digest for _, digest in merge(*runs))
        row = db.execute(following, (number, grantee)).fetchone()
        if row is None:
            return
        grantee, least = row[0], -1


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
