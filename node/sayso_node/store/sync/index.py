"""Maintains the sums that sync compares: a tree of sixteen children a node that grows with the entries.

A node of a stored level has its children stored, too, once it had more than SPLIT entries. So a sum at
any depth is added up from few rows, however many entries there are and however they crowd together. Sums
change in the same transaction as their entries, so a peer never hears of a message that is not on disk.
Entries and fingerprints are defined in docs/protocol.md, section 11.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.sync import entries as sync_entries
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

STEP = 4  # levels between stored ones
SPLIT = 64  # entries of a node whose children are not stored, at most
_DEEPEST = 60  # level: nodes here have at most sixteen places
_PLACE_BYTES = PLACE_BITS // 8
_MODULUS = 1 << 8 * HASH_BYTES

Change = tuple[int, int, int]  # place, id as a number, +1 or -1
Row = tuple[int, bytes, int, bool]  # node, sum, count, whether its children are stored


def change_sums(db: Writing, kind: int, changes: Iterable[Change]) -> None:
    """Update the sums after entries of a kind of message were added or removed."""
    number, left, level = SETS[kind].number, list(changes), 0
    while left:
        level += STEP
        rows = _changed(db, number, _added_up(level, left))
        grown = [child for row in rows if _is_large(row) for child in _grown(db, number, row)]
        split = {node for node, _, _, is_split in rows if is_split}
        new = {node >> STEP for node, *_ in grown}
        rows = [(node, total, size, s or node in new) for node, total, size, s in rows]
        again = (
            "ON CONFLICT (kind, node) DO UPDATE"
            " SET total = excluded.total, size = excluded.size, split = excluded.split"
        )
        many.insert(db, "INTO sync_sums", ((number, *row) for row in (*rows, *grown)), again)
        left = [one for one in left if node_at(level, one[0]) in split]


def _added_up(level: int, changes: Iterable[Change]) -> dict[int, tuple[int, int]]:
    """Return how sum and count change in each node of a level."""
    deltas: dict[int, tuple[int, int]] = {}
    for place, number, sign in changes:
        node = node_at(level, place)
        total, size = deltas.get(node, (0, 0))
        deltas[node] = total + sign * number, size + sign
    return deltas


def _changed(db: Reading, number: int, deltas: dict[int, tuple[int, int]]) -> list[Row]:
    held = {row[0]: row for row in _rows(db, number, deltas)}
    rows = []
    for node, (change, sign) in deltas.items():
        _, total, size, is_split = held.get(node, (node, b"", 0, False))
        after = (int.from_bytes(total) + change) % _MODULUS
        rows.append((node, after.to_bytes(HASH_BYTES), size + sign, bool(is_split)))
    return rows


def _is_large(row: Row) -> bool:
    node, _, size, is_split = row
    return size > SPLIT and not is_split and level_of(node) < _DEEPEST


def _grown(db: Reading, number: int, row: Row) -> list[Row]:
    """Return all rows below a node that has become large, from its entries."""
    node, total, size, _ = row
    entries = [(place, int.from_bytes(name)) for place, name in sync_entries.ids(db, number, node)]
    if (sum(one for _, one in entries) % _MODULUS, len(entries)) != (int.from_bytes(total), size):
        return []  # other changes of this transaction are still to be counted: the next one grows it
    return list(_rows_below(level_of(node) + STEP, entries))


def _rows_below(level: int, entries: Iterable[tuple[int, int]]) -> Iterator[Row]:
    groups: dict[int, list[tuple[int, int]]] = {}
    for one in entries:
        groups.setdefault(node_at(level, one[0]), []).append(one)
    for node, own in groups.items():
        total = sum(number for _, number in own) % _MODULUS
        row = node, total.to_bytes(HASH_BYTES), len(own), False
        if _is_large(row):
            yield from _rows_below(level + STEP, own)
            row = (*row[:3], True)
        yield row


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
    """Return the sums of a set for all nodes `step` levels below some nodes of one level, in order."""
    return summed(db, kind, nodes, step)[0]


def summed(db: Reading, kind: int, nodes: Sequence[int], step: int) -> tuple[list[Sum], int]:
    """Return what `sums` does, and how many rows and entries were read for it."""
    above = level_of(nodes[0]) % STEP
    rows = _rows(db, kind, {node >> above for node in nodes})
    if not step and not above and len(rows) == len(nodes):  # these nodes are stored themselves
        held = {node: Sum(int.from_bytes(total), size) for node, total, size, _ in rows}
        return [held[node] for node in nodes], len(rows)
    split = {node for node, _, _, is_split in rows if is_split} | {1}
    found, read = list[Sum](), 0
    for node in nodes:
        part, cost = _below(db, kind, node, step, is_split=node >> above in split)
        found += part
        read += cost
    return found, read


def _below(db: Reading, kind: int, node: int, step: int, *, is_split: bool) -> tuple[list[Sum], int]:
    """Return the sums `step` levels below a node; its stored ancestor is split or not."""
    if not is_split:
        return _from_entries(db, kind, node, step)
    level = level_of(node)
    down = STEP - level % STEP  # to the next stored level
    first = node << down
    rows = db.execute(
        "SELECT node, total, size, split FROM sync_sums WHERE kind = ? AND node >= ? AND node < ?",
        (kind, first, first + (1 << down)),
    ).fetchall()
    children, read = [EMPTY] * (1 << step), len(rows)
    for at, total, size, is_child_split in rows:
        if step <= down:
            child = (at - first) >> (down - step)
            children[child] = children[child].plus(int.from_bytes(total), size)
        else:
            part, cost = _below(db, kind, at, step - down, is_split=is_child_split)
            start = (at - first) << (step - down)
            children[start : start + len(part)] = part
            read += cost
    return children, read


def _from_entries(db: Reading, kind: int, node: int, step: int) -> tuple[list[Sum], int]:
    """Add up few entries."""
    children = [EMPTY] * (1 << step)
    first, level = node << step, level_of(node) + step
    entries = sync_entries.ids(db, kind, node)
    for place, name in entries:
        child = node_at(level, place) - first
        children[child] = children[child].plus(int.from_bytes(name), 1)
    return children, len(entries)


def _rows(db: Reading, kind: int, nodes: Collection[int]) -> list[Row]:
    query = f"SELECT node, total, size, split FROM sync_sums WHERE kind = {kind:d} AND node IN"  # noqa: S608 - a number
    return list(many.among(db, query, nodes))
