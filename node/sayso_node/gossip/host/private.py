"""All private names of the pinned py-libp2p that the node uses, each with its reason.

A release may rename them without notice. So libp2p is pinned exactly, and a test compares PRIVATE with
the installed library and with this file.
"""

# ruff: noqa: SLF001

from collections.abc import Awaitable, Callable
from typing import Final

from libp2p.host.basic_host import BasicHost
from libp2p.io.trio import TrioTCPStream
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.stream_muxer.yamux.yamux import Yamux, YamuxStream
from multiaddr import Multiaddr

PRIVATE: Final[dict[str, frozenset[str]]] = {
    "GossipSub": frozenset(
        {"_check_back_off", "_check_equivocation", "_do_px", "_handle_dropped_rpc"},
    ),
    "Pubsub": frozenset({"_handle_dead_peer", "_is_subscribed_to_msg"}),
    "Swarm": frozenset({"_do_handle_inbound_connection", "_negative_peer_cache"}),
    "AutoConnector": frozenset({"_recent_disconnects"}),
    "BasicHost": frozenset({"_should_identify_peer"}),
    "Yamux": frozenset({"_finalize_stream_locked", "_read_data_body"}),
}

HandleInbound = Callable[[TrioTCPStream, Multiaddr, object], Awaitable[None]]


class OpenGossipSub(GossipSub):
    """OpenGossipSub is gossipsub with public names for the parts that we change."""

    async def _do_px(self, px_peers: list[rpc_pb2.PeerInfo]) -> None:
        """Ignore the peers that a PRUNE names; the library dials them even if do_px is off."""

    def _check_equivocation(self, msg: rpc_pb2.Message) -> bool:  # noqa: ARG002
        """Keep no second copy of each frame; a frame that was seen is not forwarded again anyway."""
        return True

    def _handle_dropped_rpc(self, peer_id: ID, rpc: rpc_pb2.RPC, reason: str) -> None:
        """Report frames that a full queue drops, which the library only logs."""
        self.on_dropped_frames(len(rpc.publish))
        super()._handle_dropped_rpc(peer_id, rpc, reason)

    def on_dropped_frames(self, count: int) -> None:
        """Called with the number of frames that a peer misses because its queue is full."""

    def forget_backoffs(self) -> None:
        """Free expired backoffs; the library frees one only when the peer grafts or is grafted."""
        for topic, peers in self.back_off.items():
            for peer in list(peers):
                self._check_back_off(peer, topic)


class OpenPubsub(Pubsub):
    """OpenPubsub is the pubsub service with public names for the parts that we change."""

    def _is_subscribed_to_msg(self, msg: rpc_pb2.Message) -> bool:
        """Call may_schedule, too; the library starts a task per message before any public method."""
        return super()._is_subscribed_to_msg(msg) and self.may_schedule(msg)

    def may_schedule(self, msg: rpc_pb2.Message) -> bool:  # noqa: ARG002
        """Return whether to take a message on one of our topics; called once for each."""
        return True

    def forget_peer(self, peer_id: ID) -> None:
        """Remove a peer whose stream failed; the library does so only for errors that it expects."""
        self._handle_dead_peer(peer_id)


class OpenYamux(Yamux):
    """OpenYamux is the muxer of a connection with public names for the parts that we change."""

    async def _read_data_body(self, length: int) -> bytes:
        """Call check_room first; the library counts a window only after it has read the bytes."""
        self.check_room(length)
        return await super()._read_data_body(length)

    def _finalize_stream_locked(self, stream: YamuxStream, *, fully_closed: bool) -> None:
        """Free what nobody will read of a stream that was reset, by either side."""
        if stream.reset_received:
            self.stream_buffers.get(stream.stream_id, bytearray()).clear()
        super()._finalize_stream_locked(stream, fully_closed=fully_closed)

    def check_room(self, length: int) -> None:
        """Called before so many bytes of a stream are read; what it raises may end the connection."""


def handle_inbound(swarm: Swarm, handler: HandleInbound) -> None:
    """Handle inbound connections with `handler`, because the library never frees their slots."""
    swarm._do_handle_inbound_connection = handler  # type: ignore[assignment,method-assign]


def forget_failed_dials(swarm: Swarm, peer: ID) -> None:
    """Allow a new dial at once; the library refuses for a minute after a failure."""
    swarm._negative_peer_cache.evict(str(peer))


def forget_disconnects(swarm: Swarm) -> None:
    """Free the list of disconnected peers, which the library never shortens."""
    swarm.auto_connector._recent_disconnects.clear()


def identify_nobody(host: BasicHost) -> None:
    """Send no identify requests; their answers would fill the peerstore with unverified data."""
    host._should_identify_peer = lambda peer_id: False  # type: ignore[method-assign]  # noqa: ARG005
