"""Logs that come after their block, on a chain of any speed: none is lost, and history is read once."""

import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from node.chain.following.test_follower import Following
from sayso_contracts.registry.events import Event
from sayso_node.chain.following import follower
from sayso_node.chain.rpc.pace import Pace
from sayso_node.errors import RangeRefused, TooManyRequests
from sayso_node.store.chain import late_blocks
from sayso_node.store.interface import Writing
from support.fake_chain import revoked
from support.node_rig import NodeRig
from support.protocol_strategies import ADA
from support.tries import tries

POLL_S = 2.0
LONGEST_S = max(late_blocks.PASSES_S) + follower.LATE_EVERY_S + 2 * POLL_S


@pytest.fixture
def following(rig: NodeRig) -> Following:
    found = Following(rig)
    found.chain.now = rig.clock.now
    return found


async def pass_time(following: Following, seconds: float, block_s: float) -> None:
    """Mine empty blocks and poll, as time goes by."""
    clock, chain = following.rig.clock, following.chain
    end, mined_at = clock.time + seconds, clock.time
    while clock.time < end:
        clock.time += POLL_S
        while mined_at + block_s <= clock.time:
            mined_at += block_s
            chain.time = mined_at
            chain.mine()
        await following.read()


EVERYDAY = {(0.25, 1.0), (0.25, 590.0), (12.0, 119.0)}  # the ends; the others take as long as these


@pytest.mark.parametrize(
    ("block_s", "late_s"),
    [
        pytest.param(*pair, marks=() if pair in EVERYDAY else pytest.mark.long)
        for pair in product((0.25, 1.0, 12.0), (1.0, 8.0, 60.0, 119.0, 590.0))
    ],
)
async def test_late_logs_are_read(following: Following, block_s: float, late_s: float) -> None:
    """On the commit before, eight blocks were read again: two seconds of a chain with four a second."""
    following.chain.late_s = late_s
    following.chain.has_whole_headers = False  # so that nothing but the logs says what there is
    following.chain.mine(revoked(ADA, 7, 1))
    await following.read()
    assert following.bits() == {}
    await pass_time(following, LONGEST_S, block_s)
    assert following.bits() == {7: 1}


async def test_also_after_a_restart(following: Following) -> None:
    following.chain.late_s = 60.0
    following.chain.has_whole_headers = False
    following.chain.mine(revoked(ADA, 7, 1))
    await following.read()
    again = Following(following.rig, chain=following.chain)
    await pass_time(again, LONGEST_S, 0.25)
    assert again.bits() == {7: 1}


async def test_what_was_read_twice_again_is_done(following: Following) -> None:
    following.chain.mine()
    await following.read()
    await pass_time(following, LONGEST_S, 12.0)
    first = following.chain.blocks[1]
    with following.rig.store.read() as db:
        (oldest,) = db.execute("SELECT min(first) FROM late_ranges").fetchone()
    assert oldest > 1
    assert following.chain.blocks[1] is first


async def test_deep_history_is_read_once(following: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "YOUNG_BLOCKS", 10)
    monkeypatch.setattr(follower, "RANGE_BLOCKS", 50)
    for number in range(1, 201):
        following.chain.mine(revoked(ADA, number, 1))
    await following.read()
    await pass_time(following, LONGEST_S, 12.0)
    read = [block for first, last in following.chain.ranges for block in range(first, last + 1)]
    assert all(read.count(block) == 1 for block in range(1, 180))
    assert all(read.count(block) >= 3 for block in range(191, 201))


