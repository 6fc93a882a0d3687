"""The dispute: files show the signer, or contributors license what is not theirs (rule 3.15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from sayso_protocol.encoding.columns import Column
from sayso_protocol.errors import InvalidStatement
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import DISPUTE
from sayso_protocol.messages.notice import counted, moment
from sayso_protocol.messages.statements import rules
from sayso_protocol.primitives import ADDRESS_BYTES, HASH_BYTES, NOBODY

FILES: Final = "files"
CONTRIBUTORS: Final = "contributors"
DISPUTE_FIELDS = (
    *rules.COMMON_FIELDS,
    ("string", "subject"),
    ("string", "code"),
    ("uint64", "issuedAt"),
    ("uint64", "expiresAt"),
)
_PADDING: Final = bytes(HASH_BYTES - ADDRESS_BYTES)
_SUBJECT: Final = 4  # its column
# What the notice says of each subject: singular and plural.
_NAMED: Final = {
    FILES: ("file that shows me", "files that show me"),
    CONTRIBUTORS: (
        "contributor who licenses what is not theirs",
        "contributors who license what is not theirs",
    ),
}


@dataclass(frozen=True)
class Dispute:
    """Dispute contradicts licenses; the constructor raises InvalidStatement.

    Attributes:
        signer: The address that disputes, 20 bytes.
        content: Root over the hashes, ascending, 32 bytes: item hashes, or contributors' addresses,
            padded left with zeros.
        count: The number of hashes.
        subject: `files` or `contributors`.
        code: The reason, a name in the form of a purpose, such as `voice` or `impersonation`.
        issued_at: Seconds since the epoch.
        expires_at: Seconds since the epoch, at most 366 days later.
    """

    kind: ClassVar[int] = DISPUTE

    signer: bytes
    content: bytes
    count: int
    subject: str
    code: str
    issued_at: int
    expires_at: int

    def __post_init__(self) -> None:
        """Check rules 3.11 and 3.15."""
        rules.check_common(self)
        if self.subject not in _NAMED:
            raise InvalidStatement("a dispute is about `files` or `contributors`")
        rules.check_code(self.code)
        rules.check_span(self.issued_at, self.expires_at, LIMITS.dispute_s)

    @property
    def notice(self) -> str:
        """See Message (rule 4.6.6)."""
        return (
            f"I dispute {counted(self.count, *_NAMED[self.subject])} ({self.code})"
            f" until {moment(self.expires_at)}, from {moment(self.issued_at)}. I can withdraw this."
        )


def contributor_hash(address: bytes) -> bytes:
    """Return the hash that stands for a contributor in a dispute, 32 bytes (rule 3.15.3)."""
    return _PADDING + address


def check_disputed(columns: Sequence[Column], lists: Column) -> None:
    """Check the hashes of many disputes (rules 3.11.3 to 3.11.5, 3.15.3).

    Raises:
        InvalidStatement: `check_hashes` does, or what stands for a contributor is not an address.
        Malformed: A hash is not bytes.
    """
    rules.check_hashes(columns, lists)
    for subject, hashes in zip(columns[_SUBJECT], lists, strict=True):
        if subject == CONTRIBUTORS and not all(map(_is_contributor, hashes)):
            raise InvalidStatement("a contributor is an address, not zero, after twelve zero bytes")


def _is_contributor(value: bytes) -> bool:
    return value.startswith(_PADDING) and value != _PADDING + NOBODY


read_disputes = rules.reader(Dispute)
