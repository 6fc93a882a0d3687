"""The kinds of messages, a row each: what wire and wallets need to know of one.

Every layer has a table of its own with the same keys, checked at import by `check_rows`; code that
treats kinds differently asks a row, never the class of a message.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sayso_protocol.encoding.columns import Column
from sayso_protocol.encoding.eip712 import hash_type
from sayso_protocol.errors import Malformed
from sayso_protocol.messages.consent import CONSENT_FIELDS, Consent, check_consent_items, read_consents
from sayso_protocol.messages.fields import TYPES, FieldType
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import REVOCATION_FIELDS, Revocation, read_revocations


def _no_items(_columns: Sequence[Column], items: Column) -> None:
    if any(items):
        raise Malformed("a message of this kind has no items")


@dataclass(frozen=True)
class Kind:
    """One kind of message.

    Attributes:
        name: In lower case; capitalised, its primary type (EIP-712).
        message: Its class; `kind` of it is the kind's number in envelopes.
        fields: Type and name of what is signed, the notice first. An attribute of the class is named
            like its field, in snake case.
        read: Columns of the fields -> messages; raises what makes one of them invalid.
        check_items: Checks the hashes that travel beside, from the same columns; by default none may.
        is_bound: It is signed for one network, and names that in its envelope; else it is good on all.
        is_sponsored: Between peers it needs a sponsor (rule 7.3).
        is_acknowledged: A node that keeps it signs for that (rule 9.6).
    """

    name: str
    message: type[Message]
    fields: tuple[tuple[str, str], ...]
    read: Callable[[Sequence[Column]], Sequence[Message]]
    check_items: Callable[[Sequence[Column], Column], None] = _no_items
    is_bound: bool = False
    is_sponsored: bool = False
    is_acknowledged: bool = False

    @cached_property
    def title(self) -> str:
        """Its primary type."""
        return self.name.capitalize()

    @cached_property
    def type_hash(self) -> bytes:
        """EIP-712 typeHash, 32 bytes."""
        return hash_type(self.title, self.fields)

    @cached_property
    def columns(self) -> list[tuple[str, str, FieldType]]:
        """Of each field: its name, the attribute that holds it, its type."""
        return [(name, _snake(name), TYPES[kind]) for kind, name in self.fields]

    @cached_property
    def packed(self) -> tuple[type, ...]:
        """As what the fields come out of an envelope."""
        return tuple(one.packed for _, _, one in self.columns)

    @cached_property
    def readers(self) -> list[tuple[int, Callable[[Column], Column]]]:
        """Of each field that is read after that: its position, and how."""
        return [(at, one.read) for at, (_, _, one) in enumerate(self.columns) if one.read]

    @cached_property
    def hashers(self) -> list[Callable[[Column], Iterable[bytes]]]:
        """How the column of each field is hashed."""
        return [one.hashes for _, _, one in self.columns]


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


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
)
KINDS: Final = {one.message.kind: one for one in _ROWS}


def kind_of(message: Message) -> Kind:
    """The row of a message."""
    return KINDS[message.kind]


def check_rows(rows: Mapping[int, Any], layer: str) -> None:
    """Check that the table of a layer has a row for every kind.

    Raises:
        Malformed: Some kind has none. Tables are checked at import, so nothing starts without a row.
    """
    if missing := [one.name for number, one in KINDS.items() if number not in rows]:
        raise Malformed(f"the table of {layer} has no row for messages of kind {', '.join(missing)}")
