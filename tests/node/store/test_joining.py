"""Parts that wait together are one change; each has its own result, and stands or falls alone."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from node.store.harness import Held, Refused, number, numbers
from sayso_node.errors import StoreUnusable
from sayso_node.store.interface import Store, Writing
from sayso_node.store.writing.joining import MOST_WEIGHT, Joint, joined
from sayso_node.store.writing.writer import Change

Values = list[int]


class Parts:
    """Applies parts, and remembers which came together; negative numbers fail."""

    def __init__(self) -> None:
        self.calls: list[Values] = []

    def apply(self, db: Writing, parts: Sequence[int]) -> Values:
        self.calls.append(list(parts))
        return [number(abs(one), fails=one < 0)(db) * 10 for one in parts]

    async def all(self, store: Store, *parts: tuple[str, int]) -> list[Any]:
        """What came of parts (key, number) that all waited together."""
        async with Held(store):
            tasks = [asyncio.create_task(store.join(key, self.apply, one, 1)) for key, one in parts]
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_parts_with_one_key_are_applied_by_one_call(store: Store) -> None:
    parts = Parts()
    answers = await parts.all(store, ("a", 1), ("b", 2), ("a", 3), ("b", 4), ("a", 5))
    assert answers == [10, 20, 30, 40, 50]
    assert parts.calls == [[1, 3, 5], [2, 4]]
    with store.read() as db:
        assert numbers(db) == {-1, 1, 2, 3, 4, 5}


async def test_one_that_waits_for_nobody_is_applied_alone(store: Store) -> None:
    parts = Parts()
    assert await store.join("a", parts.apply, 1, 1) == 10
    assert await store.join("a", parts.apply, 2, 1) == 20
    assert parts.calls == [[1], [2]]


async def test_a_part_that_fails_takes_no_other_with_it(store: Store) -> None:
    parts = Parts()
    answers = await parts.all(store, ("a", 1), ("a", -2), ("a", 3), ("b", 4))
    assert [answers[0], *answers[2:]] == [10, 30, 40]
    assert isinstance(answers[1], Refused)
    assert parts.calls[-1] != [1, -2, 3]
    with store.read() as db:
        assert numbers(db) == {-1, 1, 3, 4}


def nothing(_db: Writing, _parts: Sequence[int]) -> Values:
    return []


def heavy(key: str, weight: int) -> Change:
    return Change(
        lambda _db: None, lambda _value, _error: None, Joint(key, lambda _db, _p: [], 0, weight)
    )


@pytest.mark.parametrize(
    ("weights", "changes"),
    [
        ([1] * MOST_WEIGHT, 1),
        ([1] * (MOST_WEIGHT + 1), 2),
        ([MOST_WEIGHT, 1], 2),
        ([10 * MOST_WEIGHT, 1, 1], 2),
        ([1, 10 * MOST_WEIGHT, 1], 3),
    ],
)
def test_a_joined_change_has_a_bounded_weight(weights: list[int], changes: int) -> None:
    assert len(joined([heavy("a", one) for one in weights], lambda _: None)) == changes


def test_a_store_that_fails_is_asked_no_second_time() -> None:
    told: list[object] = []
    group = [
        Change(
            lambda _db: None, lambda _v, error: told.append(error), Joint("a", lambda _d, _p: [], 0, 1)
        )
        for _ in range(3)
    ]
    [change] = joined(group, lambda _: told.append("committed again"))
    failure = StoreUnusable("the disk is full")
    change.done(None, failure)
    assert told == [failure] * 3
