"""What sync compares, kept as it changes: the sums of entries at every fourth level.

Sums change in the transaction that changes what they are over, so a peer is never told of a message
that is not on disk. Entries and fingerprints are those of docs/protocol.md, section 11.
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

LEVELS = (4, 8, 12, 16)  # of these the sums are kept
_STEP, _DEEPEST = LEVELS[0], LEVELS[-1]
_PLACE_BYTES = PLACE_BITS // 8
_MODULUS = 1 << 8 * HASH_BYTES

Change = tuple[int, int, int]  # place, id as a number, +1 or -1


def change_sums(db: Writing, kind: int, changes: Iterable[Change]) -> None:
    """Entries of a kind of message were added or taken away."""
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


def digest_change(digest: bytes, sign: int) -> Change:
    """A message that is an entry by itself came or went."""
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


def add_carrier(db: Writing, address: bytes, word: int, digest: bytes) -> None:
    """A message was the first to carry a bit of this word."""
    row = (address, word.to_bytes(HASH_BYTES), digest)
    db.execute("INSERT INTO carriers VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)


def sums(db: Reading, kind: int, nodes: Sequence[int], step: int) -> list[Sum]:
    """The sums of a set over all nodes `step` levels below some, in order."""
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


def _summed(db: Reading, kind: int, node: int, step: int) -> list[Sum]:
    """Below the deepest level that is kept, from the entries themselves."""
    children = [EMPTY] * (1 << step)
    first, level = node << step, level_of(node) + step
    for place, name in sync_entries.ids(db, kind, node):
        child = node_at(level, place) - first
        children[child] = children[child].plus(int.from_bytes(name), 1)
    return children
