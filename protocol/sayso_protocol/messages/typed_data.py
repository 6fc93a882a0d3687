"""EIP-712 digests of messages, and the JSON that a wallet signs.

Rule 4.2: a consent is signed under `{name, version, chainId, verifyingContract}`. Rule 4.3: a revocation
is signed under `{name, version}` only, so one signature is valid on every network. Source: EIP-712; the
tests compare the digests with eth-account's.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from sha3 import keccak_256  # saves a function call for each message

from sayso_protocol.encoding.columns import Column
from sayso_protocol.encoding.eip712 import DOMAIN_FIELDS, DOMAIN_NAME, DOMAIN_VERSION, SHORT_DOMAIN
from sayso_protocol.messages.kinds import Kind, kind_of
from sayso_protocol.messages.message import Message
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text


def digests(kind: Kind, network: Network, columns: Sequence[Column]) -> list[bytes]:
    """Return the digests of many messages, 32 bytes each, from the columns of their fields (EIP-712)."""
    hashed = [hashes(column) for hashes, column in zip(kind.hashers, columns, strict=True)]
    slots = zip(repeat(kind.type_hash), *hashed, strict=False)  # the first has no end
    prefix = b"\x19\x01" + (network.separator if kind.is_bound else SHORT_DOMAIN)
    hashes = [keccak_256(struct).digest() for struct in map(b"".join, slots)]
    return [keccak_256(prefix + one).digest() for one in hashes]


def digest(message: Message, network: Network) -> bytes:
    """Return the digest that is signed, 32 bytes (rules 4.2, 4.3); a consent's is its license hash."""
    kind = kind_of(message)
    columns = [(getattr(message, attribute),) for _, attribute, _ in kind.columns]
    return digests(kind, network, columns)[0]


def typed_data(message: Message, network: Network) -> dict[str, Any]:
    """Return the `eth_signTypedData_v4` object of a message; integers beyond JavaScript's are text."""
    kind = kind_of(message)
    domain: dict[str, Any] = {"name": DOMAIN_NAME, "version": DOMAIN_VERSION}
    if kind.is_bound:
        domain |= {
            "chainId": network.chain_id,
            "verifyingContract": address_text(network.registry),
        }
    domain_fields = DOMAIN_FIELDS[: len(domain)]
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": solidity} for solidity, name in domain_fields],
            kind.title: [{"name": name, "type": solidity} for solidity, name in kind.fields],
        },
        "primaryType": kind.title,
        "domain": domain,
        "message": {
            name: one.shown(getattr(message, attribute)) for name, attribute, one in kind.columns
        },
    }
