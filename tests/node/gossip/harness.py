"""Real gossip processes on loopback, and what they heard."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio

from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.peers.peer_store import PeerStore
from sayso_node.gossip.process import GossipProcess
from sayso_node.interfaces import Judgement, TransportHandlers
from support.waiting import DEADLINE_S, until

CONSENTS = "/sayso/1/1337/0x00/consents"
REVOCATIONS = "/sayso/1/1337/0x00/revocations"
SYNC = "/sayso/sync/1"

PUBLISH_S = 0.05  # between frames that look for a mesh: more of them would keep both processes busy
Judging = Callable[[str, bytes, str], Awaitable[Judgement]]
Answering = Callable[[str, bytes, str], Awaitable[bytes]]

_QUICK: dict[str, float] = {
    "heartbeat_s": 0.2,
    "redial_min_s": 0.1,
    "redial_max_s": 0.5,
    "start_s": DEADLINE_S,
}


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def accept(topic: str, frame: bytes, peer: str) -> Judgement:
    return Judgement.ACCEPT


async def reverse(protocol: str, body: bytes, peer: str) -> bytes:
    return body[::-1]


@dataclass
class Peer:
    """Peer is a gossip process and what its handlers were told."""

    gossip: GossipProcess
    judge: Judging = accept
    answer: Answering = reverse
    frames: list[tuple[str, bytes, str]] = field(default_factory=list)
    events: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.gossip.peer_id

    @property
    def pid(self) -> int:
        assert self.gossip.pid is not None
        return self.gossip.pid

    async def start(self) -> None:
        async def on_frame(topic: str, frame: bytes, peer: str) -> Judgement:
            self.frames.append((topic, frame, peer))
            return await self.judge(topic, frame, peer)

        async def on_request(protocol: str, body: bytes, peer: str) -> bytes:
            return await self.answer(protocol, body, peer)

        def on_peer(peer: str, connected: bool) -> None:
            self.events.append((peer, connected))

        await self.gossip.start(TransportHandlers(on_frame, on_request, on_peer))

    def heard(self, frame: bytes) -> bool:
        return any(heard == frame for _, heard, _ in self.frames)

    async def sees(self, other: "Peer", *, connected: bool = True) -> bool:
        return any(
            state.peer_id == other.id and state.connected is connected
            for state in await self.gossip.peers()
        )


def configuration(seed: int, dial: list[str], **settings: object) -> GossipConfig:
    values: dict[str, object] = {
        "listen": ("/ip4/127.0.0.1/tcp/0",),
        "topics": (CONSENTS, REVOCATIONS),
        "urgent_topics": (REVOCATIONS,),
        "protocols": (SYNC,),
    }
    chosen = values | _QUICK | settings
    return GossipConfig(seed=bytes([seed]) * 32, peers=tuple(dial), **chosen)  # type: ignore[arg-type]


class Network:
    """Network starts peers and leaves nothing running."""

    def __init__(self) -> None:
        self._peers: list[Peer] = []

    async def peer(
        self,
        seed: int,
        *others: Peer,
        dial: Sequence[str] = (),
        peer_store: PeerStore | None = None,
        **settings: object,
    ) -> Peer:
        addresses = [a for other in others for a in await other.gossip.listen_addresses()]
        addresses += dial
        peer = Peer(GossipProcess(configuration(seed, addresses, **settings), peer_store))
        self._peers.append(peer)
        await peer.start()
        return peer

    async def close(self) -> None:
        pids = {peer.gossip.pid for peer in self._peers} - {None}
        await asyncio.gather(*(peer.gossip.stop() for peer in self._peers))
        assert not [pid for pid in pids if pid is not None and alive(pid)]


@asynccontextmanager
async def networked() -> AsyncIterator[Network]:
    network = Network()
    try:
        yield network
    finally:
        await network.close()


@pytest_asyncio.fixture(loop_scope="module")
async def network_in_module() -> AsyncIterator[Network]:
    """The fixture `network` for tests that share the loop of their module."""
    async with networked() as network:
        yield network


async def meshed(*peers: Peer) -> None:
    """Return when a frame of the first reaches all the others."""
    first, *others = peers
    number = 0

    async def arrived() -> bool:
        nonlocal number
        number += 1
        await first.gossip.publish(CONSENTS, b"hello %d" % number)
        return all(any(frame.startswith(b"hello ") for _, frame, _ in other.frames) for other in others)

    await until(arrived, poll_s=PUBLISH_S)


def multiaddr_for(host: str, port: int, peer_id: str = "") -> str:
    """Return the TCP multiaddr of a host (IPv4, IPv6 or DNS name), with /p2p/ if a peer ID is given."""
    try:
        kind = f"ip{ipaddress.ip_address(host).version}"
    except ValueError:
        kind = "dns"
    return f"/{kind}/{host}/tcp/{port}" + (f"/p2p/{peer_id}" if peer_id else "")
