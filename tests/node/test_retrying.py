"""Waiting grows up to its cap, turns come one after the other, and the first answer counts."""

import asyncio

import pytest

from sayso_node.errors import ChainUnreachable, NotFound, PeerUnreachable
from sayso_node.supervision.retrying import backoff, every, first_answer
from support.waiting import DEADLINE_S


def test_a_wait_doubles_up_to_its_cap_for_any_number_of_failures() -> None:
    assert [backoff(0.5, failures, 5.0) for failures in range(5)] == [0.5, 1.0, 2.0, 4.0, 5.0]
    assert backoff(0.5, 1 << 80, 5.0) == 5.0


async def test_turns_come_for_ever_and_the_first_at_once() -> None:
    turns = every(0.001)
    async with asyncio.timeout(DEADLINE_S):
        assert [await anext(turns) for _ in range(3)] == [True] * 3


async def test_who_is_woken_is_told_that_it_is_no_turn() -> None:
    woken = asyncio.Event()
    turns = every(3_600.0, woken)
    async with asyncio.timeout(DEADLINE_S):
        assert await anext(turns)
        woken.set()
        assert not await anext(turns)
        assert not woken.is_set()


async def test_waking_does_not_put_a_turn_off() -> None:
    woken = asyncio.Event()
    turns = every(0.05, woken)
    async with asyncio.timeout(DEADLINE_S):
        assert await anext(turns)
        while True:  # woken as fast as can be, the turn still comes
            woken.set()
            if await anext(turns):
                return


ANSWERS: dict[str, int | Exception] = {
    "down": PeerUnreachable("down"),
    "silent": ChainUnreachable("silent"),
    "good": 1,
    "other": 2,
}


async def _ask(source: str) -> int:
    answer = ANSWERS[source]
    if isinstance(answer, Exception):
        raise answer
    return answer


async def test_the_first_answer_counts() -> None:
    asked = await first_answer(
        ("down", "silent", "good", "other"), _ask, PeerUnreachable, ChainUnreachable
    )
    assert asked == 1


async def test_when_all_fail_the_failure_of_the_first_is_raised() -> None:
    with pytest.raises(PeerUnreachable):
        await first_answer(("down", "silent"), _ask, PeerUnreachable, ChainUnreachable)


async def test_another_error_is_raised_at_once() -> None:
    with pytest.raises(PeerUnreachable):
        await first_answer(("silent", "down", "good"), _ask, ChainUnreachable)


async def test_with_nobody_to_ask_there_is_no_answer() -> None:
    with pytest.raises(NotFound):
        await first_answer((), _ask, ChainUnreachable)
