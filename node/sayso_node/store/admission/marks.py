"""Marks of dropped pending revocations (rule 7.15): exact ones, marks of an address, and merged ones.

Each mark is paid for by whoever caused it. A signer with too many has one mark for the whole address.
When all marks are too many, the source with the most gives up its oldest: that mark is merged, as one
bit of a bitmap, at a place that follows from the address and a secret of this store. Whoever becomes
known later and has a set bit is in doubt, too. A bitmap is closed when a sixteenth of its bits may be
set, or after a month; two are kept, and each is dropped two months after it was begun. So at most one
newcomer in eight is in doubt by mistake, however long a flood lasts, and nobody for good.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sayso_node.store.admission.sponsors import LOT_KEY
from sayso_node.store.chain import block_dates
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.primitives import sha256

MARK_BYTES = 8  # of the digest; two revocations of one signer with the same mark harm only that signer
COARSE_S = 2_592_000.0  # 30 days: a merged mark stays for so long at least, unless a flood displaces it
BITMAP_SHARE = 16  # a bitmap takes marks for this part of its bits
WHOLE = b""  # in place of a digest: the mark of an address
_CHUNK_BYTES = 512
_CHUNK_BITS = 8 * _CHUNK_BYTES


class MarkLimits(NamedTuple):
    """Limits for marks: of one signer, of all, and the bits of a bitmap for merged ones."""

    signer: int
    marks: int
    bits: int


class Dropped(NamedTuple):
    """A dropped revocation: digest, signer, and the source that it came from."""

    digest: bytes
    signer: bytes
    source: str


class _Bitmap(NamedTuple):
    number: int
    begun_at: float
    merged: int
    bits: int


def leave(db: Writing, dropped: Dropped, now: float, limits: MarkLimits) -> None:
    """Leave a mark of a dropped revocation, and merge the oldest marks above the limits."""
    signer = dropped.signer
    held = [digest for (digest,) in db.execute("SELECT digest FROM marks WHERE signer = ?", (signer,))]
    if WHOLE in held:
        return
    name = dropped.digest[:MARK_BYTES]
    if len(held) >= limits.signer and name not in held:
        db.execute("DELETE FROM marks WHERE signer = ?", (signer,))
        name = WHOLE
    db.execute(
        "INSERT INTO marks (digest, signer, source) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (name, signer, dropped.source),
    )
    while _count(db) > limits.marks:
        _merge(db, now, limits.bits)


def lift(db: Writing, digest: bytes, signer: bytes) -> bool:
    """Remove the exact mark of a message that arrived again; returns whether it had one."""
    key = (digest[:MARK_BYTES], signer)
    return db.execute("DELETE FROM marks WHERE digest = ? AND signer = ?", key).rowcount > 0


def expire(db: Writing, now: float) -> None:
    """Drop bitmaps that are too old; who was in doubt by them is not any more.

    They must be so by the chain as well: our clock may be ahead for a while, and what is gone is gone.
    """
    if (final := block_dates.final(db)) and final.time is not None:
        now = min(now, final.time)
    for one in _bitmaps(db):
        if one.begun_at <= now - 2 * COARSE_S:
            _drop(db, one.number)


def doubt(db: Writing, newcomers: Iterable[bytes]) -> None:
    """Put those of some newly known addresses in doubt that have a merged mark, or seem to."""
    if not _bitmaps(db):
        return
    for address in newcomers:
        if number := merged_in(db, address):
            db.execute("UPDATE people SET unsure = ? WHERE address = ?", (number, address))


def merged_in(db: Reading, address: bytes) -> int:
    """Return the newest bitmap in which an address has its bit, or 0."""
    for one in _bitmaps(db):
        chunk, mask = divmod(_place(db, address, one.bits), _CHUNK_BITS)
        if one.bits and int.from_bytes(_chunk(db, one.number, chunk)) >> mask & 1:
            return one.number
    return 0


def merged(db: Reading) -> int:
    """Return how many marks are merged in the bitmaps that are kept."""
    return sum(one.merged for one in _bitmaps(db))


def any_left(db: Reading) -> bool:
    """Return whether any address may be in doubt."""
    return bool(_count(db) or _bitmaps(db))


def _count(db: Reading) -> int:
    row = db.execute("SELECT value FROM numbers WHERE name = 'marks'").fetchone()
    return int(row[0]) if row else 0


def _merge(db: Writing, now: float, bits: int) -> None:
    """Merge the oldest mark of the source that has the most."""
    query = "SELECT source FROM mark_sources ORDER BY count DESC LIMIT 1"
    source = db.execute(query).fetchone()[0]
    query = "SELECT seq, signer FROM marks WHERE source = ? ORDER BY seq LIMIT 1"
    seq, signer = db.execute(query, (source,)).fetchone()
    db.execute("DELETE FROM marks WHERE seq = ?", (seq,))
    number = _open_bitmap(db, now, bits)
    chunk, mask = divmod(_place(db, signer, bits), _CHUNK_BITS)
    changed = int.from_bytes(_chunk(db, number, chunk)) | 1 << mask
    db.execute(
        "INSERT INTO merged_marks VALUES (?, ?, ?)"
        " ON CONFLICT (bitmap, chunk) DO UPDATE SET bits = excluded.bits",
        (number, chunk, changed.to_bytes(_CHUNK_BYTES)),
    )
    db.execute("UPDATE mark_bitmaps SET merged = merged + 1 WHERE number = ?", (number,))
    db.execute("UPDATE people SET unsure = ? WHERE address = ?", (number, signer))


def _open_bitmap(db: Writing, now: float, bits: int) -> int:
    """Return the bitmap that takes marks; a new one displaces all but the one before it."""
    bitmaps = _bitmaps(db)
    if bitmaps:
        last = bitmaps[0]
        is_young = last.begun_at <= now < last.begun_at + COARSE_S
        if last.bits == bits and last.merged * BITMAP_SHARE < bits and is_young:
            return last.number
    for one in bitmaps[1:]:
        _drop(db, one.number)
    number = 1 + max((one.number for one in bitmaps), default=0)
    db.execute("INSERT INTO mark_bitmaps VALUES (?, ?, 0, ?)", (number, now, bits))
    return number


def _drop(db: Writing, number: int) -> None:
    db.execute("DELETE FROM mark_bitmaps WHERE number = ?", (number,))
    db.execute("DELETE FROM merged_marks WHERE bitmap = ?", (number,))
    db.execute("UPDATE people SET unsure = 0 WHERE unsure = ?", (number,))


def _bitmaps(db: Reading) -> list[_Bitmap]:
    """Return the bitmaps, the newest first."""
    query = "SELECT number, begun_at, merged, bits FROM mark_bitmaps ORDER BY number DESC"
    return [_Bitmap(*row) for row in db.execute(query)]


def _chunk(db: Reading, number: int, chunk: int) -> bytes:
    query = "SELECT bits FROM merged_marks WHERE bitmap = ? AND chunk = ?"
    row = db.execute(query, (number, chunk)).fetchone()
    return bytes(row[0]) if row else b""


def _place(db: Reading, address: bytes, bits: int) -> int:
    """Return the bit of an address; nobody else can compute it, so nobody can aim at an address."""
    row = db.execute("SELECT value FROM singles WHERE name = ?", (LOT_KEY,)).fetchone()
    secret = bytes(row[0]) if row else b""
    return int.from_bytes(sha256(secret + b"merged mark" + address)) % max(bits, 1)
