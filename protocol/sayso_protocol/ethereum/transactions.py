"""Who signed a transaction of Ethereum, and what its receipt says, from their bytes in a block's tries.

Kinds: before EIP-2718, and 1 to 4 (EIP-2930, EIP-1559, EIP-4844, EIP-7702). They differ in many fields,
but in all of them the last three are the signature over what comes before.
"""

from typing import Final, NamedTuple

from sayso_protocol.errors import BadProof, BadSignature
from sayso_protocol.ethereum.tries import Rlp, decode_rlp, encode_rlp, number_bytes, text_of
from sayso_protocol.primitives import HASH_BYTES, keccak
from sayso_protocol.signatures.wallets import recover

_FIRST_OF_A_LIST: Final = 0xC0
_KINDS: Final = frozenset({1, 2, 3, 4})
_OLD_FIELDS: Final = 9
_OLD_SIGNED: Final = 6
_RECEIPT_FIELDS, _LOG_FIELDS = 4, 3


class Log(NamedTuple):
    """An event: which contract, its topics, its data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


def sender_of(raw: bytes) -> bytes:
    """Whose transaction this is, 20 bytes; raises BadProof."""
    if raw[:1] and raw[0] >= _FIRST_OF_A_LIST:
        content, parity, signature = _old(_list(raw))
    else:
        kind, fields = _kind(raw), _list(raw[1:])
        if len(fields) <= 3:
            raise BadProof("the transaction lacks fields")
        content, signature = bytes([kind]) + encode_rlp(fields[:-3]), fields[-2:]
        parity = int.from_bytes(text_of(fields[-3]))
    parts = [text_of(one) for one in signature]
    if parity > 1 or any(len(one) > HASH_BYTES for one in parts):
        raise BadProof("the transaction is not signed as one")
    joined = b"".join(one.rjust(HASH_BYTES, b"\0") for one in parts) + bytes([27 + parity])
    try:
        return recover(keccak(content), joined)
    except BadSignature as error:
        raise BadProof("the transaction is not signed as one") from error


def logs_of(raw: bytes) -> list[Log]:
    """The events in a receipt of a transaction that took effect; raises BadProof for any other."""
    receipt = _list(raw if raw[:1] and raw[0] >= _FIRST_OF_A_LIST else raw[1:])
    if len(receipt) != _RECEIPT_FIELDS or text_of(receipt[0]) != b"\1":
        raise BadProof("the transaction took no effect, or that is no receipt of one")
    logs = receipt[3]
    if not isinstance(logs, list):
        raise BadProof("the receipt has no logs")
    return [_log(one) for one in logs]


def _kind(raw: bytes) -> int:
    if not raw or raw[0] not in _KINDS:
        raise BadProof("transactions of that kind are not known here")
    return raw[0]


def _old(fields: list[Rlp]) -> tuple[bytes, int, list[Rlp]]:
    """What was signed of a transaction before EIP-2718, the parity, r and s; with EIP-155 or without."""
    if len(fields) != _OLD_FIELDS:
        raise BadProof("the transaction lacks fields")
    v, signed = int.from_bytes(text_of(fields[_OLD_SIGNED])), fields[:_OLD_SIGNED]
    if v in {27, 28}:
        return encode_rlp(signed), v - 27, fields[7:]
    if v < 35:
        raise BadProof("the transaction is not signed as one")
    return encode_rlp([*signed, number_bytes((v - 35) // 2), b"", b""]), (v - 35) % 2, fields[7:]


def _log(value: Rlp) -> Log:
    if not isinstance(value, list) or len(value) != _LOG_FIELDS or not isinstance(value[1], list):
        raise BadProof("a log of the receipt is none")
    return Log(text_of(value[0]), tuple(text_of(one) for one in value[1]), text_of(value[2]))


def _list(raw: bytes) -> list[Rlp]:
    value = decode_rlp(raw)
    if not isinstance(value, list):
        raise BadProof("a list is expected")
    return value
