"""The revocation state: bits, the state digest's running sum (rule 9.3), and an event for each new bit.

All three change in one transaction, so cursors, state digests and verdicts never disagree.
"""

from collections.abc import Iterable, Iterator, Sequence

from sayso_node.errors import StoreDamaged
from sayso_node.store import many, singles
from sayso_node.store.events.publishing import publish_bits
from sayso_node.store.integrity import bit_sums, totals
from sayso_node.store.integrity.bit_sums import BitRow
from sayso_node.store.integrity.checksums import packed_sum
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.sync.index import (
    Change,
    add_carrier,
    change_sums,
    stored_place,
    word_changes,
)
from sayso_protocol.messages.message import REVOCATION
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.state_digest import (
    EMPTY_SUM,
    StateEntry,
    changed_sum,
    digest_of_sum,
)
from sayso_protocol.permissions.state_digest import SUM_BYTES as STATE_BYTES
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
    changes, covered, rows = list[tuple[int, int, int]](), list[Change](), list[BitRow]()
    held = {int.from_bytes(word): masks for word, *masks in _rows_of(db, address, heard)}
    for word, mask in heard.items():
        signed, chain = map(int.from_bytes, held.get(word, (b"", b"")))
        if not mask & ~(signed if source == SIGNED else chain):
            continue
        before = signed | chain
        if source == SIGNED:
            covered += word_changes(address, word, signed, signed | mask)
            if digest:
                add_carrier(db, address, word, digest)
        signed, chain = (signed | mask, chain) if source == SIGNED else (signed, chain | mask)
        rows.append((_packed(word), _packed(signed), _packed(chain)))
        if fresh := mask & ~before:
            changes.append((word, before, before | fresh))
    put(db, address, rows)
    news = [(word, after & ~before) for word, before, after in changes]
    publish_bits(db, address, news, source=source, digest=digest, now=now)
    if covered:
        change_sums(db, REVOCATION, covered)
    if changes and is_known(db, address):
        _count(
            db,
            ((address, word, after) for word, _, after in changes),
            ((address, word, before) for word, before, _ in changes),
        )
    return bool(rows)


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
    totals.add(db, totals.PEOPLE, fresh)
    query = "SELECT address, word, signed, chain FROM bits WHERE address IN"
    held: dict[bytes, list[BitRow]] = {address: [] for address in fresh}
    for address, *row in many.among(db, query, fresh):
        held[address].append(tuple(row))
    bit_sums.check_some(db, held)
    if spoken := list(_entries((who, *row) for who, rows in held.items() for row in rows)):
        _count(db, spoken)
    return fresh


def first_words(db: Reading, address: bytes, limit: int) -> Masks:
    """Return all bits of an address, or those of some `limit` words if it has more.

    Raises StoreDamaged; `limit` words are not compared with their checksums.
    """
    return _masks(bit_sums.all_rows(db, address, limit))


def masks_of(db: Reading, address: bytes, words: Iterable[int]) -> Masks:
    """Return the masks of those of some words that have a bit; no other word is read.

    Raises StoreDamaged.
    """
    return _masks(_rows_of(db, address, words))


