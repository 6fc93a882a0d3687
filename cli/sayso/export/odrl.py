"""ODRL 2.2: a consent as a policy. The terms are ODRL's; our purposes are values of `purpose`.

The policy explicitly prohibits every other use, because ODRL does not define a default.
"""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.vocabularies import odrl_action
from sayso_protocol.primitives import ANYONE, address_text, hex_text
from sayso_protocol.verdicts.verdict import License

ODRL_CONTEXT: Final = "http://www.w3.org/ns/odrl.jsonld"
Json = dict[str, Any]


def policy(held: License, network: Network, purposes: tuple[str, ...]) -> Json:
    """Return an Agreement with the grantee, or an Offer to anyone, in ODRL's JSON-LD context."""
    return {"@context": ODRL_CONTEXT, **terms(held, network, purposes)}


def terms(held: License, network: Network, purposes: tuple[str, ...]) -> Json:
    """Return the policy without a context; its target and people apply to all its rules."""
    consent = held.consent
    named = consent.grantee != ANYONE
    permissions = [_permission(held, one) for one in purposes]
    return {
        "@type": "Agreement" if named else "Offer",
        "uid": f"urn:sayso:license:{hex_text(digest(consent, network))}",
        "conflict": "prohibit",
        "target": [item_iri(item) for item in held.items],
        "assigner": wallet_iri(consent.contributor, network),
        **({"assignee": wallet_iri(consent.grantee, network)} if named else {}),
        **({"permission": permissions} if permissions else {}),
        "prohibition": [_prohibition(purposes)],
    }


def wallet_iri(address: bytes, network: Network) -> str:
    """Return the IRI of a wallet (DID method pkh)."""
    return f"did:pkh:eip155:{network.chain_id}:{address_text(address)}"


def item_iri(item: bytes) -> str:
    """Return the IRI of an item by its hash (RFC 6920)."""
    return "ni:///sha-256;" + base64.urlsafe_b64encode(item).rstrip(b"=").decode()


def _permission(held: License, purpose: str) -> Json:
    consent = held.consent
    return {
        "action": odrl_action(purpose),
        "constraint": [
            _constraint("purpose", "eq", _text(purpose)),
            _constraint("dateTime", "gteq", _date(consent.issued_at)),
            _constraint("dateTime", "lt", _date(consent.expires_at)),
        ],
    }


def _prohibition(purposes: Iterable[str]) -> Json:
    """Prohibit every use except for these purposes; without purposes, every use."""
    others = [_text(one) for one in purposes]
    but_for = {"constraint": [_constraint("purpose", "isNoneOf", others)]} if others else {}
    return {"action": "use", **but_for}


def _constraint(left: str, operator: str, right: Any) -> Json:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _text(word: str) -> Json:
    """Return a plain string, which is neither an IRI nor text in a language."""
    return {"@value": word, "@type": "xsd:string"}


def _date(seconds: int) -> Json:
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"@value": text, "@type": "xsd:dateTime"}
