"""What devices make of typed data, computed from the published rules; no device was tried.

Trezor asks its host for each struct and for each value, one at a time (EthereumTypedDataStructRequest
and EthereumTypedDataValueRequest of its messages); the length of a list is a value, too.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from docs.test_notices import SCREEN

FIRST_AND_LAST: Final = 1  # the signature is the answer to the last question


class Trezor(NamedTuple):
    """How often a Trezor asks."""

    values: int
    round_trips: int


def texts(data: dict[str, Any]) -> Iterator[str]:
    """The text of each field and element of a message, as a wallet shows it raw."""
    for value in data["message"].values():
        yield from map(str, value) if isinstance(value, list) else (str(value),)


def characters(data: dict[str, Any]) -> int:
    """How many characters a wallet shows of a message."""
    return sum(map(len, texts(data)))


def screens(data: dict[str, Any]) -> int:
    """How many screens of a small device that is; each text begins a new one."""
    return sum(-(-len(one) // SCREEN) for one in texts(data) if one)


def trezor(data: dict[str, Any]) -> Trezor:
    """How many values a Trezor asks for, and how many round trips that takes."""
    message = data["message"]
    lists = [value for value in message.values() if isinstance(value, list)]
    values = len(data["domain"]) + len(message) + sum(map(len, lists))
    structs = len(data["types"])
    return Trezor(values, values + structs + FIRST_AND_LAST)
