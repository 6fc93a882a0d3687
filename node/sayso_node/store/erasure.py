"""Erases revoked consents, but not the fact that they were revoked (rule 8.13).

A tombstone with the license hash and the contributor remains. Bits, known addresses and words stay, so
the state digest does not change, and a new consent on the same terms is revoked as well.
"""

from sayso_node.errors import NotFound, NotRevoked
from sayso_node.store import messages
from sayso_node.store.bits import bits_of
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.sync_index import change_sums, digest_change
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import CONSENT, as_kind
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, is_revoked


def erase(db: Writing, network: Network, license_hash: bytes) -> None:
    """Replace a consent by a tombstone.

    Raises:
        NotFound: The store has no such consent.
        NotRevoked: A permission of it is not revoked.
    """
    stored = messages.consent(db, license_hash)
    if stored is None:
        raise NotFound("this node has no license with this hash")
    envelope = decode(stored.body, network)
    consent = as_kind(envelope.message, Consent)
    held, known = License(consent, envelope.items), _Bits(db, consent)
    for item in envelope.items:
        for purpose in consent.purposes:
            if not is_revoked(known, held, item, Query(consent.grantee, purpose)):
                raise NotRevoked(f"0x{item.hex()} may still be used for {purpose}")
    seq = stored.seq
    db.executemany("DELETE FROM items WHERE item = ? AND seq = ?", ((one, seq) for one in held.items))
    change_sums(db, CONSENT, [digest_change(license_hash, -1)])
    db.execute("UPDATE messages SET kind = ?, body = ? WHERE seq = ?", (messages.ERASED, b"", seq))


def is_erased(db: Reading, license_hash: bytes) -> bool:
    """Return whether this license was erased; every row that names it is revoked."""
    query = "SELECT 1 FROM messages WHERE digest = ? AND kind = ?"
    return db.execute(query, (license_hash, messages.ERASED)).fetchone() is not None


class _Bits:
    """The bits of a consent's people, each read once."""

    def __init__(self, db: Reading, consent: Consent) -> None:
        self._bits = {address: bits_of(db, address) for address in consent.revokers}

    def bits(self, address: bytes) -> Masks:
        """See KnownBits."""
        return self._bits[address]
