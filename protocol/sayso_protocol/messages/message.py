"""What a person signs, whatever its kind, and the numbers of the kinds in envelopes (rule 6.2)."""

from collections.abc import Iterable, Iterator
from typing import ClassVar, Protocol, TypeVar

from sayso_protocol.errors import Malformed

CONSENT, REVOCATION = 1, 2


class Message(Protocol):
    """A signed message: a frozen dataclass that is valid by construction.

    Attributes:
        kind: The number of its kind: the key of its row in the table of every layer.
    """

    kind: ClassVar[int]

    @property
    def signer(self) -> bytes:
        """Whose signature it carries, 20 bytes."""
        ...

    @property
    def notice(self) -> str:
        """The sentence that is shown and signed (rule 4.6)."""
        ...


class Carrier(Protocol):
    """What a message travels in: an envelope."""

    @property
    def message(self) -> Message: ...  # noqa: D102 - see Envelope
    @property
    def digest(self) -> bytes: ...  # noqa: D102
    @property
    def items(self) -> tuple[bytes, ...]: ...  # noqa: D102


M = TypeVar("M", bound=Message)
C = TypeVar("C", bound=Carrier)


def as_kind(message: Message, kind: type[M]) -> M:
    """The message, for code that is about one kind only; raises Malformed for another kind."""
    if not isinstance(message, kind):
        found, wanted = type(message).__name__.lower(), kind.__name__.lower()
        raise Malformed(f"this is a {found}; a {wanted} is needed")
    return message


def of_kind(envelopes: Iterable[C], kind: type[M]) -> Iterator[tuple[C, M]]:
    """The envelopes of one kind, each with its message; the others are left out."""
    for one in envelopes:
        if isinstance(one.message, kind):
            yield one, one.message
