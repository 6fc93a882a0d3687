"""Finds the entries that sync compares, with one index for each kind of message."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sayso_node.store import many
from sayso_node.store.interface import Reading
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION, STATEMENTS
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.sync.fingerprints import (
    PLACE_BITS,
    Entry,
    digest_entry,
    places_of,
    revocation_entry,
)
from sayso_protocol.sync.sets import kinds_in

_PLACE_BYTES = PLACE_BITS // 8
_REST = b"\xff" * (HASH_BYTES - _PLACE_BYTES)  # completes the last digest at a place


@dataclass(frozen=True)
class Index:
    """How the entries of one kind of message are found.

    Attributes:
        entries: All entries in a node of the tree, each with the messages that carry it.
        ids: Place and id of all entries in a node, which is cheaper.
        count: The number of entries in a node, at most one above a limit.
    """

    entries: Callable[[Reading, int], list[Entry]]
    ids: Callable[[Reading, int], list[tuple[int, bytes]]]
    count: Callable[[Reading, int, int], int]


def entries(db: Reading, kind: int, node: int) -> list[Entry]:
    """Return all entries of a set in a node, each with the messages that carry it."""
    return [entry for one in kinds_in(kind) for entry in INDEX[one].entries(db, node)]


def ids(db: Reading, kind: int, node: int) -> list[tuple[int, bytes]]:
    """Return place and id of all entries of a set in a node."""
    return [entry for one in kinds_in(kind) for entry in INDEX[one].ids(db, node)]


def count(db: Reading, kind: int, node: int, most: int) -> int:
    """Return how many entries of a set are in a node, at most one above `most` for each kind."""
    return sum(INDEX[one].count(db, node, most) for one in kinds_in(kind))


def index_by_digest(kind: int) -> Index:
    """Return the index of a kind whose stored messages are each one entry (rule 11.2)."""

    def found(db: Reading, node: int) -> list[Entry]:
        return [digest_entry(one) for one in digests_in(db, kind, node, b"", many.ALL)]

    def named(db: Reading, node: int) -> list[tuple[int, bytes]]:
        digests = digests_in(db, kind, node, b"", many.ALL)
        return [(int.from_bytes(one[:_PLACE_BYTES]), one) for one in digests]

    def counted(db: Reading, node: int, most: int) -> int:
        query = (
            "SELECT count(*) FROM"
            " (SELECT 1 FROM messages WHERE kind = ? AND digest >= ? AND digest <= ? LIMIT ?) AS near"
        )
        return _number(db, query, kind, *_digests_of(node), most + 1)

    return Index(found, named, counted)


def first_in(db: Reading, kind: int, node: int, after: bytes, limit: int) -> list[bytes]:
    """Return the first digests of a set in a node, ascending, after `after`; of messages as entries."""
    found = (one for kind in kinds_in(kind) for one in digests_in(db, kind, node, after, limit))
    return sorted(found)[:limit]


def digests_in(db: Reading, kind: int, node: int, after: bytes, limit: int) -> list[bytes]:
    """Return digests of a kind in a node, ascending, after `after`, at most `limit`."""
    rows = db.execute(
        "SELECT digest FROM messages WHERE kind = ? AND digest >= ? AND digest <= ? AND digest > ?"
        " ORDER BY digest LIMIT ?",
        (kind, *_digests_of(node), after, limit),
    )
    return [digest for (digest,) in rows]


def _covered(db: Reading, node: int) -> list[Entry]:
    return [
        revocation_entry(address, word, mask, _carriers(db, address, word))
        for address, word, mask in _words(db, node)
    ]


def _covered_ids(db: Reading, node: int) -> list[tuple[int, bytes]]:
    found = (revocation_entry(*one) for one in _words(db, node))
    return [(one.place, one.id) for one in found]


def _count_covered(db: Reading, node: int, most: int) -> int:
    query = "SELECT count(*) FROM (SELECT 1 FROM bits WHERE place >= ? AND place <= ? LIMIT ?) AS near"
    return _number(db, query, *_bounds(node), most + 1)


def _words(db: Reading, node: int) -> list[tuple[bytes, int, int]]:
    rows = db.execute(
        "SELECT address, word, signed FROM bits WHERE place >= ? AND place <= ?", _bounds(node)
    )
    return [(who, int.from_bytes(word), int.from_bytes(signed)) for who, word, signed in rows]


def _carriers(db: Reading, address: bytes, word: int) -> list[bytes]:
    key = (address, word.to_bytes(HASH_BYTES))
    rows = db.execute("SELECT digest FROM carriers WHERE address = ? AND word = ?", key)
    return [digest for (digest,) in rows]


def _number(db: Reading, query: str, *values: object) -> int:
    number: int = db.execute(query, values).fetchone()[0]
    return number


def _bounds(node: int) -> tuple[bytes, bytes]:
    first, end = places_of(node)
    return first.to_bytes(_PLACE_BYTES), (end - 1).to_bytes(_PLACE_BYTES)


def _digests_of(node: int) -> tuple[bytes, bytes]:
    first, last = _bounds(node)
    return first, last + _REST


INDEX: Final = {
    CONSENT: index_by_digest(CONSENT),
    REVOCATION: Index(_covered, _covered_ids, _count_covered),
    **{kind: index_by_digest(kind) for kind in STATEMENTS},
}
check_rows(INDEX, "the store's index")
