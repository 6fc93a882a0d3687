"""Encoding of calls and decoding of answers by the registry's ABI, without a chain or web3.

Example: `encode_call("revoke", word, mask)` returns the call data.
"""

from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import collapse_if_tuple

from sayso_contracts.errors import BadLog, CallReverted, NotDeployed
from sayso_contracts.registry.artifact import AbiEntry, abi
from sayso_protocol.primitives import hex_text, keccak

SELECTOR_BYTES = 4
WORD_BYTES = 32


def _types(parameters: list[AbiEntry]) -> list[str]:
    return [collapse_if_tuple(parameter) for parameter in parameters]


def _hash(entry: AbiEntry) -> bytes:
    return keccak(f"{entry['name']}({','.join(_types(entry['inputs']))})".encode())


@cache
def _entry(kind: str, name: str) -> AbiEntry:
    return next(entry for entry in abi() if entry["type"] == kind and entry["name"] == name)


@cache
def _errors() -> dict[bytes, AbiEntry]:
    return {_hash(entry)[:SELECTOR_BYTES]: entry for entry in abi() if entry["type"] == "error"}


def topic(event: str) -> bytes:
    """Return the 32-byte topic 0 of an event's logs."""
    return _hash(_entry("event", event))


def encode_call(function: str, *arguments: object) -> bytes:
    """Encode the call data of `function`; raises CallReverted for arguments of wrong types."""
    entry = _entry("function", function)
    try:
        return _hash(entry)[:SELECTOR_BYTES] + encode(_types(entry["inputs"]), arguments)
    except EncodingError as error:
        raise CallReverted(f"the arguments do not fit {function}: {error}") from error


def decode_answer(function: str, data: bytes) -> tuple[Any, ...]:
    """Decode the values of a view; raises NotDeployed if the data cannot come from the registry."""
    try:
        return decode(_types(_entry("function", function)["outputs"]), data)
    except DecodingError as error:
        raise NotDeployed(f"the answer to {function} is not that of a Sayso registry") from error


def decode_event(event: str, topics: list[bytes], data: bytes) -> tuple[Any, ...]:
    """Decode a log into its indexed values, in order, and then the others; raises BadLog."""
    inputs = _entry("event", event)["inputs"]
    indexed = [entry["type"] for entry in inputs if entry["indexed"]]
    plain = [entry["type"] for entry in inputs if not entry["indexed"]]
    if len(topics) != len(indexed) + 1:
        raise BadLog(f"a log of {event} has {len(indexed) + 1} topics, not {len(topics)}")
    if len(data) != WORD_BYTES * len(plain):  # each of our types takes one word
        raise BadLog(f"a log of {event} has {len(plain)} words of data, not {len(data)} bytes")
    try:
        return decode(indexed, b"".join(topics[1:])) + decode(plain, data)
    except DecodingError as error:
        raise BadLog(f"the log is not a valid {event}: {error}") from error


def describe_revert(data: bytes) -> str:
    """Decode revert data for people, such as `TooMany(given=17, limit=16)`."""
    entry = _errors().get(data[:SELECTOR_BYTES])
    if entry is None:
        return f"reverted with {hex_text(data)}" if data else "reverted without a reason"
    try:
        values = decode(_types(entry["inputs"]), data[SELECTOR_BYTES:])
    except DecodingError:
        return f"{entry['name']} with undecodable arguments"
    names = [parameter["name"] for parameter in entry["inputs"]]
    named = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
    return f"{entry['name']}({named})"
