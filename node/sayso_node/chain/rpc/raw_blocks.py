"""Encodes headers, transactions and receipts as bytes, from the JSON of chain endpoints.

The result is right if it gives the expected hash or root, which the caller checks. Invalid input raises
KeyError, TypeError, ValueError or AttributeError.
"""

import re
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
    ("blockAccessListHash", False),  # EIP-7928
    ("slotNumber", True),  # EIP-7843
)
_NAMED: Final = frozenset(name for name, _ in (*_FIELDS, *_LATER_FIELDS)) | {
    *("hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals"),
    *("l1BlockNumber", "sendCount", "sendRoot"),  # Arbitrum's, which are in extraData and mixHash
}
_MOST_UNKNOWN: Final = 8
_HASH_CHARS: Final = 66
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,128}", re.ASCII)
_FEES: Final = ("maxPriorityFeePerGas", "maxFeePerGas")
_CALL: Final = ("gas", "to", "value", "input")
_ALL: Final = ("accessList", "yParity", "r", "s")
_DEPOSIT: Final = 0x7E
_KINDS: Final = {  # EIP-2718
    0: ("nonce", "gasPrice", *_CALL, "v", "r", "s"),
    1: ("chainId", "nonce", "gasPrice", *_CALL, *_ALL),
    2: ("chainId", "nonce", *_FEES, *_CALL, *_ALL),
    3: (
        *("chainId", "nonce", *_FEES, *_CALL, "accessList", "maxFeePerBlobGas", "blobVersionedHashes"),
        *("yParity", "r", "s"),
    ),
    4: ("chainId", "nonce", *_FEES, *_CALL, "accessList", "authorizationList", "yParity", "r", "s"),
    # Kinds of rollups, which have no signature (rule 10.11.12).
    _DEPOSIT: ("sourceHash", "from", "to", "mint", "value", "gas", "isSystemTx", "input"),
    0x64: ("chainId", "requestId", "from", "to", "value"),
    0x65: ("chainId", "from", "nonce", "maxFeePerGas", *_CALL),
    0x66: ("chainId", "requestId", "from", "maxFeePerGas", *_CALL),
    0x68: (
        *("chainId", "nonce", "from", "maxFeePerGas", *_CALL),
        *("ticketId", "refundTo", "maxRefund", "submissionFeeRefund"),
    ),
    0x69: (
        *("chainId", "requestId", "from", "l1BaseFee", "depositValue", "maxFeePerGas", "gas", "retryTo"),
        *("retryValue", "beneficiary", "maxSubmissionFee", "refundTo", "retryData"),
    ),
    0x6A: ("chainId", "input"),
}
_AUTHORIZATION: Final = ("chainId", "address", "nonce", "yParity", "r", "s")


def encode_header(block: Json) -> bytes:
    """Return the RLP of a header; later forks have more fields.

    If the fields that are known do not give the hash, those that are not known follow as they come:
    endpoints answer in the order of the header. The caller checks the hash.
    """
    later = [one for one in _LATER_FIELDS if block.get(one[0]) is not None]
    kinds = [(name, _number if is_number else bytes_of) for name, is_number in (*_FIELDS, *later)]
    known: list[Rlp] = [read(block[name]) for name, read in kinds]
    encoded = encode_rlp(known)
    more = [_unknown(value) for name, value in block.items() if _is_unknown(name, value)]
    if not more or len(more) > _MOST_UNKNOWN or keccak(encoded) == bytes_of(block["hash"]):
        return encoded
    longer = (encode_rlp([*known, *more[:count]]) for count in range(1, len(more) + 1))
    wanted = bytes_of(block["hash"])
    return next((one for one in longer if keccak(one) == wanted), encoded)


def _is_unknown(name: str, value: Any) -> bool:
    return name not in _NAMED and isinstance(value, str) and _HEX.fullmatch(value) is not None


def _unknown(value: str) -> bytes:
    """Read a field without knowing its type: a quantity has no leading zero, unlike most hashes."""
    is_bytes = len(value) == _HASH_CHARS or (len(value) % 2 == 0 and value.startswith("0x0"))
    return bytes_of(value) if is_bytes and value != "0x0" else _number(value)


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
    more = list[Rlp]()
    if kind == _DEPOSIT and receipt.get(
        "depositReceiptVersion"
    ):  # since Canyon; before, it was not hashed
        more = [_number(receipt[name]) for name in ("depositNonce", "depositReceiptVersion")]
    encoded = encode_rlp([*numbers, bytes_of(receipt["logsBloom"]), logs, *more])
    return bytes([kind]) + encoded if kind else encoded


def _field(transaction: Json, name: str) -> Rlp:
    value = transaction.get(name)
    if name == "yParity" and value is None:
        value = transaction["v"]  # some endpoints use only the older name
    if name == "maxFeePerGas" and value is None:
        value = transaction["gasPrice"]  # Arbitrum's unsigned kind
    return _READERS.get(name, _number)(value)


def _to(value: Any) -> Rlp:
    return bytes_of(value or "0x")  # empty for a contract creation


def _optional(value: Any) -> Rlp:
    return _number(value or "0x0")


def _flag(value: Any) -> Rlp:
    return number_bytes(int(value is True or value == "0x1"))


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
    **dict.fromkeys(("to", "retryTo"), _to),
    **dict.fromkeys(("from", "refundTo", "beneficiary", "retryData"), bytes_of),
    **dict.fromkeys(("sourceHash", "requestId", "ticketId"), bytes_of),
    "mint": _optional,
    "isSystemTx": _flag,
    "input": bytes_of,
    "address": bytes_of,
    "accessList": _access_list,
    "authorizationList": _authorizations,
    "blobVersionedHashes": _hashes,
}
