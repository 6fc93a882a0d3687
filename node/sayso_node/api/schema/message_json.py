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
    SublicenseFields,
    UseFields,
    reader,
    signed,
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
from sayso_protocol.primitives import address_from_text
from sayso_protocol.receipts.json_values import values_of

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
    values = values_of(fields)
    values.pop("signature", None)
    items = values.pop("items")
    values["parties"] = values["parties"] or (values["contributor"],)
    consent = Consent(content=content_root(items), items=len(items), **values)
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
    SUBLICENSE: Form(
        "sublicenses", "passOn", SublicenseFields, signed(SublicenseFields), reader(SUBLICENSE)
    ),
    USE: Form("uses", "use", UseFields, signed(UseFields), reader(USE)),
    REMOVAL: Form("removals", "remove", RemovalFields, signed(RemovalFields), reader(REMOVAL)),
    DISPUTE: Form("disputes", "dispute", DisputeFields, signed(DisputeFields), reader(DISPUTE)),
}
check_rows(FORMS, "JSON forms")