def words_between(db: Reading, address: bytes, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield an address's words in a range, each with its mask, in order; raises StoreDamaged.

    The first word is a multiple of 64.
    """
    rows = bit_sums.checked_between(db, address, _packed(first), _packed(last))
    return ((int.from_bytes(word), _mask(signed, chain)) for word, signed, chain in rows)


def has_permissions(db: Reading, address: bytes) -> bool:
    """Return whether an address has set the bit of a permission; raises StoreDamaged."""
    found, summed = (
        db.execute(f"SELECT 1 FROM {one} < ? LIMIT 1", (address, _packed(SCOPE_FLAG))).fetchone()  # noqa: S608 - ours
        for one in ("bits WHERE address = ? AND word", "bit_sums WHERE address = ? AND base")
    )
    if found != summed:
        raise StoreDamaged(f"revocations of 0x{address.hex()} are not what was stored")
    return found is not None


def has_scopes(db: Reading, address: bytes) -> bool:
    """Return whether an address has set the bit of a scope; raises StoreDamaged."""
    query = "SELECT 1 FROM bits WHERE address = ? AND word >= ? LIMIT 1"
    found = db.execute(query, (address, _packed(SCOPE_FLAG))).fetchone() is not None
    if found != bit_sums.has_scopes(db, address):
        raise StoreDamaged(f"scopes of 0x{address.hex()} are not what was stored")
    return found


def speakers_among(db: Reading, addresses: Iterable[bytes]) -> list[bytes]:
    """Return those of some addresses that have set a bit; the cost does not grow with their bits.

    Raises StoreDamaged.
    """
    asked = [*addresses]
    found = [*many.found_in(db, "bits", "address", asked)]
    if found != [*many.found_in(db, "bit_sums", "address", asked)]:
        raise StoreDamaged("revocations of some people are not what was stored")
    return found


def masks_at(db: Reading, address: bytes, word: int) -> tuple[int, int]:
    """Return signed and chain bits of one word; the cost does not grow with the address's bits.

    Raises StoreDamaged.
    """
    for _, signed, chain in _rows_of(db, address, (word,)):
        return int.from_bytes(signed), int.from_bytes(chain)
    return 0, 0


def _rows_of(db: Reading, address: bytes, words: Iterable[int]) -> list[BitRow]:
    asked = [_packed(one) for one in words]
    query = "SELECT word, signed, chain FROM bits WHERE address = ? AND word IN"
    return bit_sums.checked(db, address, many.among(db, query, asked, (address,)), asked)


def current_digest(db: Reading) -> bytes:
    """Return the state digest of rule 9.3."""
    return digest_of_sum(kept_sum(db))


def state_entries(db: Reading) -> Iterator[StateEntry]:
    """Return the bits of known addresses, over which the state digest is computed (rule 9.3)."""
    return _entries(
        db.execute("SELECT address, word, signed, chain FROM bits JOIN people USING (address)")
    )


def _entries(rows: Iterable[tuple[bytes, bytes, bytes, bytes]]) -> Iterator[StateEntry]:
    for address, word, signed, chain in rows:
        yield address, int.from_bytes(word), _mask(signed, chain)


def _masks(rows: Iterable[tuple[bytes, bytes, bytes]]) -> Masks:
    return {int.from_bytes(word): _mask(signed, chain) for word, signed, chain in rows}


def _mask(signed: bytes, chain: bytes) -> int:
    return int.from_bytes(signed) | int.from_bytes(chain)


def put(db: Writing, address: bytes, rows: Sequence[BitRow]) -> None:
    """Write rows with their checksums."""
    places = [
        (address, *row, stored_place(address, int.from_bytes(row[0])) if any(row[1]) else None)
        for row in rows
    ]
    again = (
        "ON CONFLICT (address, word) DO UPDATE"
        " SET signed = excluded.signed, chain = excluded.chain, place = excluded.place"
    )
    many.insert(db, "INTO bits", places, again)
    bit_sums.keep(db, address, rows)


def _packed(number: int) -> bytes:
    return number.to_bytes(HASH_BYTES)


def computed_sum(db: Reading) -> bytes:
    """Compute the sum of the state digest from all bits of known people."""
    return changed_sum(EMPTY_SUM, state_entries(db))


def put_sum(db: Writing, total: bytes) -> None:
    """Store the sum of the state digest with its checksum."""
    singles.put(db, _SUM, total + packed_sum(total))


def kept_sum(db: Reading) -> bytes:
    """Return the sum of the state digest, which is kept with its checksum; raises StoreDamaged."""
    kept = singles.get(db, _SUM)
    if kept is None:
        return EMPTY_SUM
    total = kept[:STATE_BYTES]
    if kept != total + packed_sum(total):
        raise StoreDamaged("the sum of the state digest is not what was stored")
    return total


def _count(db: Writing, added: Iterable[StateEntry], removed: Iterable[StateEntry] = ()) -> None:
    put_sum(db, changed_sum(kept_sum(db), added, removed))
