"""Frames travel over real libp2p, and only as far as every node on the way accepts them."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from node.gossip.harness import (
    CONSENTS,
    REVOCATIONS,
    Judging,
    Network,
    Peer,
    accept,
    configuration,
    meshed,
    multiaddr_for,
    network_in_module,
    networked,
)
from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.addresses import peer_id_of_seed
from sayso_node.interfaces import Judgement
from sayso_protocol.errors import TooLarge
from support.waiting import until

Line = tuple[Peer, Peer, Peer]
pytestmark = pytest.mark.asyncio(loop_scope="module")


network = network_in_module


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Line]:
    """Three peers of which the outer two do not know each other; the middle one judges in time."""
    async with networked() as network:
        middle = await network.peer(2, judge_s=2.0)
        left = await network.peer(1, middle)
        right = await network.peer(3, middle)
        await meshed(left, middle, right)
        yield left, middle, right


@pytest.fixture
def line(shared: Line) -> Iterator[Line]:
    yield shared
    shared[1].judge = accept


async def test_two_peers_find_each_other_and_a_frame_arrives(network: Network) -> None:
    first = await network.peer(1)
    assert await first.gossip.publish(CONSENTS, b"anybody?") == 0
    second = await network.peer(2, first)
    await until(lambda: (first.id, True) in second.events and (second.id, True) in first.events)
    await meshed(first, second)
    assert await first.gossip.publish(CONSENTS, b"you!") == 1  # so many listen
    assert {peer for _, _, peer in second.frames} == {first.id}
    (dialled,) = await second.gossip.peers()
    assert [dialled.address] == await first.gossip.listen_addresses()
    (inbound,) = await first.gossip.peers()
    assert (inbound.peer_id, inbound.address, inbound.connected) == (second.id, "", True)


@pytest.mark.long
async def test_a_peer_is_dialled_by_name_and_nobody_dials_himself(network: Network) -> None:
    first = await network.peer(1)
    (address,) = await first.gossip.listen_addresses()
    by_name = address.replace("/ip4/127.0.0.1/", "/dns4/localhost/")
    myself = multiaddr_for("127.0.0.1", 1, peer_id_of_seed(bytes([2]) * 32))
    second = await network.peer(2, dial=[by_name, myself])
    await meshed(first, second)
    assert [state.address for state in await second.gossip.peers()] == [by_name]


async def test_what_cannot_be_published_is_refused(line: Line) -> None:
    left, *_ = line
    with pytest.raises(TooLarge):
        await left.gossip.publish(CONSENTS, bytes(64 * 1024 + 1))
    with pytest.raises(InvalidNodeConfig):
        await left.gossip.publish("/another/topic", b"x")


async def test_an_accepted_frame_is_forwarded(line: Line) -> None:
    left, middle, right = line
    frame = bytes(64 * 1024)  # the largest there is
    await left.gossip.publish(REVOCATIONS, frame)
    await until(lambda: right.heard(frame))
    assert (REVOCATIONS, frame, middle.id) in right.frames
    assert (REVOCATIONS, frame, left.id) in middle.frames


async def _fails(topic: str, frame: bytes, peer: str) -> Judgement:
    raise RuntimeError("a handler that fails")


async def _hangs(topic: str, frame: bytes, peer: str) -> Judgement:
    await asyncio.Event().wait()
    raise AssertionError


async def _ignores(topic: str, frame: bytes, peer: str) -> Judgement:
    return Judgement.IGNORE


async def _rejects(topic: str, frame: bytes, peer: str) -> Judgement:
    return Judgement.REJECT


@pytest.mark.parametrize(
    ("judge", "counter"),
    [
        (_rejects, "frames_rejected"),
        pytest.param(_ignores, "frames_ignored", marks=pytest.mark.long),
        pytest.param(_fails, "frames_failed", marks=pytest.mark.long),
        (_hangs, "frames_unjudged"),
    ],
)
async def test_what_is_not_accepted_goes_no_further(line: Line, judge: Judging, counter: str) -> None:
    left, middle, right = line
    held, through = b"held back: " + counter.encode(), b"let through: " + counter.encode()
    counted = middle.gossip.counters()[counter]
    rejected = middle.gossip.rejections().get(left.id, 0)

    async def hold_back(topic: str, frame: bytes, peer: str) -> Judgement:
        return await (judge if frame == held else accept)(topic, frame, peer)

    middle.judge = hold_back
    await left.gossip.publish(CONSENTS, held)
    await until(lambda: middle.gossip.counters()[counter] > counted)
    await left.gossip.publish(CONSENTS, through)
    await until(lambda: right.heard(through))
    assert not right.heard(held)
    assert middle.gossip.rejections().get(left.id, 0) == rejected + (judge is _rejects)
    assert set(middle.gossip.rejections()) <= {left.id}


@pytest.mark.long
async def test_own_frames_do_not_come_back(line: Line) -> None:
    left, _, right = line
    await left.gossip.publish(CONSENTS, b"mine")
    await until(lambda: right.heard(b"mine"))
    await right.gossip.publish(CONSENTS, b"theirs")
    await until(lambda: left.heard(b"theirs"))
    assert not left.heard(b"mine")
    await until(lambda: left.gossip.counters()["frames_published"])


@pytest.mark.long
async def test_after_the_replay_window_nothing_old_arrives(network: Network) -> None:
    first = await network.peer(1)
    witness = await network.peer(2, first)
    await meshed(first, witness)
    await first.gossip.publish(CONSENTS, b"old")
    await until(lambda: witness.heard(b"old"))
    await asyncio.sleep(2 * configuration(1, []).replay_window_s)  # two hops, each its own
    late = await network.peer(3, first, witness)
    await first.gossip.publish(CONSENTS, b"new")
    await until(lambda: late.heard(b"new"))
    assert not late.heard(b"old")


async def test_a_burst_of_large_frames_arrives_whole_beside_a_replay(network: Network) -> None:
    """A late joiner is served. Replays and new frames share a stream; mixed up, it would be reset."""
    first = await network.peer(1, heartbeat_s=60.0)
    sent = [bytes([n]) * (64 * 1024) for n in range(40)]
    for frame in sent[:20]:
        await first.gossip.publish(CONSENTS, frame)
    second = await network.peer(2, first, heartbeat_s=60.0)
    for frame in sent[20:]:
        await first.gossip.publish(CONSENTS, frame)
    await until(lambda: all(map(second.heard, sent)))
    assert second.gossip.counters()["streams_malformed"] == 0


@pytest.mark.long
async def test_no_frame_of_a_burst_is_lost(line: Line) -> None:
    left, middle, right = line
    dropped = middle.gossip.counters()["frames_dropped_inbound"]
    sent = [b"burst %d" % n for n in range(300)]
    for frame in sent:
        await left.gossip.publish(CONSENTS, frame)
    await until(lambda: {f for _, f, _ in right.frames} >= set(sent))
    assert middle.gossip.counters()["frames_dropped_inbound"] == dropped
