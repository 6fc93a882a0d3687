"""All logs in block order, and the filter rules of eth_getLogs.

A topic filter is a list by position: null matches any topic, and a list matches any of its members. A
filter that is longer than the log's topics never matches.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


class LogIndex:
    """LogIndex finds logs in a range of blocks without reading the blocks."""

    def __init__(self) -> None:
        self._numbers: list[int] = []  # block number of each log, ascending
        self._logs: list[Json] = []

    def add(self, number: int, logs: Sequence[Json]) -> None:
        """Append the logs of a new block."""
        self._numbers.extend([number] * len(logs))
        self._logs.extend(logs)

    def find(self, first: int, last: int, address: object, topics: object) -> list[Json]:
        """Return the matching logs of the blocks `first` to `last`, inclusive."""
        begin, end = bisect_left(self._numbers, first), bisect_right(self._numbers, last)
        addresses = _alternatives(address)
        positions = [_alternatives(topic) for topic in topics] if isinstance(topics, list) else []
        return [log for log in self._logs[begin:end] if _matches(log, addresses, positions)]


def _alternatives(wanted: object) -> frozenset[str] | None:
    """Return the members of a filter in lower case; None matches anything."""
    if wanted is None or wanted == []:
        return None
    members = wanted if isinstance(wanted, list) else [wanted]
    return frozenset(str(member).lower() for member in members)


def _matches(
    log: Json, addresses: frozenset[str] | None, positions: Sequence[frozenset[str] | None]
) -> bool:
    if addresses is not None and log["address"].lower() not in addresses:
        return False
    if len(positions) > len(log["topics"]):
        return False
    return all(
        wanted is None or topic in wanted
        for wanted, topic in zip(positions, log["topics"], strict=False)
    )
