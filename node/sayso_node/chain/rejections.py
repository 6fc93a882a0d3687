"""Reads what the registry rejected in a relay out of the logs of our own transaction's receipt."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from sayso_contracts.abi import describe_revert
from sayso_contracts.errors import BadLog
from sayso_protocol.primitives import keccak

REJECTED_TOPIC = keccak(b"Rejected(uint256,address,bytes)")


class Rejected(NamedTuple):
    """An item of a relay that had no effect: its place, and why, for people."""

    place: int
    why: str


def decode_rejected(raw_log: Mapping[str, Any], registry: bytes) -> Rejected | None:
    """The rejection in a log, None for any other log; raises BadLog."""
    try:
        topics = [bytes(one) for one in raw_log["topics"]]
        is_ours = bytes.fromhex(str(raw_log["address"]).removeprefix("0x")) == registry
        if not is_ours or not topics or topics[0] != REJECTED_TOPIC:
            return None
        place, reason = decode(["uint256", "bytes"], bytes(raw_log["data"]))
    except (KeyError, TypeError, ValueError, DecodingError) as error:
        raise BadLog(f"not a Rejected event: {str(error)[:200]}") from error
    return Rejected(place, describe_revert(reason))
