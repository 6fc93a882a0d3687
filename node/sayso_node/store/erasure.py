"""Erases revoked consents, but not the fact that they were revoked (rule 8.13).

A tombstone with the license hash and the contributor remains, and the terms that a trace needs. Bits,
known addresses and words stay, so the state digest does not change, and a new consent on the same terms
is revoked as well.

A consent is erased once a final block dates each of its revocations. Before that, a scope of a single
file that comes later could still start the clock of a removal, and nobody could say of which item.
"""

from collections.abc import Sequence

from sayso_node.errors import NotDated, NotFound, NotRevoked
from sayso_node.store import messages, shared_claims
from sayso_node.store.chain import block_dates
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.store.shared_claims import Placed
from sayso_node.store.statements.licenses import Licensed, keep_terms, licensed
from sayso_node.store.statements.moments import StoreMoments
from sayso_node.store.sync.index import change_sums, digest_change
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import WORD_BITS
from sayso_protocol.traces.landings import UNDATED, Landings
from sayso_protocol.verdicts.bulk import revoked_masks


def erase(db: Writing, network: Network, license_hash: bytes) -> None:
    """Replace a consent by a tombstone, and keep of its terms what a trace needs.

    Raises:
        NotFound: The store has no such consent.
        NotRevoked: A permission of it is not revoked.
        NotDated: No final block says since when a permission of it is revoked.
    """
    held, _ = erasable(db, network, license_hash)
    seq = next(messages.seqs_of(db, [license_hash]))
    keep_terms(db, held)
    db.executemany("DELETE FROM items WHERE item = ? AND seq = ?", ((one, seq) for one in held.items))
    shared_claims.remove(db, Placed(seq, license_hash, held.consent, held.items))
    messages.bury(db, seq)
    change_sums(db, CONSENT, [digest_change(license_hash, -1)])


def erasable(db: Reading, network: Network, license_hash: bytes) -> tuple[Licensed, int]:
    """Return a consent that may be erased, and the height of the last block that revoked any of it.

    Raises as `erase` does.
    """
    held = licensed(db, network, license_hash)
    if held is None or held.files is not None:
        raise NotFound("this node has no license with this hash")
    consent, items = held.consent, held.items
    if (left := _allowed(StoreBits(db), consent, items)) is not None:
        item, purpose = divmod(left, len(consent.purposes))
        raise NotRevoked(f"0x{items[item].hex()} may still be used for {consent.purposes[purpose]}")
    final = block_dates.final(db)
    moments = StoreMoments(db, network, final.number if final else -1)
    landed = Landings(consent, items, moments).of(consent.grantee, consent.purposes)
    if landed[-1].block == UNDATED:
        raise NotDated(f"no final block says yet since when 0x{license_hash.hex()} is revoked")
    return held, landed[-1].block


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
