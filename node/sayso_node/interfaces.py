"""Interfaces through which a node reaches the outside world: clock, random numbers and network.

A real node passes in the real implementations; tests and the simulation pass in their own. No other
module reads a clock, opens a socket for gossip or draws random numbers directly.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Judgement(Enum):
    """The decision about a frame that arrived by gossip (docs/protocol.md, section 7)."""

    ACCEPT = "accept"  # forward it
    IGNORE = "ignore"  # drop it; the forwarding peer is not at fault
    REJECT = "reject"  # drop it; the forwarding peer is at fault


class Clock(Protocol):
    """Clock tells the current time."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class Randomness(Protocol):
    """Randomness draws unpredictable bytes."""

    def __call__(self, count: int, /) -> bytes:
        """Return `count` random bytes."""
        ...


@dataclass(frozen=True)
class PeerState:
    """A peer as the gossip process sees it."""

    peer_id: str
    address: str  # multiaddr that we dialled, or "" if the peer dialled us
    connected: bool


FrameHandler = Callable[[str, bytes, str], Awaitable[Judgement]]  # (topic, frame, peer id)
RequestHandler = Callable[[str, bytes, str], Awaitable[bytes]]  # (protocol, body, peer id)
PeerHandler = Callable[[str, bool], None]  # (peer id, connected)


@dataclass(frozen=True)
class TransportHandlers:
    """Callbacks by which the transport reports frames, requests and connections to the node."""

    on_frame: FrameHandler
    on_request: RequestHandler
    on_peer: PeerHandler


class PeerList(Protocol):
    """PeerList knows the peers of a node."""

    async def peers(self) -> list[PeerState]:
        """Return the configured and the connected peers."""
        ...


class Transport(Protocol):
    """Transport sends frames to all peers and requests to a single peer."""

    async def start(self, handlers: TransportHandlers) -> None:
        """Listen, dial the configured peers and redial them when they are lost."""
        ...

    async def stop(self) -> None:
        """Close all connections; returns when no task of the transport runs."""
        ...

    async def publish(self, topic: str, frame: bytes) -> int:
        """Queue a frame for gossip and return the number of peers it goes to; raises GossipQueueFull."""
        ...

    async def request(self, peer_id: str, protocol: str, body: bytes, timeout_s: float) -> bytes:
        """Send one request and return its answer; raises PeerUnreachable."""
        ...

    async def peers(self) -> list[PeerState]:
        """Return the configured and the connected peers."""
        ...
