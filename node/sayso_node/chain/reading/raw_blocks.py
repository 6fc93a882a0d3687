"""Encodes headers, transactions and receipts as bytes, from the JSON of chain endpoints.

The result is right if it gives the expected hash or root, which the caller checks. Invalid input raises
KeyError, TypeError, ValueError or AttributeError.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sayso_protocol.ethereum.tries import Rlp, encode_rlp, number_bytes
from sayso_protocol.primitives import keccak

Json = Mapping[str, Any]

_FIELDS: Final = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
)
_LATER_FIELDS: Final = (
    ("baseFeePerGas", True),  # EIP-1559
    ("withdrawalsRoot", False),  # EIP-4895
    ("blobGasUsed", True),  # EIP-4844
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),  # EIP-4788
    ("requestsHash", False),  # EIP-7685
)
_FEES: Final = ("maxPriorityFeePerGas", "maxFeePerGas")
_CALL: Final = ("gas", "to", "value", "input")
_ALL: Final = ("accessList", "yParity", "r", "s")
_KINDS: Final = {  # EIP-2718
    0: ("nonce", "gasPrice", *_CALL, "v", "r", "s"),
    1: ("chainId", "nonce", "gasPrice", *_CALL, *_ALL),
    2: ("chainId", "nonce", *_FEES, *_CALL, *_ALL),
    3: (
        *("chainId", "nonce", *_FEES, *_CALL, "accessList", "maxFeePerBlobGas", "blobVersionedHashes"),
        *("yParity", "r", "s"),
    ),
    4: ("chainId", "nonce", *_FEES, *_CALL, "accessList", "authorizationList", "yParity", "r", "s"),
}
_AUTHORIZATION: Final = ("chainId", "address", "nonce", "yParity", "r", "s")


def encode_header(block: Json) -> bytes:
    """Return the RLP of a header; later forks have more fields."""
    later = [one for one in _LATER_FIELDS if block.get(one[0]) is not None]
    kinds = [(name, _number if is_number else bytes_of) for name, is_number in (*_FIELDS, *later)]
    return encode_rlp([read(block[name]) for name, read in kinds])


def has_hash(block: Json, block_hash: bytes) -> bool:
    """Return whether the fields of a header give this hash; never raises for an answer that is JSON."""
    try:
        return keccak(encode_header(block)) == block_hash
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def encode_transaction(transaction: Json) -> bytes:
    """Return a transaction as stored in its block's trie."""
    kind = int(transaction.get("type") or "0x0", 16)
    encoded = encode_rlp([_field(transaction, name) for name in _KINDS[kind]])
    return bytes([kind]) + encoded if kind else encoded


def encode_receipt(receipt: Json) -> bytes:
    """Return a receipt as stored in its block's trie."""
    kind = int(receipt.get("type") or "0x0", 16)
    logs: list[Rlp] = [
        [bytes_of(one["address"]), [bytes_of(topic) for topic in one["topics"]], bytes_of(one["data"])]
        for one in receipt["logs"]
    ]
    numbers = [_number(receipt[name]) for name in ("status", "cumulativeGasUsed")]
    encoded = encode_rlp([*numbers, bytes_of(receipt["logsBloom"]), logs])
    return bytes([kind]) + encoded if kind else encoded


def _field(transaction: Json, name: str) -> Rlp:
    value = transaction.get(name)
    if name == "yParity" and value is None:
        value = transaction["v"]  # some endpoints use only the older name
    return _READERS.get(name, _number)(value)


def _to(value: Any) -> Rlp:
    return bytes_of(value or "0x")  # empty for a contract creation


def _access_list(value: Any) -> Rlp:
    return [
        [bytes_of(one["address"]), [bytes_of(key) for key in one["storageKeys"]]] for one in value or ()
    ]


def _authorizations(value: Any) -> Rlp:
    return [[_field(one, name) for name in _AUTHORIZATION] for one in value or ()]


def _hashes(value: Any) -> Rlp:
    return [bytes_of(one) for one in value or ()]


def _number(value: Any) -> bytes:
    return number_bytes(int(value, 16))


def bytes_of(value: Any) -> bytes:
    """Read hexadecimal text in any case."""
    return bytes.fromhex(value.removeprefix("0x"))


_READERS: Final[dict[str, Callable[[Any], Rlp]]] = {
    "to": _to,
    "input": bytes_of,
    "address": bytes_of,
    "accessList": _access_list,
    "authorizationList": _authorizations,
    "blobVersionedHashes": _hashes,
}
