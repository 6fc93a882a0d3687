"""Licenses in columns, for looking up many rows together.

Each item of each license has an entry of 47 bytes: item hash, sort key, license, index in the license,
and whether other entries share the key. Signers can easily make entries with the same key; a dictionary
finds these, so they do not slow a look-up down.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import ANYONE, HASH_BYTES
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason

T = TypeVar("T")

_LIMBS = HASH_BYTES // 8  # a hash as 64-bit numbers, for comparing only
ABSENT = -1

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Reasons = NDArray[np.uint8]


class LicenseTable:
    """LicenseTable is an immutable table of licenses, in which rows are looked up.

    Args:
        licenses: License hash, consent and item hashes in order, each license once.
    """

    def __init__(self, licenses: Iterable[tuple[bytes, Consent, Sequence[bytes]]]) -> None:
        self.consents: list[Consent] = []
        hashes, joined = bytearray(), bytearray()
        for license_hash, consent, its_items in licenses:
            self.consents.append(consent)
            hashes += license_hash
            joined += b"".join(its_items)
        self._hashes, items = _hashes(hashes), _hashes(joined)
        counts = np.array([one.items for one in self.consents], np.int64)
        owner = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        starts = np.repeat(counts.cumsum() - counts, counts)
        position = (np.arange(len(items)) - starts).astype(np.uint16)
        self._sort(self._hashes[owner, 0] ^ items[:, 0], items, owner, position)

    def _sort(
        self,
        keys: NDArray[np.uint64],
        items: NDArray[np.uint64],
        owner: NDArray[np.int32],
        position: NDArray[np.uint16],
    ) -> None:
        """Sort the entries by key; the stable sort merges two sorted runs."""
        order = np.argsort(keys, kind="stable")
        self._keys, self._items = keys[order], items[order]
        self.owner, self.position = owner[order], position[order]
        same = self._keys[1:] == self._keys[:-1]
        self._crowded = np.append(same, False) | np.append(False, same)

    def joined(self, other: "LicenseTable") -> "LicenseTable":
        """Return a table of both tables' licenses, this table's first; they must not overlap."""
        both = LicenseTable(())
        both.consents = self.consents + other.consents
        both._hashes = np.concatenate([self._hashes, other._hashes])  # noqa: SLF001 - the same class
        columns = zip(self._columns, other._columns, strict=True)  # noqa: SLF001
        keys, items, owner, position = map(np.concatenate, columns)
        owner[len(self.owner) :] += len(self.consents)
        both._sort(keys, items, owner, position)
        return both

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self._keys, self._items, self.owner, self.position

    @property
    def nbytes(self) -> int:
        """Return the memory of the entries, bytes."""
        return sum(column.nbytes for column in (*self._columns, self._crowded))

    def find(self, rows: bytes) -> Ints:
        """Return the entry of each joined row (license . item, 64 bytes), or ABSENT; shape (n,)."""
        matrix = np.frombuffer(rows, np.uint64).reshape(-1, ROW_BYTES // 8)
        licenses, items = matrix[:, :_LIMBS], matrix[:, _LIMBS:]
        if not len(self._keys):
            return np.full(len(matrix), ABSENT, np.int64)
        keys = licenses[:, 0] ^ items[:, 0]
        order = np.argsort(keys)  # sorted, so that the search reads memory in order
        entries = np.empty(len(keys), np.int64)
        entries[order] = np.searchsorted(self._keys, keys[order])
        entries[entries == len(self._keys)] = 0
        found = _equal(self._items[entries], items) & _equal(self._hashes[self.owner[entries]], licenses)
        for row in np.flatnonzero(self._crowded[entries] & ~found):
            data = rows[row * ROW_BYTES : (row + 1) * ROW_BYTES]
            entries[row], found[row] = self._twins.get(data, 0), data in self._twins
        entries[~found] = ABSENT
        return entries

    def terms(self, query: Query, now: float) -> Reasons:
        """Return for each license the number of the reason by its terms (rules 8.3 to 8.6)."""
        grantees, grantee_of = self._grantees
        purposes, purposes_of = self._purposes
        for_asker = np.array([one in (ANYONE, query.grantee) for one in grantees], bool)[grantee_of]
        for_this = np.array([query.purpose in one for one in purposes], bool)[purposes_of]
        # The first rule that applies gives the reason; if `now` is NaN, nothing is clear.
        failing = [~(now >= self._issued), ~(now < self._expires), ~for_asker, ~for_this]
        reasons = (
            Reason.NOT_YET_VALID,
            Reason.EXPIRED,
            Reason.OTHER_GRANTEE,
            Reason.PURPOSE_NOT_GRANTED,
        )
        choices = [np.uint8(one.number) for one in reasons]
        return np.select(failing, choices, np.uint8(Reason.GRANTED.number))

    @cached_property
    def shared(self) -> Flags:
        """Return for each license whether its content needs several parties' consent."""
        return np.array([len(one.parties) > 1 for one in self.consents], bool)

    @cached_property
    def people(self) -> tuple[list[bytes], Ints, Ints]:
        """Return all contributors and guardians, and for each license the indexes of its own."""
        contributors = [one.contributor for one in self.consents]
        everyone, places = distinct([*contributors, *(one.guardian for one in self.consents)])
        return everyone, places[: len(contributors)], places[len(contributors) :]

    @cached_property
    def _issued(self) -> Ints:
        return np.array([one.issued_at for one in self.consents], np.int64)

    @cached_property
    def _expires(self) -> Ints:
        return np.array([one.expires_at for one in self.consents], np.int64)

    @cached_property
    def _grantees(self) -> tuple[list[bytes], Ints]:
        return distinct(one.grantee for one in self.consents)

    @cached_property
    def _purposes(self) -> tuple[list[tuple[str, ...]], Ints]:
        return distinct(one.purposes for one in self.consents)

    @cached_property
    def _twins(self) -> dict[bytes, int]:
        """Return the entries that share a key, by license . item."""
        entries = np.flatnonzero(self._crowded)
        rows = np.hstack([self._hashes[self.owner[entries]], self._items[entries]])
        return {row.tobytes(): int(entry) for row, entry in zip(rows, entries, strict=True)}


def named_licenses(rows: bytes) -> set[bytes]:
    """Return the license hashes that joined rows name, 32 bytes each."""
    licenses = np.frombuffer(rows, np.uint64).reshape(-1, ROW_BYTES // 8)[:, :_LIMBS]
    # Equal hashes are adjacent, unless others share their first bytes; the set removes repetitions.
    ordered = licenses[np.argsort(licenses[:, 0])]
    firsts = np.flatnonzero(np.append(True, ~_equal(ordered[1:], ordered[:-1])))
    return {ordered[at].tobytes() for at in firsts}


def distinct(values: Iterable[T]) -> tuple[list[T], Ints]:
    """Return the distinct values, and for each value its index among them."""
    numbers: dict[T, int] = {}
    places = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), np.array(places, np.int64)


def _hashes(joined: bytes | bytearray) -> NDArray[np.uint64]:
    return np.frombuffer(joined, np.uint64).reshape(-1, _LIMBS)


def _equal(some: NDArray[np.uint64], others: NDArray[np.uint64]) -> Flags:
    same: Flags = (some == others).all(axis=1)
    return same
