"""Sync requests that cost us more than them, at a whole node: a stranger gets his share, others theirs.

What a share is in work and bytes is held by tests/node/sync/test_shares.py, where time stands still.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from node.api.process import NodeProcess, node_process, watched
from node.gossip.greedy import EVERYTHING, GREEDY, Greedy
from sayso_node.sync.shares import MOST, PER_SECOND, STRANGERS_PER_SECOND
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text
from sayso_protocol.sync.fingerprints import NODES
from support.gossiping import GossipingNode
from support.node_rig import consent
from support.waiting import until

BYTES = 256  # of an answer cost as much as an entry
UNDER_WAY = 4  # requests of one peer at once
ANSWER_BYTES = 4_194_304 + 65_536  # the largest
REFUSED = 50


class World:
    """A node that strangers ask, and a peer that its operator configured."""

    def __init__(self, node: NodeProcess, friend: GossipingNode) -> None:
        self.node, self.friend = node, friend
        about = node.get("/v1/node")[1]
        self.address: str = about["listen"][0]
        self.peer_id: str = about["peer_id"]

    def holds(self, envelope: Envelope) -> bool:
        return self.node.get(f"/v1/licenses/{hex_text(envelope.digest)}")[0] == 200

    async def works(self, number: int) -> None:
        """Rounds complete, both ways: what only the friend had, the node gets, and it is found equal."""
        mine = consent(number)
        await self.friend.hand_in(mine, publish=False)
        await until(lambda: self.holds(mine))
        await until(lambda: self.friend.rounds.round(self.peer_id))

    def count(self, name: str) -> int:
        """One of the node's counters."""
        count: int = self.node.get("/v1/node")[1]["counters"][name]
        return count

    def refused(self) -> int:
        """How many requests the node has refused of those that its gossip process handed on."""
        return self.count("network_streams_failed")


@asynccontextmanager
async def worlds(folder: Path) -> AsyncIterator[World]:
    async with GossipingNode.running(folder) as friend:
        peers = tuple(await friend.network.listen_addresses())
        with node_process(folder, peers=peers, sync_interval_s=0.5) as node:
            world = World(node, friend)
            await until(lambda: world.count("sync_rounds") > 0)
            with watched(node):
                yield world
            assert world.count("network_restarts") == 0


async def test_who_asks_the_dearest_questions_gets_a_share_and_others_are_served(
    tmp_path: Path,
) -> None:
    async with worlds(tmp_path) as world:
        begun = time.monotonic()
        with Greedy(world.address, [*GREEDY.values()]) as greedy:
            await until(lambda: world.refused() >= REFUSED)
            await world.works(1)
        # Each has the node look in so many places, and each is an entry at least.
        allowed = MOST + PER_SECOND * (time.monotonic() - begun)
        assert 0 < greedy.count["answered"] <= allowed / NODES + UNDER_WAY
        await world.works(2)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_strangers_who_ask_for_everything_share_what_is_sent(tmp_path: Path) -> None:
    """Five bytes ask for megabytes: together they get what strangers may have, and no more."""
    async with worlds(tmp_path) as world:
        for number in range(100, 228):
            await world.friend.hand_in(consent(number, count=1_024), publish=False)
        await world.works(1)
        begun = time.monotonic()
        with (
            Greedy(world.address, EVERYTHING) as one,
            Greedy(world.address, EVERYTHING) as another,
            Greedy(world.address, EVERYTHING) as third,
        ):
            crowd = (one, another, third)
            await until(lambda: world.refused() >= REFUSED, 600)
            await world.works(2)
        allowed = MOST + STRANGERS_PER_SECOND * (time.monotonic() - begun)
        sent = sum(greedy.count["bytes"] for greedy in crowd)
        assert ANSWER_BYTES < sent <= BYTES * allowed + len(crowd) * UNDER_WAY * ANSWER_BYTES
        await world.works(3)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", GREEDY)
async def test_each_dear_question_for_ten_seconds(tmp_path: Path, name: str) -> None:
    async with worlds(tmp_path) as world:
        with Greedy(world.address, [GREEDY[name]]) as greedy:
            begun = time.monotonic()
            number = 1
            while time.monotonic() - begun < 10:
                await world.works(number)
                number += 1
            await until(lambda: world.refused() >= REFUSED)
        allowed = MOST + PER_SECOND * (time.monotonic() - begun)
        assert 0 < greedy.count["answered"] <= allowed / NODES + UNDER_WAY
