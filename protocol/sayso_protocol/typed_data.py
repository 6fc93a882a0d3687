"""EIP-712 digests of the two messages, and the JSON that a wallet shows.

Rule 4.2: a consent is signed under `{name, version, chainId, verifyingContract}`: it is good on one
network. Rule 4.3: a revocation is signed under `{name, version}` alone: one signature stops every
network. Source: EIP-712. Compared with eth-account in tests/protocol/.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from operator import attrgetter, methodcaller
from typing import Any

from sha3 import keccak_256  # `keccak` without its call, where every consent passes

from sayso_protocol.errors import Malformed
from sayso_protocol.messages import CONSENT_NAMES, Consent, Message, Revocation
from sayso_protocol.primitives import ADDRESS_BYTES, address_text, hex_text, keccak

NAME = "Sayso"
VERSION = "1"
_PADDING = bytes(32 - ADDRESS_BYTES)  # before an address in its slot

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
_DOMAIN_FIELDS = (
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
)


@dataclass(frozen=True)
class Network:
    """Where consents are good.

    Attributes:
        chain_id: EIP-155 chain id.
        registry: Address of the registry contract, 20 bytes.
    """

    chain_id: int
    registry: bytes

    def __post_init__(self) -> None:
        """Rule 1.1."""
        if not 0 <= self.chain_id < 1 << 64 or len(self.registry) != ADDRESS_BYTES:
            raise Malformed("a network is a chain id below 2**64 and an address of 20 bytes")

    @cached_property
    def separator(self) -> bytes:
        """The domain separator of its consents, 32 bytes (rule 4.2)."""
        place = _number(self.chain_id) + _PADDING + self.registry
        return keccak(_DOMAIN_TYPE + _text(NAME) + _text(VERSION) + place)

    def __str__(self) -> str:
        """`chain 31337, registry 0x...`."""
        return f"chain {self.chain_id}, registry {address_text(self.registry)}"


def type_string(name: str, fields: Iterable[tuple[str, str]]) -> str:
    """EIP-712 encodeType."""
    return f"{name}({','.join(f'{kind} {field}' for kind, field in fields)})"


def _text(text: str) -> bytes:
    return keccak(text.encode())


def _texts(texts: Iterable[str]) -> bytes:
    return keccak(b"".join(map(_text, texts)))


def _addresses(addresses: Iterable[bytes]) -> bytes:
    return keccak(_PADDING + _PADDING.join(addresses))


_number: Callable[[int], bytes] = methodcaller("to_bytes", 32)


def _numbers(numbers: Iterable[int]) -> bytes:
    return keccak(b"".join(map(_number, numbers)))


_consent_values = attrgetter("notice", *CONSENT_NAMES)

_CONSENT_TYPE = _text(type_string("Consent", CONSENT_FIELDS))
_REVOCATION_TYPE = _text(type_string("Revocation", REVOCATION_FIELDS))
_DOMAIN_TYPE = _text(type_string("EIP712Domain", _DOMAIN_FIELDS))
_SHORT_DOMAIN = keccak(
    _text(type_string("EIP712Domain", _DOMAIN_FIELDS[:2])) + _text(NAME) + _text(VERSION)
)


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
    texts = {text: _text(text) for text in {*vias, *terms_uris}}
    names = {name: _texts(name) for name in set(purposes)}
    padding = repeat(_PADDING)
    slots = zip(
        repeat(_CONSENT_TYPE),
        [keccak_256(notice.encode()).digest() for notice in notices],
        padding,
        contributors,
        map(_addresses, parties),
        padding,
        grantees,
        map(texts.__getitem__, vias),
        contents,
        map(_number, items),
        map(names.__getitem__, purposes),
        terms,
        map(texts.__getitem__, terms_uris),
        padding,
        guardians,
        map(_number, issued_at),
        map(_number, expires_at),
        strict=False,  # some of them have no end
    )
    prefix = b"\x19\x01" + network.separator
    hashes = [keccak_256(struct).digest() for struct in map(b"".join, slots)]
    return [keccak_256(prefix + one).digest() for one in hashes]


def _revocation_hash(revocation: Revocation) -> bytes:
    """EIP-712 hashStruct."""
    return keccak(
        _REVOCATION_TYPE
        + _text(revocation.notice)
        + _PADDING
        + revocation.contributor
        + _texts(revocation.scopes)
        + _numbers(revocation.words)
        + _numbers(revocation.masks)
    )


def digest(message: Message, network: Network) -> bytes:
    """The 32 bytes that are signed and name the message; of a consent, the license hash."""
    if isinstance(message, Consent):
        return consent_digests(network, *zip(_consent_values(message), strict=False))[0]
    return keccak(b"\x19\x01" + _SHORT_DOMAIN + _revocation_hash(message))


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
    domain: dict[str, Any] = {"name": NAME, "version": VERSION}
    if is_consent:
        domain |= {
            "chainId": network.chain_id,
            "verifyingContract": address_text(network.registry),
        }
    fields = CONSENT_FIELDS if is_consent else REVOCATION_FIELDS
    domain_fields = _DOMAIN_FIELDS[: len(domain)]
    return {
        "types": {
            "EIP712Domain": [{"name": field, "type": kind} for kind, field in domain_fields],
            name: [{"name": field, "type": kind} for kind, field in fields],
        },
        "primaryType": name,
        "domain": domain,
        "message": _values(message),
    }
