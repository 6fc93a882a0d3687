"""What the API shows of a node's connections to peers; beside a node, what the node last told."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sayso_node.interfaces import PeerState


class NodeConnections(Protocol):
    """The connections of a node."""

    @property
    def peer_id(self) -> str:
        """The node's name among peers."""
        ...

    @property
    def is_silent(self) -> bool:
        """Whether the gossip process hangs."""
        ...

    async def peers(self) -> list[PeerState]:
        """Return the configured and the connected peers."""
        ...

    async def listen_addresses(self) -> list[str]:
        """Return the addresses at which others can dial the node."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Return the counters of the gossip process."""
        ...


class ToldConnections:
    """See NodeConnections."""

    is_silent = False

    def __init__(self, peer_id: str) -> None:
        self.peer_id = peer_id
        self._peers: list[PeerState] = []
        self._addresses: list[str] = []

    def hear(self, peers: Sequence[PeerState], addresses: Sequence[str]) -> None:
        """Take over what the node told."""
        self._peers, self._addresses = [*peers], [*addresses]

    async def peers(self) -> list[PeerState]:
        """See NodeConnections."""
        return self._peers

    async def listen_addresses(self) -> list[str]:
        """See NodeConnections."""
        return self._addresses

    def counters(self) -> Mapping[str, int]:
        """See NodeConnections; the node shows its own."""
        return {}
