"""Maintains the sums that sync compares, for every fourth level of the tree.

Sums change in the same transaction as their entries, so a peer never hears of a message that is not on
disk. Entries and fingerprints are defined in docs/protocol.md, section 11.
"""

from collections.abc import Iterable, Sequence

from sayso_node.store import many, sync_entries
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.sync.fingerprints import (
    EMPTY,
    PLACE_BITS,
    Sum,
    level_of,
    node_at,
    revocation_entry,
    revocation_place,
)
from sayso_protocol.sync.sets import SETS

LEVELS = (4, 8, 12, 16)  # levels whose sums are stored
_STEP, _DEEPEST = LEVELS[0], LEVELS[-1]
_PLACE_BYTES = PLACE_BITS // 8
_MODULUS = 1 << 8 * HASH_BYTES

Change = tuple[int, int, int]  # place, id as a number, +1 or -1


def change_sums(db: Writing, kind: int, changes: Iterable[Change]) -> None:
    """Update the sums after entries of a kind of message were added or removed."""
    number = SETS[kind].number
    deltas = _deltas(changes)
    query = f"SELECT node, total, size FROM sync_sums WHERE kind = {number:d} AND node IN"  # noqa: S608 - a number
    held = {node: (total, size) for node, total, size in many.among(db, query, deltas)}
    rows = []
    for node, (change, sign) in deltas.items():
        total, size = held.get(node, (b"", 0))
        after = (int.from_bytes(total) + change) % _MODULUS
        rows.append((number, node, after.to_bytes(HASH_BYTES), size + sign))
    again = "ON CONFLICT (kind, node) DO UPDATE SET total = excluded.total, size = excluded.size"
    many.insert(db, "INTO sync_sums", rows, again)


def _deltas(changes: Iterable[Change]) -> dict[int, tuple[int, int]]:
    """Return how sum and count of each stored node change, from the deepest level upwards."""
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


def digest_change(digest: bytes, sign: int) -> Change:
    """Return the change for a message that is itself an entry."""
    return int.from_bytes(digest[:_PLACE_BYTES]), int.from_bytes(digest), sign


def word_changes(address: bytes, word: int, before: int, after: int) -> list[Change]:
    """Return the changes for a word whose covered bits changed."""
    place = revocation_place(address, word)
    return [
        (place, int.from_bytes(revocation_entry(address, word, mask).id), sign)
        for mask, sign in ((before, -1), (after, 1))
        if mask
    ]


def stored_place(address: bytes, word: int) -> bytes:
    """Return a word's place as stored: bytes sort like unsigned numbers, unlike SQLite's integers."""
    return revocation_place(address, word).to_bytes(_PLACE_BYTES)


def add_carrier(db: Writing, address: bytes, word: int, digest: bytes) -> None:
    """Store that a message was the first to carry a bit of this word."""
    row = (address, word.to_bytes(HASH_BYTES), digest)
    db.execute("INSERT INTO carriers VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)


def sums(db: Reading, kind: int, nodes: Sequence[int], step: int) -> list[Sum]:
    """Return the sums of a set for all nodes `step` levels below some nodes, in order."""
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
    """Return whether sums at this depth are computed from single entries."""
    return level_of(node) + step > _DEEPEST


def _summed(db: Reading, kind: int, node: int, step: int) -> list[Sum]:
    """Compute sums below the deepest stored level from the entries."""
    children = [EMPTY] * (1 << step)
    first, level = node << step, level_of(node) + step
    for place, name in sync_entries.ids(db, kind, node):
        child = node_at(level, place) - first
        children[child] = children[child].plus(int.from_bytes(name), 1)
    return children
