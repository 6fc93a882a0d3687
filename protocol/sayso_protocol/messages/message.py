"""The interface of all messages, and the numbers of their kinds in envelopes (rule 6.2)."""

from collections.abc import Iterable, Iterator
from typing import ClassVar, Protocol, TypeVar

from sayso_protocol.errors import Malformed

CONSENT, REVOCATION = 1, 2
SUBLICENSE, USE, REMOVAL, DISPUTE = 3, 4, 5, 6
STATEMENTS = (SUBLICENSE, USE, REMOVAL, DISPUTE)  # rule 3.11


class Message(Protocol):
    """Message is a frozen dataclass of signed fields, whose constructor checks the rules.

    Attributes:
        kind: The number of the kind, which is the key in the table of every layer.
    """

    kind: ClassVar[int]

    @property
    def signer(self) -> bytes:
        """Return the address that signs, 20 bytes."""
        ...

    @property
    def notice(self) -> str:
        """Return the sentence that is shown and signed (rule 4.6)."""
        ...


class Carrier(Protocol):
    """Carrier is an envelope, or an object with the same attributes."""

    @property
    def message(self) -> Message: ...  # noqa: D102 - see Envelope
    @property
    def digest(self) -> bytes: ...  # noqa: D102
    @property
    def items(self) -> tuple[bytes, ...]: ...  # noqa: D102


M = TypeVar("M", bound=Message)
C = TypeVar("C", bound=Carrier)


def as_kind(message: Message, kind: type[M]) -> M:
    """Return the message if it is of one kind; raises Malformed for another kind."""
    if not isinstance(message, kind):
        found, wanted = type(message).__name__.lower(), kind.__name__.lower()
        raise Malformed(f"this is a {found}; a {wanted} is needed")
    return message


def of_kind(envelopes: Iterable[C], kind: type[M]) -> Iterator[tuple[C, M]]:
    """Yield the envelopes of one kind, each with its message."""
    for one in envelopes:
        if isinstance(one.message, kind):
            yield one, one.message
