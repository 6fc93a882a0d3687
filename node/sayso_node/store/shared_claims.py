"""Finds the consents of a party on an item of several people, without reading anybody else's (rule 8.7).

The key is a hash of item, list of parties, party and grantee, so that only a party of the list can add
consents under it. Of these the ones that expire last come first, and at most CONSIDERED are read: a
party that makes thousands of consents on an item slows nobody down (rule 8.7.3). Consents that may be
passed on have a second key, for askers who are not the grantee.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import ADDRESS_BYTES, ANYONE, sha256
from sayso_protocol.verdicts.covering import RESALE
from sayso_protocol.verdicts.verdict import Sought

CONSIDERED: Final = 16  # consents of one party for one grantee, or passed on to one asker
PASSABLE: Final = (
    256  # consents of one party to anybody else, among which those passed on are looked for
)
_ANYBODY: Final = b"\0" * (ADDRESS_BYTES + 1)  # in place of a grantee; no address is so long
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
        may_pass = RESALE in one.purposes and one.grantee != ANYONE
        grantees = (one.grantee, _ANYBODY) if may_pass else (one.grantee,)
        keys = [
            claim_of(item, one.parties, one.contributor, grantee)
            for grantee in grantees
            for item in self.items
        ]
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
    """Return the license hashes of consents that match and have not expired, each once."""
    for grantee in dict.fromkeys((ANYONE, sought.query.grantee)):
        key = claim_of(sought.item, sought.parties, sought.contributor, grantee)
        rows = db.execute(
            "SELECT license FROM shared_claims WHERE claim = ? AND expires_at > ?"
            " ORDER BY expires_at DESC, license DESC LIMIT ?",
            (key, sought.now, CONSIDERED),
        )
        yield from [license_hash for (license_hash,) in rows]
    yield from _passed_on(db, sought)


def _passed_on(db: Reading, sought: Sought) -> list[bytes]:
    """Return those that are to somebody else and were passed on to the asker."""
    asker = sought.query.grantee
    key = claim_of(sought.item, sought.parties, sought.contributor, _ANYBODY)
    rows = db.execute(
        "SELECT near.license FROM (SELECT license, expires_at FROM shared_claims"
        "  WHERE claim = ? AND expires_at > ? ORDER BY expires_at DESC, license DESC LIMIT ?) AS near"
        " CROSS JOIN grants WHERE grants.license = near.license"
        " AND EXISTS (SELECT 1 FROM passed_on WHERE passed_on.license = grants.number"
        "  AND passed_on.grantee = ? AND counts = 1) AND grants.grantee <> ?"
        " ORDER BY near.expires_at DESC, near.license DESC LIMIT ?",
        (key, sought.now, PASSABLE, asker, asker, CONSIDERED),
    )
    return [license_hash for (license_hash,) in rows]


def list_of(item: bytes, parties: Sequence[bytes]) -> bytes:
    """Return the key under which all consents with a list of parties on an item are found."""
    return sha256(item + b"".join(parties))[:CLAIM_BYTES]


def claim_of(item: bytes, parties: Sequence[bytes], contributor: bytes, grantee: bytes) -> bytes:
    """Return the key under which the consents of a party on an item are found."""
    return sha256(item + contributor + grantee + b"".join(parties))[:CLAIM_BYTES]
