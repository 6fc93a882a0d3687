"""Decoding of the registry's events from raw logs, without a chain or web3.

A log is an entry of eth_getLogs, either JSON (hexadecimal text) or decoded by web3 (bytes and integers).
The endpoint is not trusted, so a log that the contract cannot have written raises BadLog.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sayso_contracts.errors import BadLog
from sayso_contracts.registry.abi import decode_event, topic
from sayso_contracts.rpc import quantity_from_text
from sayso_protocol.primitives import (
    ADDRESS_BYTES,
    HASH_BYTES,
    address_from_text,
    address_text,
    hex_text,
)


@dataclass(frozen=True)
class LogPosition:
    """LogPosition is the place of a log in the chain.

    Attributes:
        block_number: The height of the block.
        block_hash: The hash of the block, 32 bytes, which differs between forks.
        log_index: The position among the logs of the block.
        tx_hash: The transaction that wrote the log, 32 bytes.
    """

    block_number: int
    block_hash: bytes
    log_index: int
    tx_hash: bytes


@dataclass(frozen=True)
class Revoked(LogPosition):
    """Revoked states that bits of a contributor were set for the first time.

    Attributes:
        contributor: The address, 20 bytes.
        word: The number of the word.
        bits: The newly set bits of the word.
    """

    contributor: bytes
    word: int
    bits: int


@dataclass(frozen=True)
class Anchored(LogPosition):
    """Anchored states that a root was anchored for the first time.

    Attributes:
        root: The root, 32 bytes.
        submitter: The sender of the call, 20 bytes, who has no special rights.
    """

    root: bytes
    submitter: bytes


@dataclass(frozen=True)
class Endorsed(LogPosition):
    """Endorsed states that a statement was endorsed for the first time by its sender.

    Attributes:
        signer: The sender of the call, 20 bytes.
        digest: The digest of the statement, 32 bytes.
    """

    signer: bytes
    digest: bytes


Event = Revoked | Anchored | Endorsed
_EVENTS: Final[dict[bytes, type[Event]]] = {
    topic(one.__name__): one for one in (Revoked, Anchored, Endorsed)
}
TOPICS = REVOKED_TOPIC, ANCHORED_TOPIC, ENDORSED_TOPIC = tuple(_EVENTS)


def log_filter(registry: bytes, from_block: int, to_block: int) -> dict[str, Any]:
    """Return the eth_getLogs filter for all events of a registry, with both blocks included."""
    return {
        "address": [address_text(registry)],  # the form that every web3 middleware accepts
        "fromBlock": hex(from_block),
        "toBlock": hex(to_block),
        "topics": [[hex_text(one) for one in TOPICS]],
    }


def decode_log(raw_log: Mapping[str, Any], registry: bytes | None = None) -> Event | None:
    """Decode the event in a log of `registry` (of any contract if None).

    Returns None for other contracts' logs, other events, and logs that a reorganisation removed. Raises
    BadLog.
    """
    try:
        return _decode(raw_log, registry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadLog(f"not a log as eth_getLogs answers it: {str(error)[:200]}") from error


def _decode(raw_log: Mapping[str, Any], registry: bytes | None) -> Event | None:
    topics = [_bytes(one, HASH_BYTES) for one in raw_log["topics"]]
    removed = raw_log.get("removed")
    if not isinstance(removed, (bool, type(None))):
        raise TypeError("whether a log was removed is true or false")  # not "false", which is true
    kind = _EVENTS.get(topics[0]) if topics else None
    if removed or kind is None:
        return None
    if registry is not None and _bytes(raw_log["address"], ADDRESS_BYTES) != registry:
        return None
    values: list[Any] = [
        address_from_text(one) if isinstance(one, str) else one
        for one in decode_event(kind.__name__, topics, _bytes(raw_log["data"]))
    ]
    return kind(
        _integer(raw_log["blockNumber"]),
        _bytes(raw_log["blockHash"], HASH_BYTES),
        _integer(raw_log["logIndex"]),
        _bytes(raw_log["transactionHash"], HASH_BYTES),
        *values,
    )


def _bytes(value: object, length: int | None = None) -> bytes:
    if isinstance(value, str):
        value = bytes.fromhex(value.removeprefix("0x"))
    if not isinstance(value, bytes):  # bytes(10**10) would allocate ten gigabytes
        raise TypeError(f"hexadecimal text or bytes expected, not {type(value).__name__}")
    if length is not None and len(value) != length:
        raise ValueError(f"{length} bytes expected, {len(value)} given")
    return bytes(value)


def _integer(value: object) -> int:
    number = quantity_from_text(value) if isinstance(value, str) else value
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError(f"a number expected, not {str(value)[:40]!r}")
    return number
