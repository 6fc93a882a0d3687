"""Erases revoked consents, but not the fact that they were revoked (rule 8.13).

A tombstone with the license hash and the contributor remains. Bits, known addresses and words stay, so
the state digest does not change, and a new consent on the same terms is revoked as well.
"""

from collections.abc import Sequence

from sayso_node.errors import NotFound, NotRevoked
from sayso_node.store import messages, shared_claims
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.store.shared_claims import Placed
from sayso_node.store.sync.index import change_sums, digest_change
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import CONSENT, as_kind
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import WORD_BITS
from sayso_protocol.verdicts.bulk import revoked_masks


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
    if (left := _allowed(StoreBits(db), consent, envelope.items)) is not None:
        item, purpose = divmod(left, len(consent.purposes))
        raise NotRevoked(
            f"0x{envelope.items[item].hex()} may still be used for {consent.purposes[purpose]}"
        )
    items = envelope.items
    seq = stored.seq
    db.executemany("DELETE FROM items WHERE item = ? AND seq = ?", ((one, seq) for one in items))
    shared_claims.remove(db, Placed(seq, license_hash, consent, items))
    messages.bury(db, seq)
    change_sums(db, CONSENT, [digest_change(license_hash, -1)])


def is_erased(db: Reading, license_hash: bytes) -> bool:
    """Return whether this license was erased; every row that names it is revoked."""
    query = "SELECT 1 FROM messages WHERE digest = ? AND kind = ?"
    return db.execute(query, (license_hash, messages.ERASED)).fetchone() is not None


def _allowed(known: StoreBits, consent: Consent, items: Sequence[bytes]) -> int | None:
    """Return the number of the first permission that is not revoked (rule 5.5), or None."""
    permissions = len(items) * len(consent.purposes)
    masks = revoked_masks(known, consent, items)
    revoked = sum(mask << WORD_BITS * at for at, mask in enumerate(masks))
    left = ((1 << permissions) - 1) & ~revoked
    return (left & -left).bit_length() - 1 if left else None
