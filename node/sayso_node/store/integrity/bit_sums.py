"""Checksums of the table of bits, by which a read notices rows that are changed, moved, old or gone.

Sixty-four words that follow each other, as many as a license has at most, have one row in `bit_sums`:
for each word with a row in `bits`, its last six bits and the checksum of that row. So a question about
some words compares these words and reads no others, and a word without a row is sure to have none. To
lose a bit unnoticed, both tables must be damaged, alike.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Final

from sayso_node.errors import StoreDamaged
from sayso_node.store import many
from sayso_node.store.integrity.checksums import SUM_BYTES, packed_sum
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.primitives import HASH_BYTES

BitRow = tuple[bytes, bytes, bytes]  # word, signed, chain; 32 bytes each

_LOW: Final = 63  # bits of a word that differ within a row of sums
_ENTRY: Final = 1 + SUM_BYTES


def base_of(word: bytes) -> bytes:
    """Return the first of the words that have a common row of sums."""
    return word[:-1] + bytes((word[-1] & ~_LOW,))


def checked(
    db: Reading, address: bytes, rows: Iterable[BitRow], words: Collection[bytes]
) -> list[BitRow]:
    """Return the rows of some words of an address, which are all that it has; raises StoreDamaged."""
    found = list(rows)
    query = "SELECT base, sums FROM bit_sums WHERE address = ? AND base IN"
    sums = _unpacked(many.among(db, query, {base_of(word) for word in words}, (address,)))
    _compare(address, found, {word: sums[word] for word in words if word in sums})
    return found


_ALL: Final = (
    "SELECT * FROM (SELECT word, signed, chain FROM bits WHERE address = ?1 LIMIT ?2) AS near UNION ALL"
    " SELECT base, sums, NULL FROM (SELECT base, sums FROM bit_sums WHERE address = ?1 LIMIT ?2) AS near"
)


def all_rows(db: Reading, address: bytes, limit: int = many.ALL) -> list[BitRow]:
    """Return all rows of an address; raises StoreDamaged.

    With a limit, fewer rows are all; so many rows are some, and not compared. One statement reads both
    tables, because a check asks for thousands of people.
    """
    rows, sums = list[BitRow](), list[tuple[bytes, bytes]]()
    for row in db.execute(_ALL, (address, limit)):
        if row[2] is None:
            sums.append(row[:2])
        else:
            rows.append(row)
    if len(rows) != limit:
        _compare(address, rows, _unpacked(sums))
    return rows


def check_some(db: Reading, rows: Mapping[bytes, list[BitRow]]) -> None:
    """Compare all rows of some addresses, also of those that have none; raises StoreDamaged."""
    query = "SELECT address, base, sums FROM bit_sums WHERE address IN"
    held: dict[bytes, list[tuple[bytes, bytes]]] = {address: [] for address in rows}
    for address, base, sums in many.among(db, query, rows):
        held[address].append((base, sums))
    for address, some in held.items():
        _compare(address, rows[address], _unpacked(some))


def has_scopes(db: Reading, address: bytes) -> bool:
    """Return whether an address has the sum of a scope."""
    query = "SELECT 1 FROM bit_sums WHERE address = ? AND base >= ? LIMIT 1"
    return db.execute(query, (address, SCOPE_FLAG.to_bytes(HASH_BYTES))).fetchone() is not None


def count(db: Reading, address: bytes) -> int:
    """Return how many words of an address have a checksum."""
    query = "SELECT base, sums FROM bit_sums WHERE address = ?"
    return len(_unpacked(db.execute(query, (address,))))


def keep(db: Writing, address: bytes, rows: Iterable[BitRow]) -> None:
    """Keep the sums of rows that are being written, beside those of other words."""
    new = {row[0]: packed_sum(address, *row) for row in rows}
    query = "SELECT base, sums FROM bit_sums WHERE address = ? AND base IN"
    held = _unpacked(many.among(db, query, {base_of(word) for word in new}, (address,)))
    _put(db, address, held | new)


def checked_stream(db: Reading) -> Iterator[tuple[bytes, list[BitRow]]]:
    """Yield the known people who have bits with all their rows, in order; raises StoreDamaged."""
    for address, rows, sums in _merged(db, " JOIN people USING (address)"):
        _compare(address, rows, sums)
        yield address, rows


def damaged(db: Reading) -> Iterator[bytes]:
    """Yield all addresses whose rows are not what their checksums say."""
    for address, rows, sums in _merged(db, ""):
        if not _agree(address, rows, sums):
            yield address


def _merged(db: Reading, joined: str) -> Iterator[tuple[bytes, list[BitRow], dict[bytes, bytes]]]:
    """Yield each address that is in one of the two tables or in both, with its rows and sums."""
    bits = groupby(
        db.execute(f"SELECT address, word, signed, chain FROM bits{joined} ORDER BY address, word"),  # noqa: S608
        itemgetter(0),
    )
    sums = groupby(
        db.execute(f"SELECT address, base, sums FROM bit_sums{joined} ORDER BY address, base"),  # noqa: S608
        itemgetter(0),
    )
    bit, one = next(bits, None), next(sums, None)
    while bit or one:
        address = min(each[0] for each in (bit, one) if each)
        rows, held = list[BitRow](), dict[bytes, bytes]()
        if bit and bit[0] == address:
            rows = [(word, signed, chain) for _, word, signed, chain in bit[1]]
            bit = next(bits, None)
        if one and one[0] == address:
            held = _unpacked((base, packed) for _, base, packed in one[1])
            one = next(sums, None)
        yield address, rows, held


def checked_between(db: Reading, address: bytes, first: bytes, last: bytes) -> Iterator[BitRow]:
    """Yield an address's rows from a multiple of 64 on, in order; raises StoreDamaged."""
    query = (
        "SELECT word, signed, chain FROM bits WHERE address = ? AND word BETWEEN ? AND ? ORDER BY word"
    )
    rows = groupby(db.execute(query, (address, first, last)), lambda row: base_of(row[0]))
    query = "SELECT base, sums FROM bit_sums WHERE address = ? AND base BETWEEN ? AND ? ORDER BY base"
    sums = (
        (base, held)
        for base, packed in db.execute(query, (address, first, last))
        if (held := {word: one for word, one in _unpacked([(base, packed)]).items() if word <= last})
    )
    for base, some in rows:
        found = list(some)
        of, held = next(sums, (base, dict[bytes, bytes]()))
        if of != base:
            raise _damaged(address)
        _compare(address, found, held)
        yield from found
    if next(sums, None):
        raise _damaged(address)


