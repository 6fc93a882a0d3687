"""Which revocations are kept for ever (rules 7.12 and 7.13).

A wallet costs nothing, so anybody can sign any number of revocations. Kept are those that can matter
here: of a word of a held consent, of any scope of somebody known, or of what is on chain, too. Others
wait until they matter.
"""

from collections.abc import Iterable
from enum import StrEnum

from sayso_node.store import messages
from sayso_node.store.admission import pending
from sayso_node.store.admission.pending import Heard, PendingRoom
from sayso_node.store.bits import CHAIN, SIGNED, is_known, masks_at, merge_bits
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.messages import Message
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES


class Admitted(StrEnum):
    """What became of a message."""

    STORED = "stored"
    COVERED = "covered"  # its digest is known, or it brings no bit that no stored message carries
    HELD = "held"  # it waits
    WAITING = "waiting"  # it waited already
    DECLINED = "declined"  # there is no room for more of this sponsor


def admit(db: Writing, envelope: Envelope, source: str, now: float, room: PendingRoom) -> Admitted:
    """Keep a verified revocation, or let it wait."""
    message = as_kind(envelope.message, Revocation)
    heard = Heard(envelope.digest, message.contributor, encode(envelope), message.bits)
    pending.lift_mark(db, heard)
    if messages.is_known(db, heard.digest) or not _is_news(db, heard):
        return Admitted.COVERED
    if _matters(db, heard):
        _store(db, heard, now)
        return Admitted.STORED
    return Admitted.HELD if pending.hold(db, heard, source, now, room) else Admitted.WAITING


def add_chain_bits(db: Writing, address: bytes, bits: Masks, now: float) -> bool:
    """Bits were seen on chain; True if any was new there."""
    news = merge_bits(db, address, bits, source=CHAIN, now=now)
    if news:
        promote(db, [address], now)
    return news


def promote(db: Writing, signers: Iterable[bytes], now: float) -> None:
    """More is known of some: what waited of theirs and matters now is kept.

    What is covered by another message is merely released.
    """
    for heard in pending.of_signers(db, signers):
        if _matters(db, heard):
            pending.release(db, heard.digest)
            if _is_news(db, heard):
                _store(db, heard, now)


def _store(db: Writing, heard: Heard, now: float) -> None:
    message = Message(heard.digest, REVOCATION, heard.signer, heard.body)
    messages.insert(db, message, now)
    merge_bits(db, heard.signer, heard.bits, source=SIGNED, now=now, digest=heard.digest)


def _is_news(db: Reading, heard: Heard) -> bool:
    """Whether it has a bit that no stored message carries: a fork may take away what the chain has."""
    return any(mask & ~masks_at(db, heard.signer, word)[0] for word, mask in heard.bits.items())


def _matters(db: Reading, heard: Heard) -> bool:
    return (
        (_has_scope(heard.bits) and is_known(db, heard.signer))
        or any(_is_licensed(db, heard.signer, word) for word in heard.bits)
        or _on_chain(db, heard.signer, heard.bits)
    )


def _has_scope(bits: Masks) -> bool:
    return any(word & SCOPE_FLAG for word in bits)


def _is_licensed(db: Reading, address: bytes, word: int) -> bool:
    """Whether the word holds permissions of a held consent: they begin at a multiple of 64 (5.5)."""
    base = word - word % LIMITS.words
    query = "SELECT words FROM terms WHERE address = ? AND base = ?"
    row = db.execute(query, (address, base.to_bytes(HASH_BYTES))).fetchone()
    return row is not None and word - base < row[0]


def _on_chain(db: Reading, address: bytes, bits: Masks) -> bool:
    return not any(mask & ~masks_at(db, address, word)[1] for word, mask in bits.items())
