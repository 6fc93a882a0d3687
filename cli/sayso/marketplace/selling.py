"""Sales: what is in stock is passed on to a buyer by sublicenses, which name all parties' licenses.

The order of the shop, the rows that were sold and the signed messages are in one transaction. A sale is
whole or does not happen: an item that is not in stock for every purpose stops all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from sayso.errors import NotInStock
from sayso.holder.drafts import NOTHING, Draft
from sayso.holder.hashes import sorted_once
from sayso.holder.passing import check_passing, check_room
from sayso.marketplace.deeds import SALE, ShopSigner, asked_for, do, done_before, names_of, sign
from sayso.marketplace.outbox import envelopes_of, signed_for
from sayso.marketplace.stock import in_stock
from sayso.marketplace.tables import VALUES_AT_ONCE, deeds, named, revoked, whole_seconds
from sayso_protocol.errors import InvalidStatement
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import SUBLICENSE, as_kind
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.verdicts.verdict import Row


@dataclass(frozen=True)
class Offer:
    """Offer is what a buyer gets.

    Attributes:
        grantee: The buyer, 20 bytes.
        purposes: Names of purposes; with `resale` the buyer may pass on.
        expires_at: Seconds since the epoch.
        items: Item hashes, 32 bytes each.
        terms: The license text; its SHA-256 is signed.
        terms_uri: Its `https` address.
    """

    grantee: bytes
    purposes: tuple[str, ...]
    expires_at: int
    items: tuple[bytes, ...]
    terms: str = ""
    terms_uri: str = ""

    def __post_init__(self) -> None:
        """Round the end down to a second; raises InvalidStatement if it is no time."""
        object.__setattr__(self, "expires_at", whole_seconds(self.expires_at, InvalidStatement))

    @property
    def asked(self) -> bytes:
        """Return the SHA-256 of the offer, 32 bytes."""
        return asked_for(
            SALE,
            grantee=hex_text(self.grantee),
            purposes=sorted(set(self.purposes)),
            expires_at=self.expires_at,
            items=sorted(hex_text(one) for one in set(self.items)),
            terms=self.terms,
            terms_uri=self.terms_uri,
        )


@dataclass(frozen=True)
class CompletedSale:
    """CompletedSale is what was sold under a reference.

    Attributes:
        reference: The shop's number of the order.
        rows: License and item of each row, with those of all parties.
        sublicenses: The signed sublicenses.
    """

    reference: str
    rows: tuple[Row, ...]
    sublicenses: tuple[Envelope, ...]


@dataclass(frozen=True)
class Withdrawn:
    """Withdrawn is a row of a sale that its people took back.

    Attributes:
        number: Grows with every permission that is taken back; `after` of the next question.
        reference: The order.
        row: License and item.
        purpose: The purpose that is revoked; `resale` stops every use by a buyer.
        due_at: When the removal has to be confirmed, seconds since the epoch.
    """

    number: int
    reference: str
    row: Row
    purpose: str
    due_at: float


def sell(db: Connection, reference: str, offer: Offer, signer: ShopSigner, now: int) -> CompletedSale:
    """Sell items to a buyer, once for each reference; for errors see Marketplace.sell."""
    if done_before(db, reference, offer.asked):
        return sale_of(db, reference, signer.network)
    if not offer.items:
        raise NotInStock("the offer names no item")
    found = in_stock(db, offer.purposes, now, offer.items)
    if missing := {*offer.items} - {one.item for one in found}:
        more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
        raise NotInStock(
            f"item {hex_text(min(missing))}{more} is not in stock for {', '.join(offer.purposes)}"
        )
    hashes = sorted_once(one.license for one in found)
    held = envelopes_of(db, hashes, signer.network)
    texts = {one.digest: as_kind(one.message, Consent) for one in held}
    check_passing(texts, signer.address, offer.purposes, now)
    check_room(_running(db, hashes, offer.grantee, now))
    template = Sublicense(
        signer=signer.address,
        content=NOTHING,
        count=1,
        parent=NO_PARENT,
        grantee=offer.grantee,
        purposes=tuple(sorted(set(offer.purposes))),
        terms=sha256(offer.terms.encode()) if offer.terms else NOTHING,
        terms_uri=offer.terms_uri,
        issued_at=now,
        expires_at=offer.expires_at,
    )
    names = [(one.license, one.item) for one in found]
    do(
        db,
        reference,
        SALE,
        offer.asked,
        names,
        grantee=offer.grantee,
        purposes=template.purposes,
        expires_at=offer.expires_at,
    )
    signed = sign(db, Draft(template, hashes), reference, signer)
    return CompletedSale(reference, tuple(found), tuple(signed))


def _running(db: Connection, hashes: Sequence[bytes], grantee: bytes, now: int) -> dict[bytes, int]:
    """Return how many sales of each license to a buyer still run."""
    found: dict[bytes, int] = {}
    for at in range(0, len(hashes), VALUES_AT_ONCE):
        asked = (
            select(named.c.license, func.count(named.c.reference.distinct()))
            .join(deeds, deeds.c.reference == named.c.reference)
            .where(named.c.license.in_(hashes[at : at + VALUES_AT_ONCE]))
            .where(deeds.c.kind == SALE, deeds.c.grantee == grantee, deeds.c.expires_at > now)
            .group_by(named.c.license)
        )
        found |= {one[0]: one[1] for one in db.execute(asked)}
    return found


def sale_of(db: Connection, reference: str, network: Network) -> CompletedSale:
    """Return what was sold under a reference; raises NotInStock if nothing was."""
    rows = tuple(Row(*one) for one in names_of(db, reference))
    signed = signed_for(db, reference, network, SUBLICENSE)
    if not rows or not signed:
        raise NotInStock(f"nothing was sold under the reference {reference!r}")
    return CompletedSale(reference, rows, tuple(signed))


def sold_to(db: Connection, license_: bytes) -> list[tuple[str, bytes]]:
    """Return the references and buyers of a license's sales."""
    asked = (
        select(deeds.c.reference, deeds.c.grantee)
        .join(named, named.c.reference == deeds.c.reference)
        .where(deeds.c.kind == SALE, named.c.license == license_)
        .distinct()
    )
    return [(one.reference, one.grantee) for one in db.execute(asked.order_by(deeds.c.reference))]


def withdrawn_of(db: Connection, grantee: bytes, after: int, most: int) -> list[Withdrawn]:
    """Return what was taken back of the sales to a buyer, in the order in which the shop heard of it.

    The last number is whole: what is taken back of several orders has one.
    """
    asked = (
        select(revoked, deeds.c.reference)
        .join(named, (named.c.license == revoked.c.license) & (named.c.item == revoked.c.item))
        .join(deeds, deeds.c.reference == named.c.reference)
        .where(deeds.c.kind == SALE, deeds.c.grantee == grantee, revoked.c.id > after)
        .order_by(revoked.c.id, deeds.c.reference)
    )
    found = list(db.execute(asked.limit(most)))
    if len(found) == most:
        last = revoked.c.id == found[-1].id
        found = [one for one in found if one.id != found[-1].id] + list(db.execute(asked.where(last)))
    return [
        Withdrawn(one.id, one.reference, Row(one.license, one.item), one.purpose, one.due_at)
        for one in found
    ]


def purposes_of(db: Connection, reference: str) -> Sequence[str]:
    """Return the purposes of a sale."""
    found = db.execute(select(deeds.c.purposes).where(deeds.c.reference == reference)).scalar()
    return str(found or "").split(",")
