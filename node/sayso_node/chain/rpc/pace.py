"""The pace at which an endpoint takes requests; a limit of requests is not a limit of blocks.

Endpoints refuse a fast pace by status 429, with or without Retry-After (RFC 6585, section 4), or by a
JSON-RPC error. All requests to the endpoint then wait. An endpoint that does not answer, or answers
nonsense, is not asked for a while that grows: requests fail at once.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sayso_node.supervision.retrying import backoff

FIRST_S: Final = 0.5
REST_S: Final = 1.0  # after the second failure in a row; the first may be an accident
LONGEST_REST_S: Final = 15.0
LONGEST_S: Final = 30.0  # also of what an endpoint asks for
RATE_CODES: Final = frozenset({429, -32_029, -32_097})
_WORDS: Final = re.compile(
    r"too many (?:request|call)|throttl|slow down|rate.?limit|request (?:limit|rate|count)"
    r"|usage limit|quota|\brps\b|per second|throughput|capacity",
    re.IGNORECASE,
)
_RANGE_WORDS: Final = re.compile(r"block range|range limit|results|response size|blocks", re.IGNORECASE)
TEXT_CHARS: Final = 500  # of an error's message are read


def is_about_pace(error: Mapping[str, Any]) -> bool:
    """Return whether a JSON-RPC error refuses the pace of requests, and not the range of blocks."""
    text = str(error.get("message"))[:TEXT_CHARS]
    if _RANGE_WORDS.search(text):
        return False
    return error.get("code") in RATE_CODES or _WORDS.search(text) is not None


class Pace:
    """Pace delays requests after refusals, longer each time until one goes well."""

    def __init__(
        self, sleep: Callable[[float], Awaitable[None]], monotonic: Callable[[], float]
    ) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._refusals = 0
        self._not_before = 0.0
        self._failures = 0
        self._failed_at = self._rests_until = float("-inf")

    @property
    def now(self) -> float:
        """The time of the clock that this pace uses, in seconds."""
        return self._monotonic()

    @property
    def rest_s(self) -> float:
        """Seconds for which an endpoint that fails is not asked at all; 0 if it is asked."""
        return max(self._rests_until - self._monotonic(), 0.0)

    def failed(self, begun: float) -> None:
        """Record a failure of a request that began then; those that ran side by side count once."""
        if begun <= self._failed_at:
            return
        now = self._failed_at = self._monotonic()
        if self._failures:
            self._rests_until = now + backoff(REST_S, self._failures - 1, LONGEST_REST_S)
        self._failures += 1

    async def wait(self) -> None:
        """Wait until a request may be sent."""
        while (left := self._not_before - self._monotonic()) > 0:
            await self._sleep(left)

    def slow_down(self, retry_after: str | None) -> None:
        """Record a refusal; `retry_after` is the header, in seconds, a date counts as missing."""
        wait_s = backoff(FIRST_S, self._refusals, LONGEST_S)
        if retry_after and retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6:
            wait_s = max(wait_s, float(retry_after))
        self._refusals += 1
        self._not_before = self._monotonic() + min(wait_s, LONGEST_S)

    def went_well(self) -> None:
        """Record an answer."""
        self._refusals = self._failures = 0
