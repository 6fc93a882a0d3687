"""CAWG's training and data mining assertion, and the IETF's AI preferences."""

from typing import Any

from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.vocabularies import AIPREF, CAWG, covered
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import License

ASSERTION = "cawg.training-mining"


def assertion(held: License, network: Network, purposes: tuple[str, ...]) -> dict[str, Any]:
    """Return the C2PA assertion (CAWG 1.1), `constrained` for the terms that the consent covers.

    It is never `allowed`, because an assertion is bound to a file for ever, while a consent ends and can
    be revoked. A reader that ignores the constraint must treat it as `notAllowed`.
    """
    condition = {"use": "constrained", "constraint_info": _condition(held, network)}
    entries = {
        term: condition if is_covered else {"use": "notAllowed"}
        for term, is_covered in covered(CAWG, purposes).items()
    }
    return {"label": ASSERTION, "data": {"entries": entries}}


def _condition(held: License, network: Network) -> str:
    name = hex_text(digest(held.consent, network))
    return f"Sayso license {name} on {network}. {held.consent.notice} Ask before each use: sayso status."


def preferences(purposes: tuple[str, ...]) -> str:
    """Return an RFC 9651 dictionary with `y` or `n` for every category of the IETF draft."""
    words = covered(AIPREF, purposes).items()
    return ", ".join(f"{term}={'y' if is_covered else 'n'}" for term, is_covered in words)
