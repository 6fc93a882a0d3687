"""The revocation state: bits, the state digest's running sum (rule 9.3), and an event for each new bit.

All three change in one transaction, so cursors, state digests and verdicts never disagree.
"""

from collections.abc import Iterable, Iterator

from sayso_node.store import events, many
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.sync_index import (
    Change,
    add_carrier,
    change_sums,
    stored_place,
    word_changes,
)
from sayso_protocol.messages.message import REVOCATION
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.state_digest import EMPTY_SUM, StateEntry, changed_sum, digest_of_sum
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES

SIGNED, CHAIN = "signed", "chain"
_SUM = "state-sum"


def merge_bits(
    db: Writing,
    address: bytes,
    heard: Masks,
    *,
    source: str,
    now: float,
    digest: bytes | None = None,
) -> bool:
    """Add bits to the state, as `signed` (by the message `digest`) or `chain`.

    Returns whether any was new to that source.
    """
    news, changes, covered = False, [], list[Change]()
    for word, mask in heard.items():
        signed, chain = masks_at(db, address, word)
        if not mask & ~(signed if source == SIGNED else chain):
            continue
        news, before = True, signed | chain
        if source == SIGNED:
            covered += word_changes(address, word, signed, signed | mask)
            if digest:
                add_carrier(db, address, word, digest)
        signed, chain = (signed | mask, chain) if source == SIGNED else (signed, chain | mask)
        _put(db, address, word, signed, chain)
        if fresh := mask & ~before:
            events.add(db, events.Event(address, word, fresh, source, digest, now))
            changes.append((word, before, before | fresh))
    if covered:
        change_sums(db, REVOCATION, covered)
    if changes and is_known(db, address):
        _count(
            db,
            ((address, word, after) for word, _, after in changes),
            ((address, word, before) for word, before, _ in changes),
        )
    return news


def is_known(db: Reading, address: bytes) -> bool:
    """Return whether the address is contributor or guardian of a held consent."""
    return db.execute("SELECT 1 FROM people WHERE address = ?", (address,)).fetchone() is not None


def any_known(db: Reading) -> bool:
    """Return whether any address is known."""
    return db.execute("SELECT 1 FROM people LIMIT 1").fetchone() is not None


def add_people(db: Writing, addresses: Iterable[bytes]) -> set[bytes]:
    """Add known addresses and return the new ones, whose bits enter the sum of the state digest."""
    wanted = set(addresses)
    known = many.among(db, "SELECT address FROM people WHERE address IN", wanted)
    fresh = wanted - {address for (address,) in known}
    many.insert(db, "INTO people (address, unsure)", ((address, 0) for address in fresh))
    query = "SELECT address, word, signed, chain FROM bits WHERE address IN"
    rows = many.among(db, query, fresh)
    if spoken := list(_entries(rows)):
        _count(db, spoken)
    return fresh


def bits_of(db: Reading, address: bytes, *, source: str | None = None) -> Masks:
    """Return all bits of an address, or those of one source."""
    rows = db.execute("SELECT word, signed, chain FROM bits WHERE address = ?", (address,))
    return _masks(rows, source)


def first_words(db: Reading, address: bytes, limit: int) -> Masks:
    """Return all bits of an address, or those of some `limit` words if it has more."""
    query = "SELECT word, signed, chain FROM bits WHERE address = ? LIMIT ?"
    return _masks(db.execute(query, (address, limit)))


def masks_of(db: Reading, address: bytes, words: Iterable[int]) -> Masks:
    """Return the masks of those of some words that have a bit; no other word is read."""
    query = "SELECT word, signed, chain FROM bits WHERE address = ? AND word IN"
    return _masks(many.among(db, query, (one.to_bytes(HASH_BYTES) for one in words), (address,)))


def has_scopes(db: Reading, address: bytes) -> bool:
    """Return whether an address has set the bit of a scope."""
    query = "SELECT 1 FROM bits WHERE address = ? AND word >= ? LIMIT 1"
    return db.execute(query, (address, SCOPE_FLAG.to_bytes(HASH_BYTES))).fetchone() is not None


def speakers_among(db: Reading, addresses: Iterable[bytes]) -> Iterator[bytes]:
    """Return those of some addresses that have set a bit; the cost does not grow with their bits."""
    return many.found_in(db, "bits", "address", addresses)


def masks_at(db: Reading, address: bytes, word: int) -> tuple[int, int]:
    """Return signed and chain bits of one word; the cost does not grow with the address's bits."""
    key = (address, word.to_bytes(HASH_BYTES))
    row = db.execute("SELECT signed, chain FROM bits WHERE address = ? AND word = ?", key).fetchone()
    return (int.from_bytes(row[0]), int.from_bytes(row[1])) if row else (0, 0)


def current_digest(db: Reading) -> bytes:
    """Return the state digest of rule 9.3."""
    return digest_of_sum(_sum(db))


def state_entries(db: Reading) -> Iterator[StateEntry]:
    """Return the bits of known addresses, over which the state digest is computed (rule 9.3)."""
    return _entries(
        db.execute("SELECT address, word, signed, chain FROM bits JOIN people USING (address)")
    )


def _entries(rows: Iterable[tuple[bytes, bytes, bytes, bytes]]) -> Iterator[StateEntry]:
    for address, word, signed, chain in rows:
        yield address, int.from_bytes(word), _mask(signed, chain, None)


def _masks(rows: Iterable[tuple[bytes, bytes, bytes]], source: str | None = None) -> Masks:
    return {int.from_bytes(word): _mask(signed, chain, source) for word, signed, chain in rows}


def _mask(signed: bytes, chain: bytes, source: str | None) -> int:
    masks = {SIGNED: int.from_bytes(signed), CHAIN: int.from_bytes(chain)}
    return masks[source] if source else masks[SIGNED] | masks[CHAIN]


def _put(db: Writing, address: bytes, word: int, signed: int, chain: int) -> None:
    db.execute(
        "INSERT INTO bits VALUES (?, ?, ?, ?, ?) ON CONFLICT (address, word) DO UPDATE"
        " SET signed = excluded.signed, chain = excluded.chain, place = excluded.place",
        (
            address,
            word.to_bytes(HASH_BYTES),
            signed.to_bytes(HASH_BYTES),
            chain.to_bytes(HASH_BYTES),
            stored_place(address, word) if signed else None,
        ),
    )


def _sum(db: Reading) -> bytes:
    row = db.execute("SELECT value FROM singles WHERE name = ?", (_SUM,)).fetchone()
    total: bytes = row[0] if row else EMPTY_SUM
    return total


def _count(db: Writing, added: Iterable[StateEntry], removed: Iterable[StateEntry] = ()) -> None:
    total = changed_sum(_sum(db), added, removed)
    db.execute(
        "INSERT INTO singles VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_SUM, total),
    )
