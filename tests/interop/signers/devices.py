"""What a person reads on a device, computed from published rules; no device was tried."""

from collections.abc import Iterator
from typing import Any

from docs.test_notices import SCREEN


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
