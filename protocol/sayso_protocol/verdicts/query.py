"""Who asks about permissions, and what for."""

from dataclasses import dataclass

from sayso_protocol.permissions.purposes import check_purpose


@dataclass(frozen=True)
class Query:
    """Who asks, and what for.

    Attributes:
        grantee: Who would use the data, 20 bytes.
        purpose: What for, a purpose name; raises InvalidPurpose if it is not well formed.
    """

    grantee: bytes
    purpose: str

    def __post_init__(self) -> None:
        """A purpose is a name, or two scopes could read alike (rule 3.3)."""
        check_purpose(self.purpose)
