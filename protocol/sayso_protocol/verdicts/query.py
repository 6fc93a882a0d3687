"""The query of a verdict: grantee and purpose (section 8)."""

from dataclasses import dataclass

from sayso_protocol.permissions.purposes import check_purpose


@dataclass(frozen=True)
class Query:
    """Query holds grantee and purpose; it raises InvalidPurpose (rule 8.12).

    Attributes:
        grantee: The address that would use the data, 20 bytes.
        purpose: A well-formed purpose (rule 3.3).
    """

    grantee: bytes
    purpose: str

    def __post_init__(self) -> None:
        """Check the purpose, so that two scopes cannot have the same text (rule 3.3)."""
        check_purpose(self.purpose)
