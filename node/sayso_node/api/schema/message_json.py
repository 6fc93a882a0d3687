"""Messages as JSON objects, one form per kind: a page or script fills it in, and a wallet signs it.

The fields are those of the struct (rules 4.2 and 4.3) in snake_case, items as hashes. Words and masks
are decimal text, because JavaScript has no such large numbers. A missing field is empty, or nobody.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec import Struct

from sayso_node.api.schema.requests import (
    ConsentFields,
    RevocationFields,
    SignedConsent,
    SignedRevocation,
)
from sayso_node.api.schema.statement_json import (
    DisputeFields,
    Read,
    RemovalFields,
    SignedDispute,
    SignedRemoval,
    SignedSublicense,
    SignedUse,
    SublicenseFields,
    UseFields,
    read_dispute,
    read_removal,
    read_sublicense,
    read_use,
)
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import Malformed
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import (
    CONSENT,
    DISPUTE,
    REMOVAL,
    REVOCATION,
    SUBLICENSE,
    USE,
)
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_from_text, hash_from_text

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)


class Form(NamedTuple):
    """The JSON form of one kind of message.

    Attributes:
        path: Path for submission, below /v1/.
        verb: What a signer does by signing it.
        fields: Type of the fields to fill in.
        signed: Type of the same with `signature`, and with fields that are not signed.
        read: Turns the fields into the message and its items; raises what makes it invalid.
        company: Name of the field for envelopes that make the message known (rule 7.12), if any.
    """

    path: str
    verb: str
    fields: type[Struct]
    signed: type[Struct]
    read: Callable[[Any], Read]
    company: str = ""


def _consent(fields: ConsentFields) -> tuple[Consent, tuple[bytes, ...]]:
    """Return a consent and its items; raises the errors of its fields and of section 3."""
    contributor = address_from_text(fields.contributor)
    items = tuple(hash_from_text(one) for one in fields.items)
    consent = Consent(
        contributor=contributor,
        parties=tuple(address_from_text(one) for one in fields.parties) or (contributor,),
        grantee=address_from_text(fields.grantee),
        via=fields.via,
        content=content_root(items),
        items=len(items),
        purposes=tuple(fields.purposes),
        terms=hash_from_text(fields.terms),
        terms_uri=fields.terms_uri,
        guardian=address_from_text(fields.guardian),
        issued_at=fields.issued_at,
        expires_at=fields.expires_at,
        recheck_hours=fields.recheck_hours,
        removal_days=fields.removal_days,
    )
    consent.check_items(items)
    return consent, items


def _revocation(fields: RevocationFields) -> tuple[Revocation, tuple[bytes, ...]]:
    """Return a revocation; raises the errors of its fields and of rules 3.8 and 3.9."""
    revocation = Revocation(
        address_from_text(fields.contributor),
        tuple(fields.scopes),
        tuple(_number(one) for one in fields.words),
        tuple(_number(one) for one in fields.masks),
    )
    return revocation, ()


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Malformed("a word or a mask must be a number in decimal digits")
    return int(text)


FORMS: Final = {
    CONSENT: Form("consents", "consent", ConsentFields, SignedConsent, _consent),
    REVOCATION: Form(
        "revocations", "revoke", RevocationFields, SignedRevocation, _revocation, company="consents"
    ),
    SUBLICENSE: Form("sublicenses", "passOn", SublicenseFields, SignedSublicense, read_sublicense),
    USE: Form("uses", "use", UseFields, SignedUse, read_use),
    REMOVAL: Form("removals", "remove", RemovalFields, SignedRemoval, read_removal),
    DISPUTE: Form("disputes", "dispute", DisputeFields, SignedDispute, read_dispute),
}
check_rows(FORMS, "JSON forms")
