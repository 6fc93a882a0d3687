"""The notice of a consent: the sentence that a wallet shows above the other fields.

Rule 4.6: it is computed from the other fields and signed with them, so it states the terms that hold.
What counts most comes first, because small screens cut the end off.
"""

from datetime import date
from functools import lru_cache
from typing import Protocol

from sayso_protocol.primitives import ANYONE, NOBODY, address_text

_DAY_S = 86_400
_TIMES = [f" {minute // 60:02}:{minute % 60:02} UTC" for minute in range(_DAY_S // 60)]
_EPOCH = date(1970, 1, 1).toordinal()


class Terms(Protocol):
    """Terms is the set of Consent fields that a notice names."""

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
    @property
    def recheck_hours(self) -> int: ...  # noqa: D102
    @property
    def removal_days(self) -> int: ...  # noqa: D102


def consent_notice(consent: Terms) -> str:
    """Return the notice of a consent (rule 4.6)."""
    who = "ANYONE" if consent.grantee == ANYONE else address_text(consent.grantee)
    through = f", through {consent.via}" if consent.via else ""
    hours = "hour" if consent.recheck_hours == 1 else f"{consent.recheck_hours} hours"
    others = _others(consent) if len(consent.parties) > 1 else ""
    guardian = _guardian(consent) if consent.guardian != NOBODY else ""
    return (
        f"I allow use of {counted(consent.items, 'item')} of mine for {', '.join(consent.purposes)}"
        f" until {moment(consent.expires_at)} by {who}{through}; to be rechecked every {hours}; removed"
        f" within {counted(consent.removal_days, 'day')} of revocation; from {moment(consent.issued_at)}"
        f"{others}{guardian}. I can revoke at any time."
    )


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun; the plural has an `s` unless `many` gives it."""
    return f"1 {one}" if number == 1 else f"{number} {many or one + 's'}"


def moment(seconds: int) -> str:
    """Return a time in UTC, to the minute."""
    return _day(seconds // _DAY_S) + _TIMES[seconds % _DAY_S // 60]


@lru_cache(4_096)  # enough for the dates of eleven years
def _day(number: int) -> str:
    """Return the ISO date of a day, counted from the epoch."""
    return date.fromordinal(_EPOCH + number).isoformat()


def _others(consent: Terms) -> str:
    """Return the clause about the other parties."""
    others = [address_text(party) for party in consent.parties if party != consent.contributor]
    return f"; together with {', '.join(others)}"


def _guardian(consent: Terms) -> str:
    """Return the clause about the guardian."""
    return f"; {address_text(consent.guardian)} may revoke it too"
