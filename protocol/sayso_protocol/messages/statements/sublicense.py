"""The sublicense: a holder who was licensed with `resale` passes licenses on (rule 3.12)."""

from dataclasses import dataclass
from typing import ClassVar

from sayso_protocol.errors import InvalidStatement
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import SUBLICENSE
from sayso_protocol.messages.notice import counted, moment
from sayso_protocol.messages.statements import rules
from sayso_protocol.primitives import address_text

NO_PARENT = bytes(32)  # the signer is the grantee of the consents themselves
SUBLICENSE_FIELDS = (
    *rules.COMMON_FIELDS,
    ("bytes32", "parent"),
    ("address", "grantee"),
    ("string[]", "purposes"),
    ("bytes32", "terms"),
    ("string", "termsUri"),
    ("uint64", "issuedAt"),
    ("uint64", "expiresAt"),
)


@dataclass(frozen=True)
class Sublicense:
    """Sublicense passes licenses on; the constructor raises InvalidStatement and InvalidPurpose.

    Whether the signer may pass a license on is not a rule of valid messages, but one of verdicts.

    Attributes:
        signer: The holder that passes the licenses on, 20 bytes.
        content: Root over the license hashes, ascending, 32 bytes.
        count: The number of license hashes.
        parent: The digest of the sublicense by which the signer holds them, 32 bytes; zero if the
            consents themselves name the signer as grantee.
        grantee: The address that is licensed, 20 bytes; neither zero nor the signer.
        purposes: Purpose names, sorted and unique.
        terms: SHA-256 of the license text, 32 bytes; zero for none.
        terms_uri: The https address of the license text, or empty; nodes do not fetch it.
        issued_at: Seconds since the epoch.
        expires_at: Seconds since the epoch.
    """

    kind: ClassVar[int] = SUBLICENSE

    signer: bytes
    content: bytes
    count: int
    parent: bytes
    grantee: bytes
    purposes: tuple[str, ...]
    terms: bytes
    terms_uri: str
    issued_at: int
    expires_at: int

    def __post_init__(self) -> None:
        """Check rules 3.11 and 3.12."""
        rules.check_common(self)
        rules.check_hash(self.parent, "`parent`")
        rules.check_address(self.grantee, "the grantee")
        if self.grantee == self.signer:
            raise InvalidStatement("the grantee of a sublicense is not its signer")
        rules.check_purposes(self.purposes)
        rules.check_terms(self.terms, self.terms_uri)
        rules.check_span(self.issued_at, self.expires_at, LIMITS.validity_s)

    @property
    def notice(self) -> str:
        """See Message (rule 4.6.3)."""
        return (
            f"I pass on {counted(self.count, 'license')} for {', '.join(self.purposes)}"
            f" until {moment(self.expires_at)} to {address_text(self.grantee)},"
            f" from {moment(self.issued_at)}. I can withdraw this."
        )


read_sublicenses = rules.reader(Sublicense)
