"""Messages as JSON objects, a form for each kind: what a page or a script fills in, and a wallet signs.

The fields are those of the struct (rules 4.2 and 4.3) in snake_case, items as hashes; words and masks
are decimal text, because JavaScript cannot hold such numbers. What is left out is empty, or nobody.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sayso_node.api.schema.schema_words import (
    ADDRESS,
    BASE64,
    COUNT,
    DECIMAL,
    HASH,
    LIST,
    PURPOSE,
    SIGNATURE,
    Schema,
    array,
    text,
)
from sayso_node.errors import BadRequest
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION, Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import (
    HASH_BYTES,
    NOBODY,
    address_from_text,
    address_text,
    hash_from_text,
    hex_text,
)

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_SIGNATURE: Final = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)
_LIST: Final = 1_024  # elements, as everywhere (rule 6.1)


class Field(NamedTuple):
    """A field of a form: its type in JSON, its schema, its value if left out; None if it is required."""

    kind: type
    schema: Schema
    default: Any = None


class Form(NamedTuple):
    """How one kind of message is filled in.

    Attributes:
        path: Where it is handed in, below /v1/.
        verb: What signing it is.
        rule: Which rule lists its fields.
        fields: What is filled in, by name.
        read: What was filled in -> the message and its items; raises what makes it invalid.
        company: A list of envelopes that may come along and make it known (rule 7.12), if there is one.
    """

    path: str
    verb: str
    rule: str
    fields: Mapping[str, Field]
    read: Callable[[Mapping[str, Any]], tuple[Message, tuple[bytes, ...]]]
    company: str = ""

    @property
    def signed(self) -> dict[str, Field]:
        """The fields with those that are not signed themselves."""
        company = {self.company: Field(list, array(BASE64, **LIST), [])} if self.company else {}
        return {**self.fields, "signature": Field(str, SIGNATURE), **company}


def read_fields(body: Any, fields: Mapping[str, Field]) -> dict[str, Any]:
    """An object with these fields, each of its type, lists of texts only; raises BadRequest."""
    required = [name for name, one in fields.items() if one.default is None]
    defaults = {name: one.default for name, one in fields.items() if one.default is not None}
    if not isinstance(body, dict) or not set(required) <= set(body) <= set(fields):
        raise BadRequest(
            f"the body must be an object with {', '.join(required)}, and may have {', '.join(defaults)}"
        )
    for name, value in body.items():
        if type(value) is not fields[name].kind:
            raise BadRequest(f"{name} must be of type {fields[name].kind.__name__}")
        if isinstance(value, list) and (
            len(value) > _LIST or not all(isinstance(one, str) for one in value)
        ):
            raise BadRequest(f"{name} must be a list of at most {_LIST:,} texts")
    _check_text(body)
    return {**defaults, **body}


def _check_text(body: Mapping[str, Any]) -> None:
    """JSON can spell half a character; nothing that is signed can hold it."""
    values = [one for value in body.values() for one in (value if isinstance(value, list) else [value])]
    for value in values:
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            raise BadRequest("a text holds half a character")


def _consent(fields: Mapping[str, Any]) -> tuple[Consent, tuple[bytes, ...]]:
    """A consent and its items; raises what the form of a field or a rule of section 3 raises."""
    contributor = address_from_text(fields["contributor"])
    items = tuple(hash_from_text(one) for one in fields["items"])
    consent = Consent(
        contributor=contributor,
        parties=tuple(address_from_text(one) for one in fields["parties"]) or (contributor,),
        grantee=address_from_text(fields["grantee"]),
        via=fields["via"],
        content=content_root(items),
        items=len(items),
        purposes=tuple(fields["purposes"]),
        terms=hash_from_text(fields["terms"]),
        terms_uri=fields["terms_uri"],
        guardian=address_from_text(fields["guardian"]),
        issued_at=fields["issued_at"],
        expires_at=fields["expires_at"],
    )
    consent.check_items(items)
    return consent, items


def _revocation(fields: Mapping[str, Any]) -> tuple[Revocation, tuple[bytes, ...]]:
    """A revocation; raises what the form of a field or rules 3.8 and 3.9 raise."""
    revocation = Revocation(
        address_from_text(fields["contributor"]),
        tuple(fields["scopes"]),
        tuple(_number(one) for one in fields["words"]),
        tuple(_number(one) for one in fields["masks"]),
    )
    return revocation, ()


def signature_of(text: str) -> bytes:
    """A wallet's signature; raises Malformed."""
    if len(text) > 2 + 2 * LIMITS.wallet_signature_bytes or not _SIGNATURE.fullmatch(text):
        raise Malformed("a signature is 0x and lower-case hexadecimal digits, at most 8,192 bytes")
    return bytes.fromhex(text[2:])


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Malformed("a word or a mask is a number in decimal digits")
    return int(text)


FORMS: Final = {
    CONSENT: Form(
        path="consents",
        verb="consent",
        rule="4.2",
        fields={
            "contributor": Field(str, ADDRESS),
            "grantee": Field(str, ADDRESS),
            "items": Field(list, array(HASH, minItems=1, **LIST)),
            "purposes": Field(list, array(PURPOSE, minItems=1, maxItems=16)),
            "issued_at": Field(int, COUNT),
            "expires_at": Field(int, COUNT),
            "parties": Field(list, array(ADDRESS, maxItems=16), []),  # the contributor alone
            "via": Field(str, text(description="Rule 3.6."), ""),
            "terms": Field(str, HASH, hex_text(bytes(HASH_BYTES))),
            "terms_uri": Field(str, text(description="Rule 3.5."), ""),
            "guardian": Field(str, ADDRESS, address_text(NOBODY)),
        },
        read=_consent,
    ),
    REVOCATION: Form(
        path="revocations",
        verb="revoke",
        rule="4.3",
        fields={
            "contributor": Field(str, ADDRESS),
            "scopes": Field(list, array(text(r"^[ -~]{1,200}$", "Rule 5.1."), maxItems=16), []),
            "words": Field(list, array(DECIMAL, maxItems=64), []),
            "masks": Field(list, array(DECIMAL, maxItems=64), []),
        },
        read=_revocation,
        company="consents",
    ),
}
check_rows(FORMS, "JSON forms")
