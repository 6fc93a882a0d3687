"""Our own queues: urgent first, bounded, and held up by nobody for long."""

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from libp2p.peer.id import ID

from node.gossip.harness import CONSENTS, REVOCATIONS, configuration
from sayso_node.errors import GossipQueueFull
from sayso_node.gossip.outbox import Outbox

PEER = ID(b"peer")


class Bench:
    """An outbox whose mesh is a list and whose clock is the test's."""

    def __init__(self, **settings: object) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.queues: dict[ID, list[None]] = {PEER: []}
        self.tally: Counter[str] = Counter()
        self.outbox = Outbox(configuration(1, [], **settings), self._publish, self.queues, self.tally)

    async def _publish(self, topic: str, frame: bytes) -> None:
        self.published.append((topic, frame))

    def run(self, play: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.outbox.run)
                await play()
                nursery.cancel_scope.cancel()

        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_the_urgent_queue_is_always_served_first() -> None:
    bench = Bench()

    async def play() -> None:
        bench.outbox.put(CONSENTS, b"1")
        bench.outbox.put(CONSENTS, b"2")
        bench.outbox.put(REVOCATIONS, b"3")
        bench.outbox.put(REVOCATIONS, b"4")
        await trio.sleep(1)

    bench.run(play)
    assert [frame for _, frame in bench.published] == [b"3", b"4", b"1", b"2"]
    assert bench.tally["frames_published"] == 4


def test_a_full_queue_raises_and_the_other_still_takes() -> None:
    bench = Bench(queue_frames=2)
    bench.outbox.put(CONSENTS, b"1")
    bench.outbox.put(CONSENTS, b"2")
    with pytest.raises(GossipQueueFull):
        bench.outbox.put(CONSENTS, b"3")
    bench.outbox.put(REVOCATIONS, b"4")
    assert bench.tally["frames_refused"] == 1


def test_a_full_peer_is_waited_for() -> None:
    bench = Bench(lag_s=1.0)

    async def play() -> None:
        bench.queues[PEER] = [None] * 24
        bench.outbox.put(CONSENTS, b"1")
        await trio.sleep(0.9)
        assert not bench.published
        bench.queues[PEER] = [None] * 23
        await trio.sleep(0.01)
        assert bench.published

    bench.run(play)


def test_but_not_for_longer_than_its_lag() -> None:
    bench = Bench(lag_s=1.0)

    async def play() -> None:
        bench.queues[PEER] = [None] * 32
        for number in range(100):
            bench.outbox.put(CONSENTS, b"%d" % number)
        await trio.sleep(0.9)
        assert not bench.published
        await trio.sleep(0.2)
        assert len(bench.published) == 100

    bench.run(play)
