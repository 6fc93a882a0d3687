"""A limit of requests: the node waits as asked, and takes no such limit for one of blocks."""

import asyncio

import pytest

from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.pace import LONGEST_REST_S, LONGEST_S, Pace, is_about_pace
from sayso_node.errors import ChainUnreachable
from support.endpoint import CUT, Failure, Raw, endpoint
from support.waiting import DEADLINE_S

# As providers word them; the last column says whether the pace is meant.
ERRORS = [
    (429, "Your app has exceeded its compute units per second capacity.", True),
    (-32_005, "daily request count exceeded, request rate limited", True),
    (-32_005, "query returned more than 10000 results", False),
    (-32_005, "rate limit exceeded", True),
    (-32_029, "Too Many Requests", True),
    (-32_097, "call rate limit exhausted, retry in 10s", True),
    (-32_000, "project ID request rate exceeded: 5 per second", True),
    (-32_005, "project ID request rate exceeded", True),
    (-32_005, "daily request count exceeded", True),
    (-32_005, "You've exceeded the RPS limit available on the current plan.", True),
    (-32_001, "Exceeded the quota usage", True),
    (35, "You've reached the usage limit for your current plan", True),
    (-32_602, "eth_getLogs is limited to a 10,000 range: block range too wide", False),
    (-32_000, "exceed maximum block range: 5000", False),
    (-32_600, "eth_getLogs requests with up to a 10 block range are allowed", False),
    (-32_000, "Log response size exceeded", False),
    (-32_000, "header not found", False),
    (-32_000, "Too many request, please slow down", True),
    (-32_005, "throttled: 300 calls per 60 s", True),
    (1_015, "You are being rate limited", True),
    (-32_090, "Too many requests, reason: call rate limit exhausted", True),
    (None, None, False),
]


class Time:
    """A clock that only sleeping moves."""

    now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("code", "message", "expected"), ERRORS)
def test_errors_as_providers_word_them(code: int, message: str, expected: bool) -> None:
    assert is_about_pace({"code": code, "message": message}) is expected


async def test_the_wait_is_at_least_what_was_asked_for() -> None:
    time = Time()
    pace = Pace(time.sleep, lambda: time.now)
    pace.slow_down("7")
    await pace.wait()
    assert time.now == 7.0


@pytest.mark.parametrize(
    "asked", ["99999", "9" * 400, "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "", "\u0663"]
)
async def test_no_endpoint_stops_the_node_for_long(asked: str) -> None:
    time = Time()
    pace = Pace(time.sleep, lambda: time.now)
    pace.slow_down(asked)
    await pace.wait()
    assert 0 < time.now <= LONGEST_S


async def test_each_refusal_in_a_row_waits_longer() -> None:
    time = Time()
    pace = Pace(time.sleep, lambda: time.now)
    waits = []
    for _ in range(12):
        before = time.now
        pace.slow_down(None)
        await pace.wait()
        waits.append(time.now - before)
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_S
    pace.went_well()
    before = time.now
    pace.slow_down(None)
    await pace.wait()
    assert time.now - before == waits[0]


REFUSALS = {
    "429": Raw(b"{}", 429),
    "by its code": Failure({"code": 429, "message": "slow down"}),
    "a text": Failure("rate limit exceeded"),
    "of a gateway": Raw(b'{"message": "API rate limit exceeded"}'),
    "403 of a gateway": Raw(b"<title>Error 1015: You are being rate limited</title>", 403),
    "403 in JSON": Raw(b'{"error": "rate limit exceeded"}', 403),
    "402, a quota": Raw(b"monthly quota exceeded", 402),
    "503 with a time": Raw(b"", 503, {"Retry-After": "2"}),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_refused_request_is_sent_again(refusal: object) -> None:
    async with endpoint() as rpc:
        answers = [refusal, refusal, "0x7a69"]
        rpc.answers["eth_chainId"] = lambda _asked: answers.pop(0)
        link = JsonRpc(rpc.url)
        time = Time()
        link._pace = Pace(time.sleep, lambda: time.now)
        try:
            async with asyncio.timeout(DEADLINE_S):
                answer = await link.ask("eth_chainId", [])
        finally:
            await link.close()
        assert answer["result"] == "0x7a69"
        assert len(rpc.asked) == 3
        assert time.now > 0


DEAD = {
    "closed": None,
    "503": Raw(b"", 503),
    "HTML": Raw(b"<html>"),
    "cut": CUT,
    "neither a result nor an error": Raw(b'{"message": "no backend"}'),
}


@pytest.mark.parametrize("how", DEAD)
async def test_a_dead_endpoint_is_not_hammered(how: str) -> None:
    """Several parts ask ten times a second for a minute; then it is asked again within a rest."""
    async with endpoint() as rpc:
        time = Time()
        link = JsonRpc(rpc.url, 5.0)
        link._pace = Pace(time.sleep, lambda: time.now)
        honest = rpc.answers["eth_chainId"]
        rpc.answers["eth_chainId"] = DEAD[how]
        tries = 0
        truth = link._by_post

        async def by_post(question: object, limit: int) -> bytes:
            nonlocal tries
            tries += 1
            if how == "closed" and rpc.answers["eth_chainId"] is None:
                raise ConnectionRefusedError("nobody listens")
            return await truth(question, limit)

        link._by_post = by_post  # type: ignore[method-assign]
        for _ in range(600):
            time.now += 0.1
            for _part in range(5):
                with pytest.raises(ChainUnreachable, match="127"):
                    await link.ask("eth_chainId", [])
        assert 5 <= tries <= 12
        rpc.answers["eth_chainId"] = honest
        time.now += LONGEST_REST_S
        for _ in range(3):
            assert (await link.ask("eth_chainId", []))["result"] == honest
        await link.close()


async def test_what_an_endpoint_refuses_or_answers_too_long_makes_no_rest() -> None:
    async with endpoint() as rpc:
        time = Time()
        link = JsonRpc(rpc.url, 5.0)
        link._pace = Pace(time.sleep, lambda: time.now)
        rpc.answers["eth_getLogs"] = Failure({"code": -32_000, "message": "header not found"})
        rpc.answers["eth_gasPrice"] = Raw(b" " * 2_000)
        for _ in range(5):
            assert (await link.ask("eth_getLogs", []))["error"]
            with pytest.raises(ChainUnreachable, match="too large"):
                await link.ask("eth_gasPrice", [], 1_000)
        assert (await link.ask("eth_chainId", []))["result"]
        await link.close()


async def test_failures_side_by_side_count_once() -> None:
    time = Time()
    pace = Pace(time.sleep, lambda: time.now)
    for _ in range(50):
        pace.failed(0.0)
    assert pace.rest_s == 0.0  # the first may be an accident