def agrees(db: Reading, address: bytes, row: BitRow) -> bool:
    """Return whether a row is what its checksum says."""
    query = "SELECT base, sums FROM bit_sums WHERE address = ? AND base = ?"
    sums = _unpacked(db.execute(query, (address, base_of(row[0]))))
    return sums.get(row[0]) == packed_sum(address, *row)


def _compare(address: bytes, rows: Collection[BitRow], sums: Mapping[bytes, bytes]) -> None:
    if not _agree(address, rows, sums):
        raise _damaged(address)


def _agree(address: bytes, rows: Collection[BitRow], sums: Mapping[bytes, bytes]) -> bool:
    return {row[0]: packed_sum(address, *row) for row in rows} == sums


def _damaged(address: bytes) -> StoreDamaged:
    return StoreDamaged(f"revocations of 0x{address.hex()} are not what was stored")


def _unpacked(rows: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the sums by word."""
    found = dict[bytes, bytes]()
    for base, sums in rows:
        for at in range(0, len(sums), _ENTRY):
            word = base[:-1] + bytes((base[-1] | sums[at] & _LOW,))
            found[word] = sums[at + 1 : at + _ENTRY]
    return found


def _put(db: Writing, address: bytes, sums: Mapping[bytes, bytes]) -> None:
    rows = [
        (address, base, b"".join(bytes((word[-1] & _LOW,)) + sums[word] for word in words))
        for base, words in groupby(sorted(sums), base_of)
    ]
    again = "ON CONFLICT (address, base) DO UPDATE SET sums = excluded.sums"
    many.insert(db, "INTO bit_sums", rows, again)
