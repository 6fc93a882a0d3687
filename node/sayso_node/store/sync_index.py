"""What sync compares, kept as it changes: entries by place, and their sums at every fourth level.

Sums change in the transaction that changes what they are over, so a peer is never told of a message
that is not on disk. Entries and fingerprints are those of docs/protocol.md, section 11.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from sayso_node.store import many
from sayso_protocol.messages.envelope import CONSENT
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.sync.fingerprints import (
    EMPTY,
    PLACE_BITS,
    Entry,
    Sum,
    consent_entry,
    level_of,
    node_at,
    places_of,
    revocation_entry,
    revocation_place,
)

LEVELS = (4, 8, 12, 16)  # of these the sums are kept
_STEP, _DEEPEST = LEVELS[0], LEVELS[-1]
_PLACE_BYTES = PLACE_BITS // 8
_MODULUS = 1 << 8 * HASH_BYTES

Change = tuple[int, int, int]  # place, id as a number, +1 or -1


def change_sums(db: sqlite3.Connection, kind: int, changes: Iterable[Change]) -> None:
    """Entries were added or taken away."""
    deltas = _deltas(changes)
    query = f"SELECT node, total, size FROM sync_sums WHERE kind = {kind:d} AND node IN"  # noqa: S608 - a number
    held = {node: (total, size) for node, total, size in many.among(db, query, deltas)}
    rows = []
    for node, (number, sign) in deltas.items():
        total, size = held.get(node, (b"", 0))
        after = (int.from_bytes(total) + number) % _MODULUS
        rows.append((kind, node, after.to_bytes(HASH_BYTES), size + sign))
    many.insert(db, "OR REPLACE INTO sync_sums", rows)


def _deltas(changes: Iterable[Change]) -> dict[int, tuple[int, int]]:
    """By how much the sum and the count of each kept node change, from the deepest level upwards."""
    level = _added_up((node_at(_DEEPEST, place), sign * number, sign) for place, number, sign in changes)
    deltas = dict(level)
    for _ in LEVELS[1:]:
        level = _added_up((node >> _STEP, number, sign) for node, (number, sign) in level.items())
        deltas |= level
    return deltas


def _added_up(changes: Iterable[Change]) -> dict[int, tuple[int, int]]:
    sums: dict[int, tuple[int, int]] = {}
    for node, number, sign in changes:
        total, size = sums.get(node, (0, 0))
        sums[node] = total + number, size + sign
    return sums


def consent_change(digest: bytes, sign: int) -> Change:
    """A consent came or went."""
    return int.from_bytes(digest[:_PLACE_BYTES]), int.from_bytes(digest), sign


def word_changes(address: bytes, word: int, before: int, after: int) -> list[Change]:
    """The covered bits of a word have changed."""
    place = revocation_place(address, word)
    return [
        (place, int.from_bytes(revocation_entry(address, word, mask).id), sign)
        for mask, sign in ((before, -1), (after, 1))
        if mask
    ]


def stored_place(address: bytes, word: int) -> bytes:
    """The place of a word, as it is stored: bytes sort like the numbers, integers would be signed."""
    return revocation_place(address, word).to_bytes(_PLACE_BYTES)


def add_carrier(db: sqlite3.Connection, address: bytes, word: int, digest: bytes) -> None:
    """A message was the first to carry a bit of this word."""
    row = (address, word.to_bytes(HASH_BYTES), digest)
    db.execute("INSERT OR IGNORE INTO carriers VALUES (?, ?, ?)", row)


def sums(db: sqlite3.Connection, kind: int, nodes: Sequence[int], step: int) -> list[Sum]:
    """The sums of all nodes `step` levels below some, in order."""
    found: list[Sum] = []
    for node in nodes:
        level = level_of(node) + step
        kept = next((one for one in LEVELS if one >= level), None)
        if kept is None:
            found += _summed(db, kind, node, step)
            continue
        down = kept - level_of(node)
        first = node << down
        rows = db.execute(
            "SELECT node, total, size FROM sync_sums WHERE kind = ? AND node >= ? AND node < ?",
            (kind, first, first + (1 << down)),
        )
        children = [EMPTY] * (1 << step)
        for at, total, size in rows:
            child = (at - first) >> (kept - level)
            children[child] = children[child].plus(int.from_bytes(total), size)
        found += children
    return found


def is_summed_up(node: int, step: int) -> bool:
    """Whether sums so far down are read from entries, one by one."""
    return level_of(node) + step > _DEEPEST


def _summed(db: sqlite3.Connection, kind: int, node: int, step: int) -> list[Sum]:
    """Below the deepest level that is kept, from the entries themselves."""
    children = [EMPTY] * (1 << step)
    first, level = node << step, level_of(node) + step
    for place, name in _ids(db, kind, node):
        child = node_at(level, place) - first
        children[child] = children[child].plus(int.from_bytes(name), 1)
    return children


def _ids(db: sqlite3.Connection, kind: int, node: int) -> list[tuple[int, bytes]]:
    if kind == CONSENT:
        digests = consents_in(db, node, b"", -1)
        return [(int.from_bytes(one[:_PLACE_BYTES]), one) for one in digests]
    entries = (revocation_entry(*one) for one in _words(db, node))
    return [(one.place, one.id) for one in entries]


def entries(db: sqlite3.Connection, kind: int, node: int) -> list[Entry]:
    """All entries in a node, each with the messages that carry it."""
    if kind == CONSENT:
        return [consent_entry(one) for one in consents_in(db, node, b"", -1)]
    return [
        revocation_entry(address, word, mask, _carriers(db, address, word))
        for address, word, mask in _words(db, node)
    ]


def count_entries(db: sqlite3.Connection, kind: int, node: int, most: int) -> int:
    """How many entries are in a node; at most one more than `most`."""
    first, last = _bounds(node)
    query = (
        f"SELECT count(*) FROM (SELECT 1 FROM messages WHERE kind = {CONSENT}"  # noqa: S608 - a number
        " AND digest >= ? AND digest <= ? LIMIT ?)"
        if kind == CONSENT
        else "SELECT count(*) FROM (SELECT 1 FROM bits WHERE place >= ? AND place <= ? LIMIT ?)"
    )
    pad = b"\xff" * (HASH_BYTES - _PLACE_BYTES) if kind == CONSENT else b""
    count: int = db.execute(query, (first, last + pad, most + 1)).fetchone()[0]
    return count


def consents_in(db: sqlite3.Connection, node: int, after: bytes, limit: int) -> list[bytes]:
    """Digests of consents in a node, ascending, after one; a limit of -1 is none."""
    first, last = _bounds(node)
    rows = db.execute(
        "SELECT digest FROM messages WHERE kind = ? AND digest >= ? AND digest <= ? AND digest > ?"
        " ORDER BY digest LIMIT ?",
        (CONSENT, first, last + b"\xff" * (HASH_BYTES - _PLACE_BYTES), after, limit),
    )
    return [digest for (digest,) in rows]


def _words(db: sqlite3.Connection, node: int) -> list[tuple[bytes, int, int]]:
    rows = db.execute(
        "SELECT address, word, signed FROM bits WHERE place >= ? AND place <= ?", _bounds(node)
    )
    return [(who, int.from_bytes(word), int.from_bytes(signed)) for who, word, signed in rows]


def _carriers(db: sqlite3.Connection, address: bytes, word: int) -> list[bytes]:
    key = (address, word.to_bytes(HASH_BYTES))
    rows = db.execute("SELECT digest FROM carriers WHERE address = ? AND word = ?", key)
    return [digest for (digest,) in rows]


def _bounds(node: int) -> tuple[bytes, bytes]:
    first, end = places_of(node)
    return first.to_bytes(_PLACE_BYTES), (end - 1).to_bytes(_PLACE_BYTES)
