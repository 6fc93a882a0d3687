"""Decides which revocations are stored for good (rules 7.12 and 7.13).

A wallet costs nothing, so anybody can sign any number of revocations. A revocation is stored if it
concerns a word of a held consent, a scope of a known address that has room for it, or bits that are on
chain. Any other is pending until it does. A known address whose scopes find no room is marked, because
one of them may stop a use.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

from sayso_node.store import messages
from sayso_node.store.admission import loose_words, marks, pending
from sayso_node.store.admission.marks import Dropped, MarkLimits
from sayso_node.store.admission.pending import Heard, PendingRoom
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.messages import Message
from sayso_node.store.revocations.bits import CHAIN, SIGNED, is_known, masks_at, merge_bits
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import Masks

_LIMITS: Final = PendingRoom().for_marks


class Admitted(StrEnum):
    """The outcome of an admission."""

    STORED = "stored"
    COVERED = "covered"  # its digest is known, or stored messages carry all its bits
    HELD = "held"  # it is pending now
    WAITING = "waiting"  # it was pending already
    DECLINED = "declined"  # the sponsor's quota is full


def admit(
    db: Writing,
    envelope: Envelope,
    source: str,
    now: float,
    room: PendingRoom,
    heeded: Collection[bytes] = (),
) -> Admitted:
    """Store a verified revocation, or make it pending; `heeded` addresses are known (rule 7.12)."""
    message = as_kind(envelope.message, Revocation)
    heard = Heard(envelope.digest, message.contributor, encode(envelope), message.bits)
    pending.lift_mark(db, heard)
    if messages.is_known(db, heard.digest) or not _is_news(db, heard):
        return Admitted.COVERED
    if _matters(db, heard) or (heard.signer in heeded and _has_scope(heard.bits)):
        _store(db, heard, now)
        return Admitted.STORED
    _mark_if_crowded(db, heard, source, now, room.for_marks)
    return Admitted.HELD if pending.hold(db, heard, source, now, room) else Admitted.WAITING


def add_chain_bits(db: Writing, address: bytes, bits: Masks, now: float) -> bool:
    """Add bits that were seen on chain; returns whether any of them was new there."""
    news = merge_bits(db, address, bits, source=CHAIN, now=now)
    if news:
        promote(db, [address], now)
    return news


def promote(
    db: Writing,
    signers: Iterable[bytes],
    now: float,
    limits: MarkLimits = _LIMITS,
    heeded: Collection[bytes] = (),
) -> None:
    """Store the pending revocations that matter now that more is known of their signers.

    A pending revocation whose bits other messages carry is removed without being stored.
    """
    for heard, source in pending.of_signers(db, signers):
        if _matters(db, heard) or (heard.signer in heeded and _has_scope(heard.bits)):
            pending.release(db, heard.digest)
            if _is_news(db, heard):
                _store(db, heard, now)
        else:
            _mark_if_crowded(db, heard, source, now, limits)


def _mark_if_crowded(db: Writing, heard: Heard, source: str, now: float, limits: MarkLimits) -> None:
    """Mark a signer whose words have no room (rule 7.12.9); no message lifts the mark."""
    if _concerns(db, heard):
        marks.leave(db, Dropped(marks.WHOLE, heard.signer, source), now, limits)


def _store(db: Writing, heard: Heard, now: float) -> None:
    loose_words.take_room(db, heard)
    message = Message(heard.digest, REVOCATION, heard.signer, heard.body)
    messages.insert(db, message, now)
    merge_bits(db, heard.signer, heard.bits, source=SIGNED, now=now, digest=heard.digest)


def _is_news(db: Reading, heard: Heard) -> bool:
    """Return whether it has a bit that no stored message carries; chain bits can vanish in a fork."""
    return any(mask & ~masks_at(db, heard.signer, word)[0] for word, mask in heard.bits.items())


def _matters(db: Reading, heard: Heard) -> bool:
    return _on_chain(db, heard.signer, heard.bits) or (
        _concerns(db, heard) and loose_words.has_room(db, heard)
    )


def _concerns(db: Reading, heard: Heard) -> bool:
    """Return whether it names a word of a held consent, or any scope of a known signer."""
    return (_has_scope(heard.bits) and is_known(db, heard.signer)) or any(
        loose_words.is_licensed(db, heard.signer, word) for word in heard.bits
    )


def _has_scope(bits: Masks) -> bool:
    return any(word & SCOPE_FLAG for word in bits)


def _on_chain(db: Reading, address: bytes, bits: Masks) -> bool:
    return not any(mask & ~masks_at(db, address, word)[1] for word, mask in bits.items())
