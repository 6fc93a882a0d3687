"""Acknowledged means kept: what was answered survives kill -9 of the node and of its gossip process."""

import random
from pathlib import Path

import pytest

from system.mortal import PLACES
from system.mortal_nodes import mortal_node

SEED = 549
CHILD_KILLS = 8


def lives() -> list[list[str]]:
    """The points of each life: the node dies once at each place, its gossip process before some."""
    chance = random.Random(SEED)
    places = chance.sample([place for place in PLACES if place != "started"], len(PLACES) - 1)
    chosen = [[f"node:{place}:{chance.randint(1, 40)}"] for place in places]
    for points in chosen[:CHILD_KILLS]:
        points.insert(0, f"child:{chance.choice(places)}:{chance.randint(1, 20)}")
    return chosen


def test_there_are_twenty_points() -> None:
    assert sum(map(len, lives())) == 20


@pytest.mark.parametrize("count", [2, pytest.param(len(lives()), marks=pytest.mark.long)])
async def test_what_was_answered_is_kept(tmp_path: Path, count: int) -> None:
    async with mortal_node(tmp_path) as node:
        for points in lives()[:count]:
            await node.lives(*points)
        await node.expect_relayed()


async def test_a_store_that_answers_before_it_commits_is_noticed(tmp_path: Path) -> None:
    async with mortal_node(tmp_path, peer=False) as node:
        with pytest.raises(AssertionError, match="lost"):
            await node.lives("node:received:60", fault="commit-late")


async def test_another_acknowledgement_than_the_first_is_noticed(tmp_path: Path) -> None:
    async with mortal_node(tmp_path, peer=False) as node:
        await node.lives("node:answered:20", fault="forget-promises")
        with pytest.raises(AssertionError, match="another acknowledgement"):
            await node.lives("node:received:60", fault="forget-promises")
