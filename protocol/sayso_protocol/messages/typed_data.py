"""EIP-712 digests of messages, and the JSON that a wallet signs.

Rule 4.2: every message is signed under `{name, version, chainId, verifyingContract}`, which are those of
the network that its envelope names. Source: EIP-712; the tests compare the digests with eth-account's.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from sha3 import keccak_256  # saves a function call for each message

from sayso_protocol.encoding.columns import Column
from sayso_protocol.encoding.eip712 import DOMAIN_FIELDS, DOMAIN_NAME, DOMAIN_VERSION
from sayso_protocol.messages.kinds import Kind, kind_of
from sayso_protocol.messages.message import Message
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text

_PREFIX = b"\x19\x01"


def digests(kind: Kind, networks: Iterable[Network], columns: Sequence[Column]) -> list[bytes]:
    """Return the digests of many messages, 32 bytes each, from the columns of their fields (EIP-712).

    Args:
        kind: The kind of all of them.
        networks: The network under which each was signed; more of them than messages are not read.
        columns: A column for each field.
    """
    hashed = [hashes(column) for hashes, column in zip(kind.hashers, columns, strict=True)]
    slots = zip(repeat(kind.type_hash), *hashed, strict=False)  # the first has no end
    hashes = [keccak_256(struct).digest() for struct in map(b"".join, slots)]
    separators = map(attrgetter("separator"), networks)
    return [
        keccak_256(_PREFIX + separator + one).digest()
        for separator, one in zip(separators, hashes, strict=False)
    ]


def digest(message: Message, network: Network) -> bytes:
    """Return the digest that is signed, 32 bytes (rule 4.3.1); a consent's is its license hash."""
    kind = kind_of(message)
    columns = [(getattr(message, attribute),) for _, attribute, _ in kind.columns]
    return digests(kind, (network,), columns)[0]


def typed_data(message: Message, network: Network) -> dict[str, Any]:
    """Return the `eth_signTypedData_v4` object of a message; integers beyond JavaScript's are text."""
    kind = kind_of(message)
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": solidity} for solidity, name in DOMAIN_FIELDS],
            kind.title: [{"name": name, "type": solidity} for solidity, name in kind.fields],
        },
        "primaryType": kind.title,
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": network.chain_id,
            "verifyingContract": address_text(network.registry),
        },
        "message": {
            name: one.shown(getattr(message, attribute)) for name, attribute, one in kind.columns
        },
    }
