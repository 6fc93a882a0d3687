"""Removals and disputes: what the shop has to remove by when, and who licenses what is not theirs.

One removal names the licenses of many people, sorted by hash, so that it does not show what lay
together. It is signed when so many people are in it, or when a due date is near.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select, update

from sayso.errors import NothingToState
from sayso.holder.drafts import NOTHING, Draft
from sayso.holder.hashes import sorted_once
from sayso.holder.withdrawing import withdrawals
from sayso.marketplace.deeds import DISPUTED, ShopSigner, asked_for, do, done_before, end, names_of, sign
from sayso.marketplace.outbox import put, signed_for
from sayso.marketplace.tables import DAY_S, consents, revoked
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import DISPUTE, REVOCATION
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, Dispute, contributor_hash
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.primitives import hex_text

MIXED_PEOPLE: Final = 8  # in one removal, unless a due date is near
NEAR_S: Final = 3 * DAY_S
REMOVALS: Final = "removal"  # the beginning of the references of removals


@dataclass(frozen=True)
class Duty:
    """Duty is a permission that was taken back, and what it asks of the shop.

    Attributes:
        number: Names the duty.
        license, item: The hashes, 32 bytes each.
        purpose: The purpose that is revoked.
        due_at: When the removal has to be confirmed, seconds since the epoch.
        is_removed: Whether the shop has removed what it asks for.
    """

    number: int
    license: bytes
    item: bytes
    purpose: str
    due_at: float
    is_removed: bool


def duties(db: Connection) -> list[Duty]:
    """Return the duties that no removal confirms yet, the most urgent first."""
    asked = select(revoked).where(revoked.c.confirmed.is_(None))
    return [
        Duty(one.id, one.license, one.item, one.purpose, one.due_at, one.removed_at is not None)
        for one in db.execute(asked.order_by(revoked.c.due_at, revoked.c.id))
    ]


def note_removed(db: Connection, numbers: Sequence[int], now: float) -> int:
    """Note that the shop removed what duties ask for; returns how many were open."""
    changed = 0
    for one in numbers:
        change = update(revoked).where(revoked.c.id == one, revoked.c.removed_at.is_(None))
        changed += db.execute(change.values(removed_at=now)).rowcount
    return changed


def ready_licenses(db: Connection) -> dict[bytes, float]:
    """Return the licenses all of whose open duties are done, with the first due date of each."""
    asked = select(revoked.c.license, func.min(revoked.c.due_at).label("due_at")).where(
        revoked.c.confirmed.is_(None)
    )
    done = func.count() == func.count(revoked.c.removed_at)
    found = db.execute(asked.group_by(revoked.c.license).having(done))
    return {one.license: one.due_at for one in found}


def confirm(
    db: Connection,
    licenses: Sequence[bytes],
    block: int,
    signer: ShopSigner,
    now: float,
    people: int,
) -> list[Envelope]:
    """Sign removals of these licenses up to a block, if they mix enough people or one is near due."""
    due = ready_licenses(db)
    chosen = [one for one in licenses if one in due]
    if not chosen:
        return []
    owners = {
        db.execute(select(consents.c.contributor).where(consents.c.license == one)).scalar()
        for one in chosen
    }
    if len(owners) < people and min(due[one] for one in chosen) - now > NEAR_S:
        return []
    template = Removal(signer.address, NOTHING, 1, as_of_block=block, record=NOTHING)
    made = [signer.sign(*one) for one in Draft(template, sorted_once(chosen)).messages()]
    for one in made:
        put(db, [one], f"{REMOVALS} {hex_text(one.digest)}")
        for name in one.items:
            open_ = (revoked.c.license == name) & revoked.c.confirmed.is_(None)
            db.execute(update(revoked).where(open_).values(confirmed=one.digest))
    return made


def dispute(
    db: Connection,
    reference: str,
    contributors: Sequence[bytes],
    code: str,
    expires_at: int,
    signer: ShopSigner,
    now: int,
) -> list[Envelope]:
    """Dispute contributors, once for each reference, and take what they license out of stock."""
    people = sorted({hex_text(one) for one in contributors})
    asked = asked_for(DISPUTED, contributors=people, code=code, expires_at=expires_at)
    if done_before(db, reference, asked):
        return signed_for(db, reference, signer.network, DISPUTE)
    template = Dispute(
        signer=signer.address,
        content=NOTHING,
        count=1,
        subject=CONTRIBUTORS,
        code=code,
        issued_at=now,
        expires_at=expires_at,
    )
    hashes = sorted_once(contributor_hash(one) for one in contributors)
    do(db, reference, DISPUTED, asked, [(one, b"") for one in contributors], expires_at=expires_at)
    return sign(db, Draft(template, hashes), reference, signer)


def lift(db: Connection, reference: str, signer: ShopSigner) -> list[Envelope]:
    """Withdraw a dispute, after which its people are in stock again; raises NothingToState."""
    disputes = signed_for(db, reference, signer.network, DISPUTE)
    if not disputes or not names_of(db, reference):
        raise NothingToState(f"the shop disputed nobody under the reference {reference!r}")
    if not signed_for(db, reference, signer.network, REVOCATION):
        end(db, reference)
        revocations = withdrawals(signer.address, (one.digest for one in disputes))
        put(db, [signer.sign(one) for one in revocations], reference)
    return signed_for(db, reference, signer.network, REVOCATION)
