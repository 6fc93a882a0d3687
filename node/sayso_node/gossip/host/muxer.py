"""Yamux with bounded memory: py-libp2p 0.8.1 lets a peer send more than its windows, without end.

It also keeps what nobody will read of a stream that was reset, for a minute. Here a peer that sends
more than `BUFFERED_BYTES` ahead of our reading is disconnected. An honest one does not, because windows
do not grow.
"""

from typing import Final

import trio
from libp2p.abc import IMuxedConn, ISecureConn
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.stream_muxer.yamux import yamux

from sayso_node.gossip.host.private import OpenYamux

WINDOW_BYTES: Final = yamux.DEFAULT_WINDOW_SIZE  # of a stream; the library would grow it to 16 MiB
BUFFERED_BYTES: Final = 2 * 1024 * 1024  # of a connection: gossip, sync and batches with full windows


class SentTooMuch(trio.TooSlowError):
    """The peer sent more than its windows allow; the library ends a connection for no other error."""


class BoundedYamux(OpenYamux):
    """BoundedYamux is the muxer of one connection."""

    def check_room(self, length: int) -> None:
        """Check that there is room for so many bytes before they are read; raises SentTooMuch."""
        if sum(map(len, self.stream_buffers.values())) + length > BUFFERED_BYTES:
            raise SentTooMuch


def bound_muxers(swarm: Swarm) -> None:
    """Make the swarm use the muxer that it was given: for Yamux, the library takes its own.

    Windows stop growing in this whole process, because their limit is a constant of the library.
    """
    yamux.MAX_WINDOW_SIZE = WINDOW_BYTES  # also of the longest frame
    muxers = swarm.upgrader.muxer_multistream

    async def new_conn(conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        muxer = await muxers.select_transport(conn)
        return muxer(conn, peer_id)

    muxers.new_conn = new_conn  # type: ignore[method-assign]
