"""Reads many licenses from the store into columns, without an object that outlives its batch.

The store has only verified messages in canonical encoding, so nothing is checked again. Each statement
has a transaction of its own, because licenses never change, and a long reader would keep the store's log
from being given back.
"""

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


class _Stored(msgspec.Struct, array_like=True, gc=False):
    """The first fields of an envelope (rule 6.2); the others are skipped."""

    version: int
    kind: int
    terms: _Terms
    items: msgspec.Raw


class Batch(NamedTuple):
    """Some licenses.

    Attributes:
        cache: Those that are held.
        erased: Those that were erased (rule 8.13), ascending.
    """

    cache: TableCache
    erased: Names


_decode = msgspec.msgpack.Decoder(_Stored).decode
_names = _Terms.__struct_fields__


def read_batches(store: Store, names: Names) -> Iterator[Batch]:
    """Read licenses by their ascending names, batch by batch; raises StoreUnusable."""
    rows, weight = list[tuple[Held, _Stored | None]](), 0
    for start in range(0, len(names), READ_AT_ONCE):
        part = listed(names[start : start + READ_AT_ONCE])
        with store.read() as db:
            found = [(one, _read(one.body)) for one in messages.held_of(db, part)]
        rows += found
        weight += sum(LICENSE_WEIGHT + (one.terms.items if one else 0) for _, one in found)
        if weight >= BATCH_WEIGHT:
            yield _batch(rows)
            rows, weight = [], 0
    if rows:
        yield _batch(rows)


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


def _batch(rows: Sequence[tuple[Held, _Stored | None]]) -> Batch:
    held = [(row, one.terms, one.items) for row, one in rows if one]
    names = b"".join([row.name for row, _, _ in held])
    terms = [one for _, one, _ in held]
    counts = [one.items for one in terms]
    table = LicenseTable(
        Licenses(
            names=names,
            contributors=b"".join([one.contributor for one in terms]),
            guardians=b"".join([one.guardian for one in terms]),
            grantees=b"".join([one.grantee for one in terms]),
            issued=[one.issued_at for one in terms],
            expires=[one.expires_at for one in terms],
            purposes=[one.purposes for one in terms],
            parties=[len(one.parties) for one in terms],
            counts=counts,
            items=_joined([bytes(items) for _, _, items in held], counts),
        )
    )
    erased = b"".join(sorted(row.name for row, one in rows if one is None))
    cache = TableCache(
        table,
        np.array([row.arrived_at for row, _, _ in held], np.float64),
        np.sort(np.frombuffer(names, HASH)),
    )
    return Batch(cache, np.frombuffer(erased, HASH))


def _joined(arrays: Sequence[bytes], counts: Sequence[int]) -> bytes:
    """Return the item hashes of encoded arrays, without the headers of arrays and items."""
    bodies = [one[-count * _ITEM_BYTES :] for one, count in zip(arrays, counts, strict=True)]
    rows = np.frombuffer(b"".join(bodies), np.uint8).reshape(-1, _ITEM_BYTES)
    return rows[:, -HASH_BYTES:].tobytes()
