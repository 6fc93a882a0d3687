"""How many messages a second reach the store of another node by gossip: in bundles, beside one a frame.

Two nodes with a gossip process each; a message counts when it is verified and on disk there. The peer is
the same stack with one message a frame, which is how gossip is commonly used.

`python -m bench.gossip FOLDER ADDRESS` is the node that listens to the other.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.catch_up import LISTEN, SPONSOR
from bench.consents import BUYERS, NETWORK, consent
from bench.figure import Figure
from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.clock import SystemClock
from sayso_node.freshness import Freshness
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.process import GossipProcess
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Source, SourceChannel
from sayso_node.interfaces import TransportHandlers
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.opening import snapshot_at, store_at
from sayso_node.supervision.counters import Counters
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.wire import TOPICS
from sayso_protocol.primitives import sha256
from support.node_rig import NoChain

BUNDLED, SINGLE = 4_000, 400  # messages
BATCH = 200  # handed in at once
DEADLINE_S = 300.0
NAMES = TOPICS[CONSENT].on(NETWORK), TOPICS[REVOCATION].on(NETWORK)


def figures() -> Iterator[Figure]:
    """gossip.messages_per_s and gossip.child_restart_s"""
    with tempfile.TemporaryDirectory() as name:
        bundled, single, restart_s = asyncio.run(_measure(Path(name)))
    peers = {"one message a frame": single}
    yield Figure("gossip.messages_per_s", bundled, "messages/s", "higher", peers, "none lost")
    yield Figure("gossip.child_restart_s", restart_s, "s", "lower", {}, "an import of libp2p and a dial")


class _Node:
    """Gossip, intake and store of one node."""

    def __init__(self, folder: Path, name: str, peers: tuple[str, ...]) -> None:
        seed = sha256(name.encode())
        config = GossipConfig(seed, (LISTEN,), peers, NAMES, NAMES[1:], redial_min_s=0.1)
        self.network, self.store = GossipProcess(config), store_at(folder / f"{name}.sqlite")
        counters, freshness = Counters(), Freshness(())
        wallets = ContractWallets(NoChain())
        quotas = Quotas(operators=frozenset({bytes(SPONSOR.verify_key)}))
        shared = (NETWORK, self.store, wallets, freshness, SPONSOR, SystemClock(), counters)
        self.intake = Intake(*shared, quotas=quotas)
        self.broadcast = Broadcast(NETWORK, self.network, self.intake, counters, enabled=True)

    async def start(self) -> None:
        self.store.start()
        await self.network.start(
            TransportHandlers(self.broadcast.on_frame, self._no_requests, lambda _p, _c: None)
        )

    async def stop(self) -> None:
        await self.broadcast.stop()
        await self.network.stop()
        self.store.stop()

    async def _no_requests(self, _protocol: str, _body: bytes, _peer: str) -> bytes:
        return b""


class _Other:
    """The store of the node in the other process, seen from here."""

    def __init__(self, folder: Path) -> None:
        self._location = folder / "second.sqlite"

    def held(self) -> int:
        with snapshot_at(self._location) as db:
            count: int = db.execute("SELECT count(*) FROM messages").fetchone()[0]
        return count


@asynccontextmanager
async def _listening(folder: Path, address: str) -> AsyncIterator[_Other]:
    command = (sys.executable, "-m", "bench.gossip", str(folder), address)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout
    await process.stdout.readline()  # it runs
    try:
        yield _Other(folder)
    finally:
        await process.communicate(b"")  # closes its standard input, which ends it


async def _listen(folder: Path, address: str) -> None:
    node = _Node(folder, "second", (address,))
    await node.start()
    sys.stdout.write("\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await node.stop()


async def _measure(folder: Path) -> tuple[float, float, float]:
    first = _Node(folder, "first", ())
    await first.start()
    numbers = iter(range(10 * BUNDLED))
    try:
        async with _listening(folder, (await first.network.listen_addresses())[0]) as second:
            await _until(lambda: _warm(first, second, next(numbers)))
            bodies = [_body(next(numbers)) for _ in range(BUNDLED)]
            bundled = await _rate(first, second, bodies, BATCH)
            bodies = [_body(next(numbers)) for _ in range(SINGLE)]
            single = await _rate_of_single_frames(first, second, bodies)
            pid = first.network.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            begun = time.perf_counter()
            await _until(lambda: _warm(first, second, next(numbers)))
            return bundled, single, time.perf_counter() - begun
    finally:
        await first.stop()


def _body(number: int) -> bytes:
    return encode(consent(number, grantee=BUYERS[number % len(BUYERS)]).sponsored_by(SPONSOR))


async def _warm(first: _Node, second: _Other, number: int) -> bool:
    """Whether a message arrives: the mesh is there."""
    before = second.held()
    first.broadcast.publish(
        await first.intake.take([_body(number)], Source(SourceChannel.SYNC, "bench"))
    )
    for _ in range(20):
        await asyncio.sleep(0.02)
        if second.held() > before:
            return True
    return False


async def _rate(first: _Node, second: _Other, bodies: list[bytes], batch: int) -> float:
    expected = second.held() + len(bodies)
    begun = time.perf_counter()
    for start in range(0, len(bodies), batch):
        part = bodies[start : start + batch]
        first.broadcast.publish(await first.intake.take(part, Source(SourceChannel.SYNC, "bench")))
    await _until(lambda: _holds(second, expected))
    return len(bodies) / (time.perf_counter() - begun)


async def _rate_of_single_frames(first: _Node, second: _Other, bodies: list[bytes]) -> float:
    from sayso_protocol.messages import wire

    whole = wire.bundles
    wire.bundles = lambda envelopes, _most=LIMITS.frame_bytes: (  # type: ignore[assignment]
        wire.encode_bundle([one]) for one in envelopes
    )
    try:
        return await _rate(first, second, bodies, 20)
    finally:
        wire.bundles = whole


async def _holds(node: _Other, count: int) -> bool:
    return node.held() >= count


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - it is another process's doing
            await asyncio.sleep(0.005)


if __name__ == "__main__":
    asyncio.run(_listen(Path(sys.argv[1]), sys.argv[2]))
