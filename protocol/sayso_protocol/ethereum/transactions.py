"""Senders and events of Ethereum transactions, from their encoded bytes (rule 10.11).

Supported are legacy transactions and kinds 1 to 4 of EIP-2718 (EIP-2930, EIP-1559, EIP-4844, EIP-7702).
In kinds 1 to 4, the last three fields are the signature over the kind and the other fields. Rollups have
kinds without a signature, which they carry out in the name of an address: deposits of the OP Stack
(specs.optimism.io, deposits), and some of Arbitrum (nitro's go-ethereum, core/types/arb_types.go).
"""

from typing import Final, NamedTuple

from sayso_protocol.errors import BadProof, BadSignature
from sayso_protocol.ethereum.tries import Rlp, decode_rlp, encode_rlp, number_bytes, text_of
from sayso_protocol.primitives import ADDRESS_BYTES, HASH_BYTES, keccak
from sayso_protocol.signatures.wallets import recover

_FIRST_OF_A_LIST: Final = 0xC0
_KINDS: Final = frozenset({1, 2, 3, 4})
_UNSIGNED: Final = {0x7E: (8, 1), 0x65: (8, 1), 0x66: (8, 2), 0x68: (12, 2)}
"""Kinds without a signature: number of fields, and the place of the sender among them."""
_DEPOSIT: Final = 0x7E  # its receipt may also have the nonce of the deposit, and a version
_DEPOSIT_FIELDS: Final = 6
_OLD_FIELDS: Final = 9
_OLD_SIGNED: Final = 6
_RECEIPT_FIELDS, _LOG_FIELDS = 4, 3


class Log(NamedTuple):
    """Log is an event of a transaction receipt.

    Attributes:
        address: The contract, 20 bytes.
        topics: Topics, 32 bytes each.
        data: The event's data.
    """

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


def is_signed(raw: bytes) -> bool:
    """Return False for an encoded transaction of a kind that has no signature (rule 10.11.12)."""
    return raw[:1] not in {bytes([kind]) for kind in _UNSIGNED}


def sender_of(raw: bytes) -> bytes:
    """Return the sender of an encoded transaction, 20 bytes (rules 10.11.9 and 10.11.12).

    Raises BadProof.
    """
    if not is_signed(raw):
        return _stated_sender(raw[0], _list(raw[1:]))
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
    """Return the events of an encoded transaction receipt; raises BadProof if it did not take effect."""
    if text_of(_receipt(raw)[0]) != b"\1":
        raise BadProof("this is not the receipt of a transaction that took effect")
    return all_logs(raw)


def all_logs(raw: bytes) -> list[Log]:
    """Return the events of an encoded transaction receipt; one without effect has none.

    Raises BadProof.
    """
    logs = _receipt(raw)[3]
    if not isinstance(logs, list):
        raise BadProof("the receipt has no logs")
    return [_log(one) for one in logs]


def _stated_sender(kind: int, fields: list[Rlp]) -> bytes:
    count, place = _UNSIGNED[kind]
    if len(fields) != count or len(sender := text_of(fields[place])) != ADDRESS_BYTES:
        raise BadProof("the transaction does not have the fields of its kind")
    return sender


def _receipt(raw: bytes) -> list[Rlp]:
    receipt = _list(raw if raw[:1] and raw[0] >= _FIRST_OF_A_LIST else raw[1:])
    most = _DEPOSIT_FIELDS if raw[0] == _DEPOSIT else _RECEIPT_FIELDS
    if not _RECEIPT_FIELDS <= len(receipt) <= most:
        raise BadProof("the transaction receipt has another form than Ethereum's")
    return receipt


def _kind(raw: bytes) -> int:
    if not raw or raw[0] not in _KINDS:
        raise BadProof("transactions of this kind are not supported")
    return raw[0]


def _old(fields: list[Rlp]) -> tuple[bytes, int, list[Rlp]]:
    """Return signed bytes, parity, and r and s of a legacy transaction, with or without EIP-155."""
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
        raise BadProof("a log of the receipt has another form than Ethereum's")
    return Log(text_of(value[0]), tuple(text_of(one) for one in value[1]), text_of(value[2]))


def _list(raw: bytes) -> list[Rlp]:
    value = decode_rlp(raw)
    if not isinstance(value, list):
        raise BadProof("expected an RLP list")
    return value
