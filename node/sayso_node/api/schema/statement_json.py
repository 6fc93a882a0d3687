"""Statements as JSON objects (rules 3.11 to 3.15); `hashes` are what `content` and `count` bind.

A missing field is empty, or zero. An empty signature, `0x`, says that a contract wallet endorses the
statement on the chain (rule 4.8).
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from sayso_node.api.schema.requests import GIVEN_PATTERN, Items, Purposes, Seconds
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import HASH_BYTES, address_from_text, hash_from_text, hex_text
from sayso_protocol.receipts.json_values import Address, Hash, Purpose

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


class SignedSublicense(SublicenseFields, kw_only=True):
    """A sublicense by its fields, with the wallet's signature."""

    signature: Signature


class SignedUse(UseFields, kw_only=True):
    """A use by its fields, with the wallet's signature."""

    signature: Signature


class SignedRemoval(RemovalFields, kw_only=True):
    """A removal by its fields, with the wallet's signature."""

    signature: Signature


class SignedDispute(DisputeFields, kw_only=True):
    """A dispute by its fields, with the wallet's signature."""

    signature: Signature


def read_sublicense(fields: SublicenseFields) -> Read:
    """Return a sublicense and its hashes; raises the errors of its fields and of rule 3.12."""
    hashes = _hashes(fields)
    return _checked(
        Sublicense(
            address_from_text(fields.signer),
            content_root(hashes),
            len(hashes),
            hash_from_text(fields.parent),
            address_from_text(fields.grantee),
            tuple(fields.purposes),
            hash_from_text(fields.terms),
            fields.terms_uri,
            fields.issued_at,
            fields.expires_at,
        ),
        hashes,
    )


def read_use(fields: UseFields) -> Read:
    """Return a use and its hashes; raises the errors of its fields and of rule 3.13."""
    hashes = _hashes(fields)
    return _checked(
        Use(
            address_from_text(fields.signer),
            content_root(hashes),
            len(hashes),
            fields.purpose,
            fields.run,
            hash_from_text(fields.record),
            fields.used_at,
        ),
        hashes,
    )


def read_removal(fields: RemovalFields) -> Read:
    """Return a removal and its hashes; raises the errors of its fields and of rule 3.14."""
    hashes = _hashes(fields)
    return _checked(
        Removal(
            address_from_text(fields.signer),
            content_root(hashes),
            len(hashes),
            fields.as_of_block,
            hash_from_text(fields.record),
        ),
        hashes,
    )


def read_dispute(fields: DisputeFields) -> Read:
    """Return a dispute and its hashes; raises the errors of its fields and of rule 3.15."""
    hashes = _hashes(fields)
    return _checked(
        Dispute(
            address_from_text(fields.signer),
            content_root(hashes),
            len(hashes),
            fields.subject,
            fields.code,
            fields.issued_at,
            fields.expires_at,
        ),
        hashes,
    )


def _hashes(fields: StatementFields) -> tuple[bytes, ...]:
    return tuple(hash_from_text(one) for one in fields.hashes)


def _checked(statement: Message, hashes: tuple[bytes, ...]) -> Read:
    """Check the hashes as those of an envelope (rules 3.11.3 to 3.11.5)."""
    kind = KINDS[statement.kind]
    kind.check_items([(getattr(statement, name),) for _, name, _ in kind.columns], (hashes,))
    return statement, hashes
