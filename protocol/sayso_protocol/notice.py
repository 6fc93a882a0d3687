"""The sentence a wallet shows above the other fields. It is signed, so what is shown is what holds.

Rule 4.6: the notice of a consent is computed from its fields; that of a revocation is a constant. Any
other notice is invalid.
"""

from datetime import UTC, datetime
from typing import Protocol

from sayso_protocol.primitives import ANYONE, NOBODY, address_text

REVOCATION_NOTICE = (
    "I take back my permission, now and for ever, on every network. This cannot be undone."
)


class Terms(Protocol):
    """What a notice speaks of: the fields of a Consent."""

    @property
    def contributor(self) -> bytes: ...  # noqa: D102 - see Consent
    @property
    def parties(self) -> tuple[bytes, ...]: ...  # noqa: D102
    @property
    def grantee(self) -> bytes: ...  # noqa: D102
    @property
    def via(self) -> str: ...  # noqa: D102
    @property
    def items(self) -> int: ...  # noqa: D102
    @property
    def purposes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def guardian(self) -> bytes: ...  # noqa: D102
    @property
    def issued_at(self) -> int: ...  # noqa: D102
    @property
    def expires_at(self) -> int: ...  # noqa: D102


def consent_notice(consent: Terms) -> str:
    """What the contributor agrees to, in one plain sentence (rule 4.6)."""
    return "".join(
        [
            "I allow ",
            "ANYONE" if consent.grantee == ANYONE else address_text(consent.grantee),
            f", through {consent.via}," if consent.via else "",
            f" to use {consent.items} {'item' if consent.items == 1 else 'items'} of mine for ",
            ", ".join(consent.purposes),
            f", from {_day(consent.issued_at)} until {_day(consent.expires_at)}",
            _others(consent),
            _guardian(consent),
            "; I can revoke at any time.",
        ]
    )


def _day(seconds: int) -> str:
    """The moment in UTC, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _others(consent: Terms) -> str:
    """Everybody else who has to agree."""
    others = [address_text(party) for party in consent.parties if party != consent.contributor]
    return f", together with {', '.join(others)}" if others else ""


def _guardian(consent: Terms) -> str:
    """Who may revoke it besides the contributor."""
    if consent.guardian == NOBODY:
        return ""
    return f"; {address_text(consent.guardian)} may revoke it too"
