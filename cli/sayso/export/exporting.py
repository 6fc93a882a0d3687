"""What of a consent may be said elsewhere at all, and by which format."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sayso.export.croissant import dataset
from sayso.export.odrl import policy
from sayso.export.signals import assertion, preferences
from sayso_protocol.network import Network
from sayso_protocol.permissions.vocabularies import published
from sayso_protocol.primitives import ANYONE
from sayso_protocol.verdicts.verdict import License


@dataclass(frozen=True)
class ExportableTerms:
    """What a consent grants at a moment, for other vocabularies.

    Attributes:
        purposes: Those that may be said; none when everything is denied.
        why_not: Why everything, or a part of it, is denied: sentences for people.
    """

    purposes: tuple[str, ...]
    why_not: tuple[str, ...] = ()


def granted(held: License, now: float, *, revoked: bool) -> ExportableTerms:
    """What may be said of a consent; whatever other vocabularies cannot say denies (default deny).

    Args:
        held: The consent, verified.
        now: Seconds since the epoch.
        revoked: Whether any of its permissions is revoked.
    """
    consent = held.consent
    reasons = [
        why
        for why, applies in (
            ("some of it is revoked", revoked),
            ("it does not hold at this time", not consent.issued_at <= now < consent.expires_at),
            ("it needs the consent of others, too", len(consent.parties) > 1),
        )
        if applies
    ]
    if reasons:
        return ExportableTerms((), tuple(f"everything is denied: {why}" for why in reasons))
    known = published(consent.purposes)
    left_out = [one for one in consent.purposes if one not in known]
    return ExportableTerms(
        known, tuple(f"{one} is denied: it is not a published purpose" for one in left_out)
    )


Writer = Callable[[License, Network, tuple[str, ...]], str]


def _json(write: Callable[[License, Network, tuple[str, ...]], object]) -> Writer:
    return lambda *arguments: json.dumps(write(*arguments), indent=2) + "\n"


def _preferences(held: License, _network: Network, purposes: tuple[str, ...]) -> str:
    # A preference is read by everybody: what one buyer may do is none of them.
    return preferences(purposes if held.consent.grantee == ANYONE else ()) + "\n"


FORMATS: Final[Mapping[str, Writer]] = {
    "cawg": _json(assertion),
    "aipref": _preferences,
    "odrl": _json(policy),
    "croissant": _json(dataset),
}


def export(name: str, held: License, network: Network, what: ExportableTerms) -> str:
    """A consent as a text of one of FORMATS; `what` is from granted()."""
    return FORMATS[name](held, network, what.purposes)