async def test_what_the_store_lost_of_the_chain_comes_back(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A range an hour, from the deployment to the newest old block, and then again."""
    monkeypatch.setattr(follower, "YOUNG_BLOCKS", 10)
    monkeypatch.setattr(follower, "RANGE_BLOCKS", 20)
    monkeypatch.setattr(following.follower, "_range", 20)
    following.chain.mine(revoked(ADA, 7, 1))
    await pass_time(following, 2 * LONGEST_S, 10.0)  # so that nothing is read again as late
    assert following.bits() == {7: 1}

    def lose(db: Writing) -> None:
        db.execute("DELETE FROM bits")
        db.execute("DELETE FROM bit_sums")  # both, alike: no read can notice

    await following.rig.store.write(lose)
    asked = len(following.chain.ranges)
    await pass_time(following, 2 * follower.PATROL_EVERY_S, 600.0)
    assert following.bits() == {7: 1}
    assert following.rig.store.damage.text
    old = [one for one in following.chain.ranges[asked:] if one[1] < 60 - 10]
    assert 0 < len(old) <= 3
    assert all(last - first <= 20 for first, last in old)


async def test_a_reorganisation_forgets_what_is_gone(following: Following) -> None:
    chain = following.chain
    for _ in range(3):
        chain.mine()
    await following.read()
    chain.drop(2)
    chain.late_s = 60.0
    chain.mine(revoked(ADA, 7, 1))
    await following.read()
    await pass_time(following, LONGEST_S, 0.25)
    assert following.bits() == {7: 1}


@settings(max_examples=tries(25))
@given(limit=some.integers(1, 12), blocks=some.integers(1, 60))
async def test_any_limit_of_blocks_reaches_the_head(limit: int, blocks: int) -> None:
    """On the commit before, a limit of eight blocks or less never did: eight more were asked for."""
    with tempfile.TemporaryDirectory() as folder, NodeRig(Path(folder)) as rig:
        following = Following(rig)
        ask = following.chain.events

        async def narrow(first: int, last: int) -> list[Event]:
            if last - first >= limit:
                raise RangeRefused("too many blocks")
            return await ask(first, last)

        following.chain.events = narrow  # type: ignore[method-assign]
        for number in range(1, blocks + 1):
            following.chain.mine(revoked(ADA, number, 1))
        await following.read()
        await pass_time(following, 200, 2.0)
        assert following.bits() == dict.fromkeys(range(1, blocks + 1), 1)
        cursor = following.cursor()
        assert cursor
        assert cursor.number == len(following.chain.blocks) - 1


async def test_a_pace_is_not_a_range(following: Following) -> None:
    """On the commit before, each refusal halved the range."""
    for _ in range(5):
        following.chain.mine()

    async def too_fast(_first: int, _last: int) -> list[Event]:
        raise TooManyRequests("slow down")

    ask, following.chain.events = following.chain.events, too_fast  # type: ignore[method-assign, assignment]
    for _ in range(20):
        with pytest.raises(TooManyRequests):
            await following.read()
    following.chain.events = ask  # type: ignore[method-assign]
    await following.read()
    assert following.chain.ranges == [(1, 5)]


class Metered:
    """An endpoint of five calls a second and few blocks a range, asked at the pace that a node keeps."""

    CALLS, BLOCK_S = 5, 2.0  # a second; of the chain, which goes on meanwhile

    def __init__(self, following: Following, limit: int) -> None:
        self.clock, self.chain, self.limit = following.rig.clock, following.chain, limit
        self.pace = Pace(self._sleep, lambda: self.clock.time)
        self.refused = self._calls = 0
        self._second = self._mined_at = self.clock.time
        for name in (
            "head",
            "header",
            "events",
            "events_of",
            "proved_events",
        ):
            setattr(self.chain, name, partial(self._ask, getattr(self.chain, name)))

    async def _sleep(self, seconds: float) -> None:
        self.clock.time += seconds
        while self._mined_at + self.BLOCK_S <= self.clock.time:
            self._mined_at += self.BLOCK_S
            self.chain.time = self._mined_at
            self.chain.mine()

    async def _ask(self, ask: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        await self.pace.wait()
        while self._is_too_much():
            self.refused += 1
            self.pace.slow_down("1")
            await self.pace.wait()
        self.pace.went_well()
        if ask.__name__ == "events" and arguments[1] - arguments[0] >= self.limit:
            raise RangeRefused(f"at most {self.limit} blocks")
        return await ask(*arguments)

    def _is_too_much(self) -> bool:
        if self.clock.time >= self._second + 1:
            self._second, self._calls = self.clock.time, 0
        self._calls += 1
        return self._calls > self.CALLS


@pytest.mark.parametrize("limit", [5, 10])
async def test_five_calls_a_second_and_a_narrow_range_reach_the_head(
    following: Following, limit: int
) -> None:
    """Three hundred blocks behind, on a chain that makes one every two seconds."""
    for number in range(1, 301):
        following.chain.mine(revoked(ADA, number, 1))
    metered = Metered(following, limit)
    for _ in range(300):
        await following.read()
        await metered._sleep(POLL_S)
    cursor = following.cursor()
    assert cursor
    assert metered.refused
    assert len(following.chain.blocks) - cursor.number <= 4
    assert following.bits() == dict.fromkeys(range(1, 301), 1)
