"""Croissant 1.1: the items of a consent as a data set with an ODRL policy.

Croissant recommends an ODRL offer under `usageInfo`. It is the policy of odrl.py with prefixed terms,
because a Croissant file has one context.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sayso.export.odrl import Json, item_iri, terms
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text
from sayso_protocol.verdicts.verdict import License

CROISSANT_VERSION: Final = "http://mlcommons.org/croissant/1.1"
CROISSANT_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "sc": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_TERMS: Final = ("action", "leftOperand", "operator", "conflict")  # their values are ODRL terms
_PLACES: Final = ("uid", "target", "assigner", "assignee")  # their values are addresses


def dataset(held: License, network: Network, purposes: tuple[str, ...]) -> Json:
    """Return the Croissant description: a file for each item, the creator, and the policy."""
    consent = held.consent
    usage = terms(held, network, purposes)
    return {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CROISSANT_VERSION,
        "name": f"sayso-{usage['uid'][-64:][:16]}",
        "description": consent.notice,
        "url": usage["uid"],
        "license": consent.terms_uri or usage["uid"],
        "creator": {"@type": "sc:Person", "name": address_text(consent.contributor)},
        "datePublished": datetime.fromtimestamp(consent.issued_at, UTC).strftime("%Y-%m-%d"),
        "version": "1.0.0",
        "citeAs": usage["uid"],
        "usageInfo": {"name": "Sayso consent", **_prefixed(usage)},
        "distribution": [_file(item) for item in held.items],
    }


def _file(item: bytes) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": item.hex(),
        "name": item.hex(),
        "contentUrl": item_iri(item),
        "encodingFormat": "application/octet-stream",
        "sha256": item.hex(),
    }


def _prefixed(value: Json) -> Json:
    """Prefix each ODRL term of an object with `odrl:`, and turn addresses into references."""
    return {
        key if key.startswith("@") else f"odrl:{key}": _value(key, inner) for key, inner in value.items()
    }


def _value(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_value(key, one) for one in value]
    if key == "@type":
        return value if ":" in value else ["CreativeWork", f"odrl:{value}"]
    if key in _TERMS:
        return {"@id": f"odrl:{value}"}
    if key in _PLACES:
        return {"@id": value}
    return _prefixed(value) if isinstance(value, dict) and "@value" not in value else value
