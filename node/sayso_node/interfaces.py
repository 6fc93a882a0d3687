"""What the parts of a node ask of the outside world, a sentence each.

Production passes in the real things, tests and the simulation others; no part reaches for a clock,
a socket or a random number by itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Judgement(Enum):
    """What becomes of a frame heard by gossip (docs/protocol.md, section 7)."""

    ACCEPT = "accept"  # forward it
    IGNORE = "ignore"  # drop it, nobody is to blame
    REJECT = "reject"  # drop it, the forwarding peer is to blame


class Clock(Protocol):
    """Clock tells the time."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class Randomness(Protocol):
    """Randomness draws bytes that nobody can foresee."""

    def __call__(self, count: int, /) -> bytes:
        """`count` random bytes."""
        ...


@dataclass(frozen=True)
class PeerState:
    """A peer as the gossip process sees it."""

    peer_id: str
    address: str  # multiaddr it was dialled at, or "" when it dialled us
    connected: bool


FrameHandler = Callable[[str, bytes, str], Awaitable[Judgement]]  # (topic, frame, peer id)
RequestHandler = Callable[[str, bytes, str], Awaitable[bytes]]  # (protocol, body, peer id)
PeerHandler = Callable[[str, bool], None]  # (peer id, connected)


@dataclass(frozen=True)
class TransportHandlers:
    """What the node wants to be told by the transport."""

    on_frame: FrameHandler
    on_request: RequestHandler
    on_peer: PeerHandler


class Transport(Protocol):
    """Transport carries frames to all peers and requests to one."""

    async def start(self, handlers: TransportHandlers) -> None:
        """Listen, dial the configured peers and keep redialling them."""
        ...

    async def stop(self) -> None:
        """Hang up; returns when nothing of it runs any more."""
        ...

    async def publish(self, topic: str, frame: bytes) -> int:
        """Queue a frame for the mesh and return for how many peers; raises GossipQueueFull."""
        ...

    async def request(self, peer_id: str, protocol: str, body: bytes, timeout_s: float) -> bytes:
        """One request, one answer; raises PeerUnreachable."""
        ...

    async def peers(self) -> list[PeerState]:
        """Configured and connected peers."""
        ...
