"""EIP-712 digests of the two messages, and the JSON that a wallet shows.

Rule 4.2: a consent is signed under `{name, version, chainId, verifyingContract}`: it is good on one
network. Rule 4.3: a revocation is signed under `{name, version}` alone: one signature stops every
network. Source: EIP-712. Compared with eth-account in tests/protocol/.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from sha3 import keccak_256  # `keccak` without its call, where every consent passes

from sayso_protocol.encoding.eip712 import (
    ADDRESS_PADDING,
    DOMAIN_FIELDS,
    DOMAIN_NAME,
    DOMAIN_VERSION,
    SHORT_DOMAIN,
    encode_number,
    hash_addresses,
    hash_numbers,
    hash_text,
    hash_texts,
    hash_type,
)
from sayso_protocol.messages.consent import CONSENT_NAMES, Consent
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hex_text, keccak

CONSENT_FIELDS = (
    ("string", "notice"),
    ("address", "contributor"),
    ("address[]", "parties"),
    ("address", "grantee"),
    ("string", "via"),
    ("bytes32", "content"),
    ("uint32", "items"),
    ("string[]", "purposes"),
    ("bytes32", "terms"),
    ("string", "termsUri"),
    ("address", "guardian"),
    ("uint64", "issuedAt"),
    ("uint64", "expiresAt"),
)
REVOCATION_FIELDS = (
    ("string", "notice"),
    ("address", "contributor"),
    ("string[]", "scopes"),
    ("uint248[]", "words"),
    ("uint256[]", "masks"),
)

_consent_values = attrgetter("notice", *CONSENT_NAMES)

_CONSENT_TYPE = hash_type("Consent", CONSENT_FIELDS)
_REVOCATION_TYPE = hash_type("Revocation", REVOCATION_FIELDS)


def consent_digests(
    network: Network,
    notices: Iterable[str],
    contributors: Iterable[bytes],
    parties: Iterable[tuple[bytes, ...]],
    grantees: Iterable[bytes],
    vias: Sequence[str],
    contents: Iterable[bytes],
    items: Iterable[int],
    purposes: Sequence[tuple[str, ...]],
    terms: Iterable[bytes],
    terms_uris: Sequence[str],
    guardians: Iterable[bytes],
    issued_at: Iterable[int],
    expires_at: Iterable[int],
) -> list[bytes]:
    """The digests of many consents, from the columns of a table; what they share is hashed once."""
    texts = {text: hash_text(text) for text in {*vias, *terms_uris}}
    names = {name: hash_texts(name) for name in set(purposes)}
    padding = repeat(ADDRESS_PADDING)
    slots = zip(
        repeat(_CONSENT_TYPE),
        [keccak_256(notice.encode()).digest() for notice in notices],
        padding,
        contributors,
        map(hash_addresses, parties),
        padding,
        grantees,
        map(texts.__getitem__, vias),
        contents,
        map(encode_number, items),
        map(names.__getitem__, purposes),
        terms,
        map(texts.__getitem__, terms_uris),
        padding,
        guardians,
        map(encode_number, issued_at),
        map(encode_number, expires_at),
        strict=False,  # some of them have no end
    )
    prefix = b"\x19\x01" + network.separator
    hashes = [keccak_256(struct).digest() for struct in map(b"".join, slots)]
    return [keccak_256(prefix + one).digest() for one in hashes]


def _revocation_hash(revocation: Revocation) -> bytes:
    """EIP-712 hashStruct."""
    return keccak(
        _REVOCATION_TYPE
        + hash_text(revocation.notice)
        + ADDRESS_PADDING
        + revocation.contributor
        + hash_texts(revocation.scopes)
        + hash_numbers(revocation.words)
        + hash_numbers(revocation.masks)
    )


def digest(message: Message, network: Network) -> bytes:
    """The 32 bytes that are signed and name the message; of a consent, the license hash."""
    if isinstance(message, Consent):
        return consent_digests(network, *zip(_consent_values(message), strict=False))[0]
    return keccak(b"\x19\x01" + SHORT_DOMAIN + _revocation_hash(message))


def _values(message: Message) -> dict[str, Any]:
    """The fields as wallets take them: text for addresses and for integers JavaScript cannot hold."""
    if isinstance(message, Revocation):
        return {
            "notice": message.notice,
            "contributor": address_text(message.contributor),
            "scopes": list(message.scopes),
            "words": [str(word) for word in message.words],
            "masks": [str(mask) for mask in message.masks],
        }
    return {
        "notice": message.notice,
        "contributor": address_text(message.contributor),
        "parties": [address_text(party) for party in message.parties],
        "grantee": address_text(message.grantee),
        "via": message.via,
        "content": hex_text(message.content),
        "items": message.items,
        "purposes": list(message.purposes),
        "terms": hex_text(message.terms),
        "termsUri": message.terms_uri,
        "guardian": address_text(message.guardian),
        "issuedAt": message.issued_at,
        "expiresAt": message.expires_at,
    }


def typed_data(message: Message, network: Network) -> dict[str, Any]:
    """The `eth_signTypedData_v4` object of a message."""
    is_consent = isinstance(message, Consent)
    name = "Consent" if is_consent else "Revocation"
    domain: dict[str, Any] = {"name": DOMAIN_NAME, "version": DOMAIN_VERSION}
    if is_consent:
        domain |= {
            "chainId": network.chain_id,
            "verifyingContract": address_text(network.registry),
        }
    fields = CONSENT_FIELDS if is_consent else REVOCATION_FIELDS
    domain_fields = DOMAIN_FIELDS[: len(domain)]
    return {
        "types": {
            "EIP712Domain": [{"name": field, "type": kind} for kind, field in domain_fields],
            name: [{"name": field, "type": kind} for kind, field in fields],
        },
        "primaryType": name,
        "domain": domain,
        "message": _values(message),
    }
