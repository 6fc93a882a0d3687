"""The kinds of messages: one row for each, with its fields and properties.

Every layer has its own table with the same keys, which `check_rows` checks at import. Code that treats
kinds differently reads a row of its table, and does not test the class of a message.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sayso_protocol.encoding.columns import Column
from sayso_protocol.encoding.eip712 import hash_type
from sayso_protocol.encoding.packing import Reader, Uint, array_of, fields_of
from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import CONSENT_FIELDS, Consent, check_consent_items, read_consents
from sayso_protocol.messages.fields import TYPES, FieldType
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import REVOCATION_FIELDS, Revocation, read_revocations
from sayso_protocol.messages.statements.dispute import (
    DISPUTE_FIELDS,
    Dispute,
    check_disputed,
    read_disputes,
)
from sayso_protocol.messages.statements.removal import REMOVAL_FIELDS, Removal, read_removals
from sayso_protocol.messages.statements.rules import check_hashes
from sayso_protocol.messages.statements.sublicense import (
    SUBLICENSE_FIELDS,
    Sublicense,
    read_sublicenses,
)
from sayso_protocol.messages.statements.use import USE_FIELDS, Use, read_uses


def _no_items(_columns: Sequence[Column], items: Column) -> None:
    if any(items):
        raise Malformed("a message of this kind has no items")


@dataclass(frozen=True)
class Kind:
    """Kind describes one kind of message.

    Attributes:
        name: The name in lower case; capitalised, it is the primary type (EIP-712).
        message: The class; its `kind` is the number in envelopes.
        fields: Type and name of each signed field, the notice first. The class has an attribute for each
            field, with the name in snake case.
        read: Turns columns of the fields into messages; raises the error of an invalid message.
        check_items: Checks the item hashes against the same columns; the default allows none.
        is_bound: The message is valid on one network; otherwise it is valid on every chain with the
            registry's address, under whichever chain id it was signed (rules 6.2.3 to 6.2.5).
        is_sponsored: The message needs a sponsor between peers (rule 7.5).
        is_acknowledged: A node that keeps the message signs an acknowledgement (rule 9.4).
        is_endorsable: The message is a statement: a contract wallet endorses it on the chain instead of
            signing it, and the signature is then empty (rule 4.8).
    """

    name: str
    message: type[Message]
    fields: tuple[tuple[str, str], ...]
    read: Callable[[Sequence[Column]], Sequence[Message]]
    check_items: Callable[[Sequence[Column], Column], None] = _no_items
    is_bound: bool = False
    is_sponsored: bool = False
    is_acknowledged: bool = False
    is_endorsable: bool = False

    @cached_property
    def title(self) -> str:
        """Return the primary type (EIP-712)."""
        return self.name.capitalize()

    @cached_property
    def type_hash(self) -> bytes:
        """Return the typeHash, 32 bytes (EIP-712)."""
        return hash_type(self.title, self.fields)

    @cached_property
    def columns(self) -> list[tuple[str, str, FieldType]]:
        """Return name, attribute and type of each field."""
        return [(name, _snake(name), TYPES[kind]) for kind, name in self.fields]

    @cached_property
    def envelope(self) -> Reader[tuple[Any, ...]]:
        """Return the reader of envelopes of this kind (rule 6.2)."""
        struct = fields_of(*(one.packed for _, _, one in self.columns))
        network, sponsor = fields_of(Uint, bytes), fields_of(bytes, bytes) | None
        form = fields_of(Uint, Uint, struct, array_of(bytes), bytes, network, sponsor)
        return Reader(form, LIMITS.message_bytes)

    @cached_property
    def readers(self) -> list[tuple[int, Callable[[Column], Column]]]:
        """Return position and reader of each field that needs one."""
        return [(at, one.read) for at, (_, _, one) in enumerate(self.columns) if one.read]

    @cached_property
    def hashers(self) -> list[Callable[[Column], Iterable[bytes]]]:
        """Return the hash function of each field's column."""
        return [one.hashes for _, _, one in self.columns]


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _statement(
    name: str,
    message: type[Message],
    fields: tuple[tuple[str, str], ...],
    read: Callable[[Sequence[Column]], Sequence[Message]],
    check: Callable[[Sequence[Column], Column], None] = check_hashes,
) -> Kind:
    """Return the row of a statement (rule 3.11)."""
    return Kind(name, message, fields, read, check, is_bound=True, is_sponsored=True, is_endorsable=True)


_ROWS: Final = (
    Kind(
        "consent",
        Consent,
        CONSENT_FIELDS,
        read_consents,
        check_consent_items,
        is_bound=True,
        is_sponsored=True,
    ),
    Kind("revocation", Revocation, REVOCATION_FIELDS, read_revocations, is_acknowledged=True),
    _statement("sublicense", Sublicense, SUBLICENSE_FIELDS, read_sublicenses),
    _statement("use", Use, USE_FIELDS, read_uses),
    _statement("removal", Removal, REMOVAL_FIELDS, read_removals),
    _statement("dispute", Dispute, DISPUTE_FIELDS, read_disputes, check_disputed),
)
KINDS: Final = {one.message.kind: one for one in _ROWS}


def kind_of(message: Message) -> Kind:
    """Return the row of a message's kind, which says how wire and wallets treat it."""
    return KINDS[message.kind]


def check_rows(rows: Mapping[int, Any], layer: str) -> None:
    """Check at import that the table of a layer has a row for every kind.

    Raises:
        Malformed: A kind has no row.
    """
    if missing := [one.name for number, one in KINDS.items() if number not in rows]:
        raise Malformed(f"the table of {layer} has no row for messages of kind {', '.join(missing)}")
