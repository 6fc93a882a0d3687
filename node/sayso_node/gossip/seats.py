"""Seats that sources share: when all are taken, the source with most gives up its newest."""

import contextlib
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedSeats(Generic[T]):
    """What holds the seats, by source; `most` is how many there are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_source: dict[str, dict[T, None]] = {}  # the newest is the last

    def count(self, source: str) -> int:
        """Return how many seats a source has."""
        return len(self._by_source.get(source, ()))

    @contextlib.contextmanager
    def taken(self, source: str, one: T) -> Iterator[T | None]:
        """Hold a seat in the block, which gets what has to leave for it, perhaps `one` itself."""
        mine = self._by_source.setdefault(source, {})
        mine[one] = None
        try:
            yield self._displaced(mine)
        finally:
            mine.pop(one, None)
            if not mine and self._by_source.get(source) is mine:
                del self._by_source[source]

    def _displaced(self, newcomers: dict[T, None]) -> T | None:
        if sum(map(len, self._by_source.values())) <= self._most:
            return None
        crowd = max(self._by_source.values(), key=len)
        return (crowd if len(crowd) > len(newcomers) else newcomers).popitem()[0]
