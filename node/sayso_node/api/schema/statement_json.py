"""Statements as JSON objects (rules 3.11 to 3.15); `hashes` are what `content` and `count` bind.

A missing field is empty, or zero. An empty signature, `0x`, says that a contract wallet endorses the
statement on the chain (rule 4.8).
"""

from collections.abc import Callable
from typing import Annotated, Final

from msgspec import Meta, Struct, defstruct

from sayso_node.api.schema.requests import GIVEN_PATTERN, Items, Purposes, Seconds
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import Message
from sayso_protocol.primitives import HASH_BYTES, hex_text
from sayso_protocol.receipts.json_values import Address, Hash, Purpose, values_of

_ZERO: Final = hex_text(bytes(HASH_BYTES))
Read = tuple[Message, tuple[bytes, ...]]
Signature = Annotated[
    str,
    Meta(
        description="As the wallet gave it; `0x` if a contract wallet endorses the statement.",
        extra_json_schema={"pattern": GIVEN_PATTERN},
    ),
]


class StatementFields(Struct, forbid_unknown_fields=True, kw_only=True):
    """The fields of every statement (rule 3.11). `hashes` ascend, each once."""

    signer: Address
    hashes: Items


class SublicenseFields(StatementFields, kw_only=True):
    """Rule 3.12, without the notice. `parent` is zero for the grantee of the consents themselves."""

    parent: Hash = _ZERO
    grantee: Address
    purposes: Purposes
    terms: Hash = _ZERO
    terms_uri: Annotated[str, Meta(description="Rule 3.5.")] = ""
    issued_at: Seconds
    expires_at: Seconds


class UseFields(StatementFields, kw_only=True):
    """Rule 3.13, without the notice."""

    purpose: Purpose
    run: Annotated[str, Meta(description="Rule 3.13.2.")] = ""
    record: Hash = _ZERO
    used_at: Seconds


class RemovalFields(StatementFields, kw_only=True):
    """Rule 3.14, without the notice."""

    as_of_block: Annotated[int, Meta(extra_json_schema={"minimum": 0})]
    record: Hash = _ZERO


class DisputeFields(StatementFields, kw_only=True):
    """Rule 3.15, without the notice. A contributor's hash is twelve zero bytes and the address."""

    subject: Annotated[str, Meta(extra_json_schema={"enum": ["files", "contributors"]})]
    code: Annotated[str, Meta(description="Rule 3.15.2.")]
    issued_at: Seconds
    expires_at: Seconds


def signed(fields: type[StatementFields]) -> type[Struct]:
    """Return the same fields with the wallet's signature."""
    name = fields.__name__.removesuffix("Fields")
    about = f"A {name.lower()} by its fields, with the wallet's signature."
    signature = [("signature", Signature)]
    return defstruct(
        f"Signed{name}", signature, bases=(fields,), namespace={"__doc__": about}, kw_only=True
    )


def reader(number: int) -> Callable[[StatementFields], Read]:
    """Return what makes a statement and its hashes of fields; it raises the errors of section 3."""
    kind = KINDS[number]
    make: Callable[..., Message] = kind.message

    def read(fields: StatementFields) -> Read:
        values = values_of(fields)
        values.pop("signature", None)
        hashes = values.pop("hashes")
        statement = make(content=content_root(hashes), count=len(hashes), **values)
        # Rules 3.11.3 to 3.11.5, as for the hashes of an envelope.
        kind.check_items([(getattr(statement, name),) for _, name, _ in kind.columns], (hashes,))
        return statement, hashes

    return read
