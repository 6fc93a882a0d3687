"""The stock: which items may be sold for which purposes, by what this shop has heard from nodes.

An item is in stock for a purpose if its consent has it and `resale`, is in force, was checked at the
nodes, nothing of it is revoked for either purpose, its contributor is not disputed by the shop, and the
same holds for a consent of every other party. Nodes judge again before anything is delivered.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select, update

from sayso.marketplace.deeds import DISPUTED
from sayso.marketplace.outbox import envelopes_of
from sayso.marketplace.tables import (
    DAY_S,
    bits,
    consents,
    deeds,
    insert_once,
    named,
    parts,
    revoked,
    rows,
)
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import WORD_BITS
from sayso_protocol.primitives import ADDRESS_BYTES
from sayso_protocol.verdicts.bulk import revoked_masks
from sayso_protocol.verdicts.covering import RESALE
from sayso_protocol.verdicts.known_bits import HeldBits
from sayso_protocol.verdicts.verdict import Row

WORD_BYTES: Final = 31
MASK_BYTES: Final = 32


@dataclass(frozen=True)
class Permission:
    """Permission is one item of a license for one purpose.

    Attributes:
        license, item: The hashes, 32 bytes each.
        purpose: The name of the purpose.
    """

    license: bytes
    item: bytes
    purpose: str


def in_stock(
    db: Connection, purposes: Collection[str], now: float, items: Collection[bytes] | None = None
) -> list[Row]:
    """Return the rows that may be sold for all of these purposes, those of all parties together.

    Args:
        db: The shop's connection.
        purposes: Names of purposes; `resale` is always added.
        now: Seconds since the epoch.
        items: Only rows of these item hashes; None for all.
    """
    wanted = sorted({RESALE, *purposes})
    asked = (
        select(rows.c.license, rows.c.item, consents.c.contributor, consents.c.parties)
        .join(consents, consents.c.license == rows.c.license)
        .where(_usable(now), *(_granted(one) for one in wanted))
        .order_by(rows.c.item, rows.c.license)
    )
    if items is None:
        found = list(db.execute(asked))
    else:
        found = [one for part in parts(items) for one in db.execute(asked.where(rows.c.item.in_(part)))]
    signed: dict[tuple[bytes, bytes], set[bytes]] = {}
    for one in found:
        signed.setdefault((one.item, one.parties), set()).add(one.contributor)
    return [
        Row(one.license, one.item)
        for one in found
        if len(signed[one.item, one.parties]) * ADDRESS_BYTES == len(one.parties)
    ]


def _disputed(who: ColumnElement[bool], now: float) -> Select[tuple[str]]:
    return (
        select(named.c.reference)
        .join(deeds, deeds.c.reference == named.c.reference)
        .where(
            who,
            deeds.c.kind == DISPUTED,
            deeds.c.is_over.is_(False),
            deeds.c.expires_at > now,
        )
    )


def split_addresses(joined: bytes) -> list[bytes]:
    """Return addresses that are kept in one column."""
    return [joined[at : at + ADDRESS_BYTES] for at in range(0, len(joined), ADDRESS_BYTES)]


def are_disputed(db: Connection, people: Collection[bytes], now: float) -> bool:
    """Return whether the shop disputes one of these people."""
    return db.execute(_disputed(named.c.license.in_(list(people)), now).limit(1)).first() is not None


def _usable(now: float) -> ColumnElement[bool]:
    disputed = _disputed(named.c.license == consents.c.contributor, now)
    return and_(
        consents.c.checked_at.is_not(None),
        consents.c.issued_at <= now,
        consents.c.expires_at > now,
        ~exists(disputed.correlate(consents)),
    )


def _granted(purpose: str) -> ColumnElement[bool]:
    taken_back = select(revoked.c.id).where(
        revoked.c.license == rows.c.license,
        revoked.c.item == rows.c.item,
        revoked.c.purpose == purpose,
    )
    return and_(
        consents.c.purposes.contains(f",{purpose},", autoescape=True),
        ~exists(taken_back.correlate(rows)),
    )


def licenses_of(db: Connection, person: bytes) -> list[bytes]:
    """Return the licenses that an address can revoke, as contributor or guardian."""
    asked = select(consents.c.license).where(
        or_(consents.c.contributor == person, consents.c.guardian == person)
    )
    return list(db.execute(asked).scalars())


def add_bit(db: Connection, address: bytes, word: int, mask: int) -> None:
    """Remember bits that an address set."""
    key = and_(bits.c.address == address, bits.c.word == word.to_bytes(WORD_BYTES))
    held = db.execute(select(bits.c.mask).where(key)).scalar()
    if held is None:
        values = {"address": address, "word": word.to_bytes(WORD_BYTES)}
        insert_once(db, bits, [values | {"mask": mask.to_bytes(MASK_BYTES)}])
    else:
        new = int.from_bytes(held) | mask
        db.execute(bits.update().where(key).values(mask=new.to_bytes(MASK_BYTES)))


def known_bits(db: Connection, addresses: Iterable[bytes]) -> HeldBits:
    """Return the remembered bits of some addresses."""
    known = HeldBits()
    for one in db.execute(select(bits).where(bits.c.address.in_(list(addresses)))):
        known.add(one.address, {int.from_bytes(one.word): int.from_bytes(one.mask)})
    return known


def newly_revoked(known: HeldBits, envelope: Envelope) -> Iterator[Permission]:
    """Yield the permissions of a consent that these bits revoke."""
    consent = as_kind(envelope.message, Consent)
    masks, purposes = revoked_masks(known, consent, envelope.items), consent.purposes
    for number in range(len(envelope.items) * len(purposes)):
        word, bit = divmod(number, WORD_BITS)
        if masks[word] >> bit & 1:
            at, which = divmod(number, len(purposes))
            yield Permission(envelope.digest, envelope.items[at], purposes[which])


def hear(db: Connection, person: bytes, word: int, mask: int, network: Network, now: float) -> None:
    """Take out of stock what bits of a person revoke of what the shop has of her."""
    if names := licenses_of(db, person):
        add_bit(db, person, word, mask)
        for held in envelopes_of(db, names, network):
            known = known_bits(db, as_kind(held.message, Consent).revokers)
            take_out(db, list(newly_revoked(known, held)), now)


def note_checked(
    db: Connection,
    gone: Sequence[Permission],
    sure: Sequence[bytes],
    unsure: Collection[bytes],
    now: float,
) -> None:
    """Take in what nodes answered; licenses that they do not know leave the stock until they do."""
    take_out(db, gone, now)
    for names, when in ((sure, now), (unsure, None)):
        for part in parts(names):
            db.execute(update(consents).where(consents.c.license.in_(part)).values(checked_at=when))


def take_out(db: Connection, gone: Sequence[Permission], now: float) -> int:
    """Take permissions out of stock for ever, each once; returns how many were new.

    The removal is due `removal_days` after the shop heard of it, which is no later than by the chain.
    """
    days = {
        one.license: one.removal_days
        for name in {one.license for one in gone}
        for one in db.execute(
            select(consents.c.license, consents.c.removal_days).where(consents.c.license == name)
        )
    }
    return insert_once(
        db,
        revoked,
        [
            {
                "license": one.license,
                "item": one.item,
                "purpose": one.purpose,
                "heard_at": now,
                "due_at": now + days[one.license] * DAY_S,
            }
            for one in gone
            if one.license in days
        ],
    )
