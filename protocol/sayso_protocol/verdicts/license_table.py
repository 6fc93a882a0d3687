"""Licenses in columns, for looking up many rows together, without an object for each license.

Each item of each license has an entry of 47 bytes: item hash, sort key, license, index in the license,
and whether other entries share the key. Each license has 117 bytes more. Signers can easily make entries
with the same key; a dictionary finds these, so they do not slow a look-up down.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import ADDRESS_BYTES, ANYONE, HASH_BYTES
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason

ABSENT = -1
HOUR_S: Final = 3_600
PURPOSES_BYTES: Final = 512  # of a distinct set of purposes, with its objects

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Reasons = NDArray[np.uint8]
Names = NDArray[np.bytes_]  # hashes or addresses, whose zero bytes at the end numpy hides (see `listed`)

HASH: Final = np.dtype(f"S{HASH_BYTES}")
ADDRESS: Final = np.dtype(f"S{ADDRESS_BYTES}")
ROW: Final = np.dtype([("license", HASH), ("item", HASH)])
_LICENSE: Final = np.dtype(
    [
        ("name", HASH),
        ("contributor", ADDRESS),
        ("guardian", ADDRESS),
        ("grantee", ADDRESS),
        ("issued", np.int64),
        ("expires", np.int64),
        ("recheck", np.int32),
        ("purposes", np.int32),
        ("shared", np.bool_),
    ]
)


class Licenses(NamedTuple):
    """Licenses holds the terms of some licenses, one list a field, and all their items.

    Attributes:
        names: License hashes, joined.
        contributors: Addresses, joined.
        guardians: Addresses, joined.
        grantees: Addresses, joined.
        issued: Seconds since the epoch.
        expires: Seconds since the epoch.
        rechecks: `recheckHours` of each license.
        purposes: The purposes of each license.
        parties: The number of parties of each license.
        counts: The number of items of each license.
        items: All item hashes in order, joined.
    """

    names: bytes | bytearray
    contributors: bytes | bytearray
    guardians: bytes | bytearray
    grantees: bytes | bytearray
    issued: Sequence[int]
    expires: Sequence[int]
    rechecks: Sequence[int]
    purposes: Sequence[tuple[str, ...]]
    parties: Sequence[int]
    counts: Sequence[int]
    items: bytes | bytearray

    @classmethod
    def of(cls, licenses: Iterable[tuple[bytes, Consent, Sequence[bytes]]]) -> Self:
        """Return the columns of license hashes, consents and item hashes in order."""
        names, consents, joined = list[bytes](), list[Consent](), bytearray()
        for name, consent, items in licenses:
            names.append(name)
            consents.append(consent)
            joined += b"".join(items)
        return cls(
            b"".join(names),
            b"".join([one.contributor for one in consents]),
            b"".join([one.guardian for one in consents]),
            b"".join([one.grantee for one in consents]),
            [one.issued_at for one in consents],
            [one.expires_at for one in consents],
            [one.recheck_hours for one in consents],
            [one.purposes for one in consents],
            [len(one.parties) for one in consents],
            [one.items for one in consents],
            joined,
        )


class LicenseTable:
    """LicenseTable is an immutable table of licenses, in which rows are looked up.

    Attributes:
        licenses: The terms of each license: `name`, `contributor`, `guardian`, `grantee`, `issued`,
            `expires`, `recheck` in seconds, `purposes` as an index, and `shared`: whether it has
            several parties.
        purposes: The distinct sets of purposes.
        owner: For each entry the index of its license.
        position: For each entry the index of its item in the license.

    Args:
        some: The licenses, each once.
    """

    def __init__(self, some: Licenses) -> None:
        self.licenses = np.zeros(len(some.counts), _LICENSE)
        self.licenses["name"] = np.frombuffer(some.names, HASH)
        self.licenses["contributor"] = np.frombuffer(some.contributors, ADDRESS)
        self.licenses["guardian"] = np.frombuffer(some.guardians, ADDRESS)
        self.licenses["grantee"] = np.frombuffer(some.grantees, ADDRESS)
        self.licenses["issued"], self.licenses["expires"] = some.issued, some.expires
        self.licenses["recheck"] = np.array(some.rechecks, np.int32) * HOUR_S
        self.licenses["shared"] = np.array(some.parties, np.int64) > 1
        numbers: dict[tuple[str, ...], int] = {}
        places = [numbers.setdefault(one, len(numbers)) for one in some.purposes]
        self.licenses["purposes"], self.purposes = places, list(numbers)
        counts, items = np.array(some.counts, np.int64), np.frombuffer(some.items, HASH)
        owner = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        starts = np.repeat(counts.cumsum() - counts, counts)
        position = (np.arange(len(items)) - starts).astype(np.uint16)
        keys = _first(self.licenses["name"])[owner] ^ _first(items)
        self._sort(keys, items, owner, position)

    @classmethod
    def of(cls, licenses: Iterable[tuple[bytes, Consent, Sequence[bytes]]]) -> Self:
        """Return a table of license hashes, consents and item hashes in order, each license once."""
        return cls(Licenses.of(licenses))

    def _sort(
        self,
        keys: NDArray[np.uint64],
        items: Names,
        owner: NDArray[np.int32],
        position: NDArray[np.uint16],
    ) -> None:
        """Sort the entries by key; the stable sort merges sorted runs."""
        order = np.argsort(keys, kind="stable")
        self._keys, self._items = keys[order], items[order]
        self.owner, self.position = owner[order], position[order]
        same = self._keys[1:] == self._keys[:-1]
        self._crowded = (np.append(same, False) | np.append(False, same))[: len(keys)]

    @classmethod
    def joined(cls, tables: "Sequence[LicenseTable]") -> Self:
        """Return a table of all tables' licenses, in order; they must not overlap."""
        both = cls(Licenses.of(()))
        both.licenses = np.concatenate([both.licenses, *(one.licenses for one in tables)])
        numbers: dict[tuple[str, ...], int] = {}
        columns, start = [both._columns], 0
        for one in tables:
            mine = both.licenses[start : start + len(one.licenses)]
            new = [numbers.setdefault(some, len(numbers)) for some in one.purposes]
            mine["purposes"] = np.array(new, np.int32)[mine["purposes"]]
            keys, items, owner, position = one._columns  # noqa: SLF001 - the same class
            columns.append((keys, items, owner + np.int32(start), position))
            start += len(mine)
        both.purposes = list(numbers)
        both._sort(*map(np.concatenate, zip(*columns, strict=True)))
        return both

    def only(self, entries: Ints) -> Self:
        """Return a table of the same licenses that has these entries only."""
        rest = copy(self)
        rest.__dict__.pop("_twins", None)
        rest._sort(*(column[np.unique(entries)] for column in self._columns))  # noqa: SLF001 - likewise
        return rest

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self._keys, self._items, self.owner, self.position

    @property
    def nbytes(self) -> int:
        """Return the memory of the table, bytes."""
        columns = (*self._columns, self._crowded, self.licenses)
        return sum([int(one.nbytes) for one in columns]) + PURPOSES_BYTES * len(self.purposes)

    def find(self, rows: bytes) -> Ints:
        """Return the entry of each joined row (license . item, 64 bytes), or ABSENT; shape (n,)."""
        asked = np.frombuffer(rows, ROW)
        if not len(self._keys):
            return np.full(len(asked), ABSENT, np.int64)
        limbs = np.frombuffer(rows, np.uint64).reshape(-1, ROW_BYTES // 8)
        keys = limbs[:, 0] ^ limbs[:, HASH_BYTES // 8]
        order = np.argsort(keys)  # sorted, so that the search reads memory in order
        entries = np.empty(len(keys), np.int64)
        entries[order] = np.searchsorted(self._keys, keys[order])
        entries[entries == len(self._keys)] = 0
        # `take` copies hashes twice as fast as an index does.
        found = self._items.take(entries) == asked["item"]
        found &= self.licenses["name"][self.owner.take(entries)] == asked["license"]
        for row in np.flatnonzero(self._crowded[entries] & ~found):
            data = rows[row * ROW_BYTES : (row + 1) * ROW_BYTES]
            entries[row], found[row] = self._twins.get(data, 0), data in self._twins
        entries[~found] = ABSENT
        return entries

    def places(self, entries: Ints) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
        """Return the license of each entry, or ABSENT, and the index of its item in the license."""
        owner = np.full(len(entries), ABSENT, np.int32)
        position = np.zeros(len(entries), np.uint16)
        held = entries != ABSENT
        owner[held], position[held] = self.owner[entries[held]], self.position[entries[held]]
        return owner, position

    def terms(self, query: Query, now: float, owner: Ints) -> Reasons:
        """Return for each of some licenses the number of the reason by its terms (rules 8.3 to 8.6)."""
        if len(owner) > len(self.licenses):  # rows that share licenses, which are judged once
            return self._terms(query, now, self.licenses)[owner]
        return self._terms(query, now, self.licenses[owner])

    def _terms(self, query: Query, now: float, licenses: NDArray[Any]) -> Reasons:
        for_asker = (licenses["grantee"] == query.grantee) | (licenses["grantee"] == ANYONE)
        for_this = np.array([query.purpose in one for one in self.purposes], bool)[licenses["purposes"]]
        # The first rule that applies gives the reason; if `now` is NaN, nothing is clear.
        failing = [~(now >= licenses["issued"]), ~(now < licenses["expires"]), ~for_asker, ~for_this]
        reasons = (
            Reason.NOT_YET_VALID,
            Reason.EXPIRED,
            Reason.OTHER_GRANTEE,
            Reason.PURPOSE_NOT_GRANTED,
        )
        choices = [np.uint8(one.number) for one in reasons]
        return np.select(failing, choices, np.uint8(Reason.GRANTED.number))

    @cached_property
    def _twins(self) -> dict[bytes, int]:
        """Return the entries that share a key, by license . item."""
        entries = np.flatnonzero(self._crowded)
        rows = np.empty(len(entries), ROW)
        rows["license"], rows["item"] = self.licenses["name"][self.owner[entries]], self._items[entries]
        return {row: int(entry) for row, entry in zip(listed(rows), entries, strict=True)}


def license_names(rows: bytes) -> Names:
    """Return the license hashes that joined rows name, ascending, each once."""
    return distinct(np.frombuffer(rows, ROW)["license"])


def named_licenses(rows: bytes) -> set[bytes]:
    """Return the license hashes that joined rows name, 32 bytes each."""
    return set(listed(license_names(rows)))


def distinct(values: Names) -> Names:
    """Return the distinct values, ascending."""
    ordered = np.sort(values)
    once: Names = ordered[np.append(np.ones(min(1, len(ordered)), bool), ordered[1:] != ordered[:-1])]
    return once


def among(values: NDArray[Any], some: NDArray[Any]) -> Flags:
    """Return for each value whether it is among some ascending ones."""
    if not len(some):
        return np.zeros(len(values), bool)
    places = np.searchsorted(some, values)
    places[places == len(some)] = 0
    same: Flags = some[places] == values
    return same


def listed(values: NDArray[Any]) -> list[bytes]:
    """Return hashes, addresses or rows as byte strings of full length."""
    return list(np.ascontiguousarray(values).view(f"V{values.dtype.itemsize}").tolist())


def _first(hashes: Names) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each hash, as numbers for comparing only."""
    limbs = np.ascontiguousarray(hashes).view(np.uint64)
    return limbs.reshape(len(hashes), HASH_BYTES // 8)[:, 0]
