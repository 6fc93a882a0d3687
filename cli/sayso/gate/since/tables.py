"""The licenses and people of an index in columns: all that decides about rows nobody has touched.

A person or license is looked up in a snapshot by hashes. They are computed when the index is made, so a
later check looks up a million of them in array operations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sayso.gate.licenses import LicenseBundle
from sayso_protocol.primitives import ANYONE, HASH_BYTES
from sayso_protocol.snapshots.hash_list import (
    NAME_BYTES,
    Names,
    hashes_of,
    license_key,
    person_key,
)
from sayso_protocol.snapshots.keys import permissions_key, scopes_key
from sayso_protocol.snapshots.snapshot import Snapshots
from sayso_protocol.verdicts.license_table import Flags, Licenses, LicenseTable
from sayso_protocol.verdicts.query import Query

NO_PERSON: Final = np.iinfo(np.uint32).max
_PLACE: Final = [("file", "<u4"), ("start", "<u8"), ("size", "<u4")]
LICENSE: Final = np.dtype(
    [
        ("name", "V32"),
        *_PLACE,
        ("grantee", "V20"),
        ("issued", "<i8"),
        ("expires", "<i8"),
        ("recheck_hours", "<u2"),
        ("for_purpose", "?"),
        ("is_alone", "?"),  # nobody else's consent is needed, and no sublicense
        ("contributor", "<u4"),
        ("guardian", "<u4"),
    ]
)
SUBLICENSE: Final = np.dtype([("name", "V32"), *_PLACE])
PERSON: Final = np.dtype([("permissions", "V32"), ("scopes", "V32")])
_NAME: Final = np.dtype(f"S{NAME_BYTES}")
Rows = NDArray[Any]


@dataclass(frozen=True)
class Sizes:
    """Sizes counts what tables hold."""

    licenses: int
    sublicenses: int
    people: int
    snapshots: int


@dataclass(frozen=True)
class Tables:
    """Tables holds a bundle in columns, and what names it in each snapshot.

    Attributes:
        licenses: LICENSE of each license, in the order of the bundle.
        sublicenses: SUBLICENSE of each sublicense.
        people: PERSON of each contributor and guardian: the keys of what they have set.
        license_names: For each snapshot the hash of each license (rule 13.3.4).
        people_names: For each snapshot the hash of each person.
    """

    licenses: Rows
    sublicenses: Rows
    people: Rows
    license_names: list[Names]
    people_names: list[Names]

    @property
    def sizes(self) -> Sizes:
        """Return the sizes, by which the bytes are read."""
        counts = (len(self.licenses), len(self.sublicenses), len(self.people))
        return Sizes(*counts, len(self.license_names))

    @property
    def data(self) -> bytes:
        """Return all columns as bytes."""
        arrays = (self.licenses, self.sublicenses, self.people, *self.license_names, *self.people_names)
        return b"".join([one.tobytes() for one in arrays])

    @classmethod
    def read(cls, data: bytes, sizes: Sizes) -> "Tables":
        """Read what `data` gives; raises ValueError for another length."""
        kinds = [(LICENSE, sizes.licenses), (SUBLICENSE, sizes.sublicenses), (PERSON, sizes.people)]
        lists = [(_NAME, sizes.licenses)] * sizes.snapshots + [(_NAME, sizes.people)] * sizes.snapshots
        arrays, at = list[Any](), 0
        for kind, count in [*kinds, *lists]:
            arrays.append(np.frombuffer(data, kind, count, at))
            at += kind.itemsize * count
        if at != len(data):
            raise ValueError("the tables have another length than their sizes")
        licenses, sublicenses, people, *names = arrays
        half = sizes.snapshots
        return cls(licenses, sublicenses, people, names[:half], names[half:])

    def terms(self, query: Query) -> LicenseTable:
        """Return the terms of the licenses, without items, as rules 8.3 to 8.6 read them."""
        some, count = self.licenses, len(self.licenses)
        purposes = [(query.purpose,) if one else () for one in some["for_purpose"].tolist()]
        people = bytes(20 * count)  # terms do not regard them
        return LicenseTable(
            Licenses(
                some["name"].tobytes(),
                people,
                people,
                some["grantee"].tobytes(),
                some["issued"].tolist(),
                some["expires"].tolist(),
                some["recheck_hours"].tolist(),
                purposes,
                [1] * count,
                [0] * count,
                b"",
            )
        )

    def touched(self, snapshots: Snapshots) -> Flags:
        """Return for each license whether its contributor or guardian has set any bit (13.10.1, 2)."""
        set_ = np.zeros(len(self.people), bool)
        for kind in PERSON.names or ():
            keys = np.frombuffer(self.people[kind].tobytes(), np.uint8).reshape(-1, HASH_BYTES)
            set_ |= snapshots.holds(keys)
        return self._of_any(set_)

    def named(self, snapshots: Snapshots) -> Flags:
        """Return for each license whether every file names it and its people (rule 13.10.3)."""
        found = np.ones(len(self.licenses), bool)
        for one, licenses, people in zip(
            snapshots.all, self.license_names, self.people_names, strict=True
        ):
            found &= one.name_hashes(licenses)
            found &= ~self._of_any(~one.name_hashes(people))
        return found

    def _of_any(self, people: Flags) -> Flags:
        """Return for each license whether a flag is set for its contributor or its guardian."""
        flags = np.append(people, False)  # of nobody
        guardians = np.minimum(self.licenses["guardian"], len(people))
        found: Flags = flags[self.licenses["contributor"]] | flags[guardians]
        return found


def tables_of(bundle: LicenseBundle, salts: Sequence[bytes], query: Query) -> Tables:
    """Return the tables of a verified bundle, for snapshots with these salts."""
    numbers: dict[bytes, int] = {}

    def number(address: bytes) -> int:
        return numbers.setdefault(address, len(numbers))

    licenses = np.zeros(len(bundle.held), LICENSE)
    for at, (name, consent, _) in enumerate(bundle.rows()):
        guardian = number(consent.revokers[1]) if len(consent.revokers) > 1 else NO_PERSON
        licenses[at] = (
            name,
            *bundle.places[name],
            consent.grantee,
            consent.issued_at,
            consent.expires_at,
            consent.recheck_hours,
            query.purpose in consent.purposes,
            len(consent.parties) == 1 and consent.grantee in (ANYONE, query.grantee),
            number(consent.contributor),
            guardian,
        )
    passed = [(name, *bundle.places[name]) for name in bundle.sublicenses]
    keys = [(permissions_key(one), scopes_key(one)) for one in numbers]
    return Tables(
        licenses,
        np.array(passed, SUBLICENSE),
        np.array(keys, PERSON),
        [hashes_of(salt, map(license_key, bundle.held)) for salt in salts],
        [hashes_of(salt, map(person_key, numbers)) for salt in salts],
    )
