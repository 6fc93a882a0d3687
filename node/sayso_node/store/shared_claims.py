"""Finds the consents of a party on an item of several people, without reading anybody else's (rule 8.7).

The key is a hash of item, list of parties, party and grantee, so that only a party of the list can add
consents under it. Of these the ones that expire last come first, and at most CONSIDERED are read: a
party that makes thousands of consents on an item slows nobody down (rule 8.7.3).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import ANYONE, sha256
from sayso_protocol.verdicts.verdict import Sought

CONSIDERED: Final = 16  # consents of one party for one grantee
CLAIM_BYTES: Final = 16  # nobody finds a second text with the hash of somebody else's key


class Placed(NamedTuple):
    """A consent as it is stored: `seq`, license hash, terms and item hashes."""

    seq: int
    license: bytes
    consent: Consent
    items: Sequence[bytes]

    @property
    def claims(self) -> list[tuple[bytes, int, bytes]]:
        """Return its rows in the table of claims."""
        one = self.consent
        keys = [claim_of(item, one.parties, one.contributor, one.grantee) for item in self.items]
        return [(key, one.expires_at, self.license) for key in keys]

    @property
    def lists(self) -> list[tuple[bytes, int]]:
        """Return its rows in the table of lists."""
        return [(list_of(item, self.consent.parties), self.seq) for item in self.items]


def add(db: Writing, placed: Iterable[Placed]) -> None:
    """Make consents findable; those of one person are left out."""
    shared = [one for one in placed if len(one.consent.parties) > 1]
    many.insert(db, "INTO shared_claims", (row for one in shared for row in one.claims))
    many.insert(db, "INTO shared_items", (row for one in shared for row in one.lists))


def remove(db: Writing, placed: Placed) -> None:
    """Remove a consent."""
    change = "DELETE FROM shared_claims WHERE claim = ? AND expires_at = ? AND license = ?"
    db.executemany(change, placed.claims)
    db.executemany("DELETE FROM shared_items WHERE list = ? AND seq = ?", placed.lists)


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


def list_of(item: bytes, parties: Sequence[bytes]) -> bytes:
    """Return the key under which all consents with a list of parties on an item are found."""
    return sha256(item + b"".join(parties))[:CLAIM_BYTES]


def claim_of(item: bytes, parties: Sequence[bytes], contributor: bytes, grantee: bytes) -> bytes:
    """Return the key under which the consents of a party on an item are found."""
    return sha256(item + contributor + grantee + b"".join(parties))[:CLAIM_BYTES]
