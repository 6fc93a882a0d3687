"""Five real nodes in five networks: bad links, a partition, nodes that stand still or are killed.

A revocation that one of them acknowledged is kept by all in the end. Who reaches fewer than two peers
meanwhile says `stale`; a side that is large enough to speak for itself cannot know what it was not told.
"""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sayso_protocol.verdicts.verdict import Reason
from support.machine import need_networks
from support.protocol_strategies import ADA, BEN, CLEO
from system.islands import NODES, Islands, islands

EVERYBODY = range(NODES)
HERE, THERE = {0, 1}, {2, 3, 4}


@pytest.fixture
async def five(tmp_path: Path) -> AsyncIterator[Islands]:
    need_networks()
    async with islands(tmp_path) as found:
        yield found


@pytest.mark.timeout(600)
async def test_a_partition_heals(five: Islands) -> None:
    consents = [five.consent(ADA), five.consent(BEN)]
    await five.give(4, *consents)
    await five.say(Reason.GRANTED, consents, EVERYBODY)
    five.cut(HERE)
    await five.give(0, five.revocation(ADA))
    await five.give(4, five.revocation(BEN))
    # One peer is not enough to speak for a moment, so that side is stale; two are.
    await five.say(Reason.REVOKED, consents[:1], HERE)
    await five.say(Reason.STALE, consents[1:], HERE)
    await five.say(Reason.REVOKED, consents[1:], THERE)
    five.heal()
    await five.say(Reason.REVOKED, consents, EVERYBODY)
    await five.agree(consents[0])


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_slow_links_that_lose_packets(five: Islands) -> None:
    five.weather(delay_s=0.15, lost=0.05)
    consents = [five.consent(name) for name in (ADA, BEN, CLEO) for _ in range(20)]
    await five.give(2, *consents)
    await five.say(Reason.GRANTED, consents[::20], EVERYBODY)
    for number, name in enumerate((ADA, BEN, CLEO)):
        await five.give(number, five.revocation(name))
    await five.say(Reason.REVOKED, consents, EVERYBODY)
    await five.agree(consents[0])


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_node_that_stands_still_catches_up(five: Islands) -> None:
    consents = [five.consent(ADA)]
    await five.give(0, *consents)
    await five.say(Reason.GRANTED, consents, EVERYBODY)
    five[3].signal(signal.SIGSTOP)
    await five.give(0, five.revocation(ADA))
    await five.say(Reason.REVOKED, consents, {0, 1, 2, 4})
    five[3].signal(signal.SIGCONT)
    await five.say(Reason.REVOKED, consents, {3})
    await five.agree(consents[0])


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_killed_under_load(five: Islands) -> None:
    consents = []
    for turn in range(20):
        some = [five.consent(name) for name in (ADA, BEN, CLEO) for _ in range(10)]
        await five.give(turn % 2, *some)
        consents += some
        if turn == 5:
            os.kill(five[1].gossip_pid, signal.SIGKILL)
        if turn == 10:
            five[2].kill()
        if turn == 15:
            five[2].start()
    await five.give(1, five.revocation(ADA))
    five[1].kill()
    five[1].start()
    await five.give(0, five.revocation(BEN))
    revoked = [one for one in consents if one.message.signer in (ADA, BEN)]
    await five.say(Reason.REVOKED, revoked, EVERYBODY)
    await five.say(Reason.GRANTED, [one for one in consents if one not in revoked], EVERYBODY)
    await five.agree(consents[0])
