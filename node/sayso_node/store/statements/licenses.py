"""A license as a trace reads it: a held consent, or what an erased one has left (rule 8.13.8).

Of an erased consent there are its people, domain, purposes, dates, agreement and number of items, and
the words of those scopes of single files that had revoked one. The words stand in the contributor's or
guardian's bits anyway; here each has the position of its item. Item hashes and their root, the other
parties, the license text and the signature are gone.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgpack

from sayso_node.store import messages
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_protocol.encoding.columns import filled
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, NOBODY
from sayso_protocol.traces.landings import Files
from sayso_protocol.verdicts.covering import ITEM, Cover, covering
from sayso_protocol.verdicts.known_bits import set_places
from sayso_protocol.verdicts.query import Query

_NAMES: Final = (
    "contributor",
    "grantee",
    "guardian",
    "via",
    "items",
    "purposes",
    "issued_at",
    "expires_at",
    "removal_days",
    "agreement",
)


class Licensed(NamedTuple):
    """A license that is held, or was.

    Attributes:
        license: Its hash, 32 bytes.
        consent: The consent; of an erased one, only what is kept, and the contributor as its party.
        items: Its item hashes in their order; empty ones of an erased consent.
        files: See Landings; None unless it was erased.
        arrived_at: When this node kept it, seconds since the epoch.
    """

    license: bytes
    consent: Consent
    items: Sequence[bytes]
    files: Files | None
    arrived_at: float

    @property
    def permissions(self) -> int:
        """Return the number of pairs of an item and a purpose."""
        return self.consent.items * len(self.consent.purposes)


def licensed(db: Reading, network: Network, license_hash: bytes) -> Licensed | None:
    """Return a license that is held or was erased, None for another; raises StoreDamaged."""
    if stored := messages.consent(db, license_hash):
        envelope = decode(stored.body, network)
        consent = as_kind(envelope.message, Consent)
        return Licensed(license_hash, consent, envelope.items, None, stored.arrived_at)
    row = db.execute("SELECT terms FROM erased WHERE license = ?", (license_hash,)).fetchone()
    tombstone = messages.erased(db, license_hash) if row else None
    if row is None or tombstone is None:
        return None
    terms, files = msgpack.unpackb(row[0], use_list=False)
    (consent,) = filled(Consent, (*_NAMES, "parties"), [(*terms, terms[:1])])
    found = {
        (address, scope): {at: int.from_bytes(word) for at, word in words}
        for address, scope, words in files
    }
    return Licensed(license_hash, consent, [b""] * consent.items, found, tombstone.arrived_at)


def keep_terms(db: Writing, one: Licensed) -> None:
    """Keep what a trace needs of a consent that is erased."""
    terms = [getattr(one.consent, name) for name in _NAMES]
    kept = msgpack.packb([terms, [*_files(db, one)]])
    db.execute("INSERT INTO erased VALUES (?, ?)", (one.license, kept))


def _files(db: Reading, one: Licensed) -> Iterator[tuple[bytes, str, list[tuple[int, bytes]]]]:
    """Yield by address and scope the positions of items whose scope is set, each with its word."""
    known = StoreBits(db)
    covers: dict[tuple[bytes, str], Cover] = {}
    for purpose in one.consent.purposes:
        for cover in covering(one.consent, Query(NOBODY, purpose)):
            if cover.scope and ITEM in cover.scope:
                covers[cover.address, cover.scope] = cover
    for (address, scope), cover in covers.items():
        if known.has_scopes(address):
            places = [cover.at(one.consent, at, item) for at, item in enumerate(one.items)]
            flags = set_places(known, places)
            words = [
                (at, places[at].word.to_bytes(HASH_BYTES)) for at, is_set in enumerate(flags) if is_set
            ]
            if words:
                yield address, scope, words
