"""Finds the consents of a party on an item of several people, without reading anybody else's (rule 8.7).

The key is a hash of item, list of parties, party and grantee, so that only a party of the list can add
consents under it. Of these the ones that expire last come first, and at most CONSIDERED are read: a
party that makes thousands of consents on an item slows nobody down (rule 8.7.3).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import ANYONE, sha256
from sayso_protocol.verdicts.verdict import Sought

CONSIDERED: Final = 16  # consents of one party for one grantee
CLAIM_BYTES: Final = 16  # nobody finds a second text with the hash of somebody else's key


def add(db: Writing, consents: Iterable[tuple[bytes, Consent, Sequence[bytes]]]) -> None:
    """Make consents, given with license hash and items, findable; those of one person are left out."""
    rows = (
        (claim_of(item, one.parties, one.contributor, one.grantee), one.expires_at, license_hash)
        for license_hash, one, items in consents
        if len(one.parties) > 1
        for item in items
    )
    many.insert(db, "INTO shared_claims", rows, "ON CONFLICT DO NOTHING")


def remove(db: Writing, license_hash: bytes, consent: Consent, items: Sequence[bytes]) -> None:
    """Remove a consent."""
    if len(consent.parties) > 1:
        keys = (claim_of(one, consent.parties, consent.contributor, consent.grantee) for one in items)
        change = "DELETE FROM shared_claims WHERE claim = ? AND expires_at = ? AND license = ?"
        db.executemany(change, ((key, consent.expires_at, license_hash) for key in keys))


def considered(db: Reading, sought: Sought) -> Iterator[bytes]:
    """Return the license hashes of consents that match and have not expired."""
    for grantee in dict.fromkeys((ANYONE, sought.query.grantee)):
        key = claim_of(sought.item, sought.parties, sought.contributor, grantee)
        rows = db.execute(
            "SELECT license FROM shared_claims WHERE claim = ? AND expires_at > ?"
            " ORDER BY expires_at DESC, license DESC LIMIT ?",
            (key, sought.now, CONSIDERED),
        )
        yield from [license_hash for (license_hash,) in rows]


def claim_of(item: bytes, parties: Sequence[bytes], contributor: bytes, grantee: bytes) -> bytes:
    """Return the key under which the consents of a party on an item are found."""
    return sha256(item + contributor + grantee + b"".join(parties))[:CLAIM_BYTES]
