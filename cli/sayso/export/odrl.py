"""ODRL 2.2: a consent as a policy. Its words are ODRL's; our purposes are values of `purpose`.

What was not granted is prohibited in so many words: ODRL leaves open what silence means.
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
    """An Agreement with the grantee, or an Offer to anyone, in ODRL's own JSON-LD context."""
    return {"@context": ODRL_CONTEXT, **terms(held, network, purposes)}


def terms(held: License, network: Network, purposes: tuple[str, ...]) -> Json:
    """The policy without a context; target and people stand once, for all of its rules."""
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
    """A wallet by the DID method pkh."""
    return f"did:pkh:eip155:{network.chain_id}:{address_text(address)}"


def item_iri(item: bytes) -> str:
    """An item by its hash (RFC 6920)."""
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
    """Of every use but for these purposes; of every use, without any."""
    others = [_text(one) for one in purposes]
    but_for = {"constraint": [_constraint("purpose", "isNoneOf", others)]} if others else {}
    return {"action": "use", **but_for}


def _constraint(left: str, operator: str, right: Any) -> Json:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _text(word: str) -> Json:
    """A word that is no address and of no language."""
    return {"@value": word, "@type": "xsd:string"}


def _date(seconds: int) -> Json:
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"@value": text, "@type": "xsd:dateTime"}
