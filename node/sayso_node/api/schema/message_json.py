"""Messages as JSON objects: what a page or a script fills in, and a wallet signs.

The fields are those of the struct (rules 4.2 and 4.3) in snake_case, items as hashes; words and masks
are decimal text, because JavaScript cannot hold such numbers. What is left out is empty, or nobody.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from sayso_node.errors import BadRequest
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import (
    HASH_BYTES,
    NOBODY,
    address_from_text,
    address_text,
    hash_from_text,
    hex_text,
)

CONSENT_FIELDS: Final = {
    "contributor": str,
    "grantee": str,
    "items": list,
    "purposes": list,
    "issued_at": int,
    "expires_at": int,
}
CONSENT_DEFAULTS: Final[Mapping[str, Any]] = {
    "parties": [],  # the contributor alone
    "via": "",
    "terms": hex_text(bytes(HASH_BYTES)),
    "terms_uri": "",
    "guardian": address_text(NOBODY),
}
REVOCATION_FIELDS: Final = {"contributor": str}
REVOCATION_DEFAULTS: Final[Mapping[str, Any]] = {"scopes": [], "words": [], "masks": []}
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_SIGNATURE: Final = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)
_LIST: Final = 1_024  # elements, as everywhere (rule 6.1)


def read_fields(body: Any, required: Mapping[str, type], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """An object with these fields, each of its type, lists of texts only; raises BadRequest."""
    if not isinstance(body, dict) or not set(required) <= set(body) <= {*required, *defaults}:
        raise BadRequest(
            f"the body must be an object with {', '.join(required)}, and may have {', '.join(defaults)}"
        )
    kinds = {**required, **{name: type(value) for name, value in defaults.items()}}
    for name, value in body.items():
        if type(value) is not kinds[name]:
            raise BadRequest(f"{name} must be of type {kinds[name].__name__}")
        if isinstance(value, list) and (
            len(value) > _LIST or not all(isinstance(one, str) for one in value)
        ):
            raise BadRequest(f"{name} must be a list of at most {_LIST:,} texts")
    _check_text(body)
    return {**defaults, **body}


def _check_text(body: Mapping[str, Any]) -> None:
    """JSON can spell half a character; nothing that is signed can hold it."""
    texts = [text for value in body.values() for text in (value if isinstance(value, list) else [value])]
    for text in texts:
        if isinstance(text, str) and any("\ud800" <= char <= "\udfff" for char in text):
            raise BadRequest("a text holds half a character")


def consent_of(fields: Mapping[str, Any]) -> tuple[Consent, tuple[bytes, ...]]:
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


def revocation_of(fields: Mapping[str, Any]) -> Revocation:
    """A revocation; raises what the form of a field or rules 3.8 and 3.9 raise."""
    return Revocation(
        address_from_text(fields["contributor"]),
        tuple(fields["scopes"]),
        tuple(_number(one) for one in fields["words"]),
        tuple(_number(one) for one in fields["masks"]),
    )


def signature_of(text: str) -> bytes:
    """A wallet's signature; raises Malformed."""
    if len(text) > 2 + 2 * LIMITS.wallet_signature_bytes or not _SIGNATURE.fullmatch(text):
        raise Malformed("a signature is 0x and lower-case hexadecimal digits, at most 8,192 bytes")
    return bytes.fromhex(text[2:])


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Malformed("a word or a mask is a number in decimal digits")
    return int(text)
