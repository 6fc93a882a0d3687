"""The terms of a consent that can be exported, and the export formats."""

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
    """ExportableTerms holds what a consent grants at one moment, for other vocabularies.

    Attributes:
        purposes: The purposes to allow; empty if everything is denied.
        why_not: The reasons why everything, or a part, is denied, as sentences for people.
    """

    purposes: tuple[str, ...]
    why_not: tuple[str, ...] = ()


def granted(held: License, now: float, *, revoked: bool) -> ExportableTerms:
    """Return the terms to export; a term that other vocabularies cannot express is denied.

    Args:
        held: The consent, verified.
        now: Seconds since the epoch.
        revoked: Whether any of its permissions is revoked.
    """
    consent = held.consent
    reasons = [
        why
        for why, applies in (
            ("a part of the license is revoked", revoked),
            ("the license is not in force now", not consent.issued_at <= now < consent.expires_at),
            ("the files also need the consent of other people", len(consent.parties) > 1),
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
    # Everybody reads a preference, so the license of a single buyer is none.
    return preferences(purposes if held.consent.grantee == ANYONE else ()) + "\n"


FORMATS: Final[Mapping[str, Writer]] = {
    "cawg": _json(assertion),
    "aipref": _preferences,
    "odrl": _json(policy),
    "croissant": _json(dataset),
}


def export(name: str, held: License, network: Network, exportable: ExportableTerms) -> str:
    """Convert a consent to one of FORMATS, as text; `exportable` comes from granted()."""
    return FORMATS[name](held, network, exportable.purposes)
