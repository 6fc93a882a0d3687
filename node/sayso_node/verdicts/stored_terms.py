"""Reads many licenses from the store into columns, without an object that outlives its batch.

The store has only verified messages in canonical encoding, so nothing is checked again. Each statement
has a transaction of its own, because licenses never change, and a long reader would keep the store's log
from being given back.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from sayso_node.errors import StoreUnusable
from sayso_node.store import messages
from sayso_node.store.interface import Store
from sayso_node.store.messages import Held
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.encoding.columns import filled
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.verdicts.license_table import HASH, Licenses, LicenseTable, Names, listed

BATCH_WEIGHT: Final = 1_048_576  # items that are read into one table
LICENSE_WEIGHT: Final = 16  # items that a license counts for besides its own
READ_AT_ONCE: Final = 1_000  # licenses
_ITEM_BYTES: Final = 2 + HASH_BYTES  # with its header


class _Terms(msgspec.Struct, array_like=True, gc=False):
    """The fields of CONSENT_FIELDS."""

    notice: str
    contributor: bytes
    parties: tuple[bytes, ...]
    grantee: bytes
    via: str
    content: bytes
    items: int
    purposes: tuple[str, ...]
    terms: bytes
    terms_uri: str
    guardian: bytes
    issued_at: int
    expires_at: int
    recheck_hours: int
    removal_days: int


class _Stored(msgspec.Struct, array_like=True, gc=False):
    """The first fields of an envelope (rule 6.2); the others are skipped."""

    version: int
    kind: int
    terms: _Terms
    items: msgspec.Raw


class LicenseBatch(NamedTuple):
    """Some licenses.

    Attributes:
        cache: Those that are held.
        erased: Those that were erased (rule 8.13), ascending.
    """

    cache: TableCache
    erased: Names


_decode = msgspec.msgpack.Decoder(_Stored).decode
_names = _Terms.__struct_fields__


def read_batches(store: Store, names: Names) -> Iterator[LicenseBatch]:
    """Read licenses by their ascending names, batch by batch; raises StoreUnusable.

    The places of all are looked up first. Then the store's file is read from its beginning to its end,
    which takes half the time of jumping to each license.
    """
    seqs, columns = array("Q"), _Columns()
    for start in range(0, len(names), READ_AT_ONCE):
        with store.read() as db:
            seqs.extend(messages.seqs_of(db, listed(names[start : start + READ_AT_ONCE])))
    places = np.sort(np.array(seqs, np.int64))
    for start in range(0, len(places), READ_AT_ONCE):
        with store.read() as db:
            columns.add([*messages.held_at(db, places[start : start + READ_AT_ONCE].tolist())])
        if columns.weight >= BATCH_WEIGHT:
            yield columns.batch()
            columns = _Columns()
    if columns.weight:
        yield columns.batch()


def read_consents(bodies: Sequence[bytes]) -> list[Consent]:
    """Return the consents of stored envelopes; raises StoreUnusable."""
    terms = [one.terms for body in bodies if (one := _read(body))]
    rows = [[getattr(one, name) for name in _names] for one in terms]
    return filled(Consent, _names, rows)


def _read(body: bytes) -> _Stored | None:
    """Decode a stored envelope; None for a tombstone."""
    if not body:
        return None
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        raise StoreUnusable(f"the store has a consent that cannot be read: {error}") from error


class _Columns:
    """Collects the fields of licenses; what is read of a license is dropped at once."""

    def __init__(self) -> None:
        self.weight = 0
        self._names, self._erased, self._arrivals = bytearray(), bytearray(), array("d")
        self._contributors, self._guardians, self._grantees = bytearray(), bytearray(), bytearray()
        self._issued, self._expires, self._rechecks = array("Q"), array("Q"), array("L")
        self._parties, self._counts, self._items = array("L"), array("L"), bytearray()
        self._purposes = list[tuple[str, ...]]()
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}  # so that equal ones are one object

    def add(self, rows: Sequence[Held]) -> None:
        """Add stored licenses and tombstones."""
        stored = [one for _, body, _ in rows if (one := _read(body))]
        terms = [one.terms for one in stored]
        counts = [one.items for one in terms]
        self.weight += LICENSE_WEIGHT * len(rows) + sum(counts)
        self._erased += b"".join([name for name, body, _ in rows if not body])
        self._names += b"".join([name for name, body, _ in rows if body])
        self._arrivals.extend([arrived_at for _, body, arrived_at in rows if body])
        self._contributors += b"".join([one.contributor for one in terms])
        self._guardians += b"".join([one.guardian for one in terms])
        self._grantees += b"".join([one.grantee for one in terms])
        self._issued.extend([one.issued_at for one in terms])
        self._expires.extend([one.expires_at for one in terms])
        self._rechecks.extend([one.recheck_hours for one in terms])
        self._purposes += [self._known.setdefault(one.purposes, one.purposes) for one in terms]
        self._parties.extend([len(one.parties) for one in terms])
        self._counts.extend(counts)
        self._items += _joined([one.items for one in stored], counts)

    def batch(self) -> LicenseBatch:
        """Return what was added."""
        names = np.sort(np.frombuffer(bytes(self._names), HASH))
        table = LicenseTable(
            Licenses(
                names=self._names,
                contributors=self._contributors,
                guardians=self._guardians,
                grantees=self._grantees,
                issued=self._issued,
                expires=self._expires,
                rechecks=self._rechecks,
                purposes=self._purposes,
                parties=self._parties,
                counts=self._counts,
                items=self._items,
            )
        )
        cache = TableCache(
            table, np.array(self._arrivals, np.float64), names, np.zeros(len(names), np.int64)
        )
        return LicenseBatch(cache, np.sort(np.frombuffer(bytes(self._erased), HASH)))


def _joined(arrays: Sequence[msgspec.Raw], counts: Sequence[int]) -> bytes:
    """Return the item hashes of encoded arrays, without the headers of arrays and items."""
    parts = zip(map(bytes, arrays), counts, strict=True)
    bodies = [one[-count * _ITEM_BYTES :] for one, count in parts]
    rows = np.frombuffer(b"".join(bodies), np.uint8).reshape(-1, _ITEM_BYTES)
    return rows[:, -HASH_BYTES:].tobytes()
