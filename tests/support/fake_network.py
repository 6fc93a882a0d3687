"""Peer-to-peer networks in memory: every node on a switchboard reaches every other at once.

Nothing is lost, late or out of order unless a test says so: through `failing`, `gate`, or a peer that is
only a function.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sayso_node.errors import PeerUnreachable
from sayso_node.interfaces import Judgement, PeerState, TransportHandlers
from sayso_protocol.errors import SaysoError

Answering = Callable[[str, bytes, str], Awaitable[bytes]]  # (protocol, body, who asks)


class Switchboard:
    """Who is there, by peer id."""

    def __init__(self) -> None:
        self.handlers: dict[str, TransportHandlers] = {}

    def connect(self, peer_id: str, handlers: TransportHandlers) -> None:
        others = list(self.handlers.items())
        self.handlers[peer_id] = handlers
        for other_id, other in others:
            other.on_peer(peer_id, True)
            handlers.on_peer(other_id, True)

    def disconnect(self, peer_id: str) -> None:
        if self.handlers.pop(peer_id, None):
            for other in self.handlers.values():
                other.on_peer(peer_id, False)

    def add_peer(self, peer_id: str, answering: Answering) -> None:
        """A peer that is nothing but the way it answers requests."""

        async def ignore(_topic: str, _frame: bytes, _peer: str) -> Judgement:
            return Judgement.IGNORE

        self.connect(peer_id, TransportHandlers(ignore, answering, lambda _peer, _connected: None))


async def no_answer(_protocol: str, _body: bytes, peer: str) -> bytes:
    """A peer that answers nothing."""
    raise PeerUnreachable(f"{peer} is not answered")


class FakeNetwork:
    """The Network of one node, and the extras that a GossipProcess has."""

    def __init__(self, board: Switchboard, peer_id: str) -> None:
        self.board = board
        self.peer_id = peer_id
        self.published: list[tuple[str, bytes]] = []
        self.judgements: list[Judgement] = []
        self.failing: SaysoError | None = None  # what publish() raises
        self.gate = asyncio.Event()  # publish() waits for it
        self.gate.set()
        self.is_silent = False

    async def start(self, handlers: TransportHandlers) -> None:
        self.board.connect(self.peer_id, handlers)

    async def stop(self) -> None:
        self.board.disconnect(self.peer_id)

    async def watch(self) -> None:
        await asyncio.Event().wait()

    async def publish(self, topic: str, frame: bytes) -> int:
        await self.gate.wait()
        if self.failing:
            raise self.failing
        self.published.append((topic, frame))
        others = [one for name, one in self.board.handlers.items() if name != self.peer_id]
        self.judgements += [await one.on_frame(topic, frame, self.peer_id) for one in others]
        return len(others)

    async def request(self, peer_id: str, protocol: str, body: bytes, timeout_s: float) -> bytes:
        peer = self.board.handlers.get(peer_id)
        if peer is None:
            raise PeerUnreachable(f"{peer_id} is not there")
        try:
            async with asyncio.timeout(timeout_s):
                return await peer.on_request(protocol, body, self.peer_id)
        except (SaysoError, TimeoutError) as error:
            raise PeerUnreachable(f"{peer_id} refused: {error}") from error

    async def peers(self) -> list[PeerState]:
        return [PeerState(one, "", True) for one in self.board.handlers if one != self.peer_id]

    async def listen_addresses(self) -> list[str]:
        return [f"/ip4/127.0.0.1/tcp/4600/p2p/{self.peer_id}"]

    def counters(self) -> dict[str, int]:
        return {"frames_published": len(self.published)}
