"""What the shop does once under a reference of its own: a sale, a dispute, a confirmed removal.

The reference is the shop's number of the order or case. Doing it again under the same reference returns
what was signed the first time; a reference that meant something else is refused. So a shop that was
killed simply does everything again.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, select, update

from sayso.contributor.licensing import Account, sign_message
from sayso.errors import OtherStatements
from sayso.holder.drafts import Draft
from sayso.marketplace.outbox import known, put, signed_for
from sayso.marketplace.tables import deeds, insert_once, named
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.network import Network
from sayso_protocol.primitives import NOBODY, sha256

SALE: Final = "sale"  # kinds of deeds
DISPUTED: Final = "dispute"


@dataclass(frozen=True)
class ShopSigner:
    """ShopSigner is the shop's key on its network; `address` has 20 bytes."""

    account: Account
    address: bytes
    network: Network

    def sign(self, message: Message, hashes: tuple[bytes, ...] = ()) -> Envelope:
        """Sign a message of the shop; raises the errors of `sign_message`."""
        return sign_message(self.account, message, self.network, hashes)


def asked_for(kind: str, **what: Any) -> bytes:
    """Return the SHA-256 of what is asked for, 32 bytes; values are JSON."""
    return sha256(json.dumps([kind, what], sort_keys=True).encode())


def done_before(db: Connection, reference: str, asked: bytes) -> bool:
    """Return whether exactly this was done under the reference; raises OtherStatements."""
    row = db.execute(select(deeds.c.asked).where(deeds.c.reference == reference)).scalar()
    if row is not None and row != asked:
        raise OtherStatements(f"something else was signed under the reference {reference!r}")
    return row is not None


def do(
    db: Connection,
    reference: str,
    kind: str,
    asked: bytes,
    names: Iterable[tuple[bytes, bytes]],
    *,
    grantee: bytes = NOBODY,
    purposes: Sequence[str] = (),
    expires_at: int = 0,
) -> None:
    """Write down what is done, and about which licenses and items."""
    row = {"reference": reference, "kind": kind, "asked": asked, "grantee": grantee}
    more = {"purposes": ",".join(purposes), "expires_at": expires_at, "is_over": False}
    insert_once(db, deeds, [row | more])
    insert_once(
        db,
        named,
        [{"reference": reference, "license": one, "item": item} for one, item in names],
    )


def end(db: Connection, reference: str) -> None:
    """Note that a deed is over."""
    db.execute(update(deeds).where(deeds.c.reference == reference).values(is_over=True))


def names_of(db: Connection, reference: str) -> list[tuple[bytes, bytes]]:
    """Return the licenses and items of a deed, in order."""
    asked = select(named.c.license, named.c.item).where(named.c.reference == reference)
    return [(one.license, one.item) for one in db.execute(asked.order_by(named.c.item, named.c.license))]


def sign(db: Connection, draft: Draft, reference: str, signer: ShopSigner) -> list[Envelope]:
    """Sign the messages of a draft and put them into the outbox; returns all of the reference.

    Two orders of one second may ask for the same. Then the later one is dated a second earlier, so that
    each has messages of its own, and one that is withdrawn leaves the other.
    """
    made = [signer.sign(*one) for one in draft.messages()]
    template = draft.template
    while isinstance(template, Dispute | Sublicense) and known(db, [one.digest for one in made]):
        template = replace(template, issued_at=template.issued_at - 1)
        made = [signer.sign(*one) for one in replace(draft, template=template).messages()]
    put(db, made, reference)
    return signed_for(db, reference, signer.network, template.kind)
