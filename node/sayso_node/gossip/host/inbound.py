"""Limits inbound connections, per source and in total, and frees a slot when its connection closes.

py-libp2p 0.8.1 itself never frees the slot, and counts no connection that is still being agreed on.
When all slots are taken, the source with most connections gives up its newest. WebSocket upgrades
happen here, behind the limits for TCP.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import trio
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.swarm import Swarm
from multiaddr import Multiaddr
from wsproto.events import Request

from sayso_node.errors import PeerUnreachable
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.host.private import handle_inbound
from sayso_node.gossip.host.transports import is_websocket
from sayso_node.gossip.host.websocket import WebSocketStream, accept_upgrade, header
from sayso_node.gossip.peers.peer_score import PeerScore
from sayso_node.gossip.seats import SharedSeats
from sayso_node.sources import Proxies
from sayso_node.supervision.logs import logger

_log = logger(__name__)


class _Inbound:
    """The inbound connections."""

    def __init__(
        self, swarm: Swarm, config: GossipConfig, tally: Counter[str], score: PeerScore
    ) -> None:
        self._swarm = swarm
        self._config = config
        self._tally = tally
        self._score = score
        self._proxies = Proxies(config.trusted_proxies)
        self._seats = SharedSeats[TrioTCPStream](config.max_inbound)

    async def handle(self, tcp: TrioTCPStream, where: Multiaddr, _event: object) -> None:
        """Handle one connection until it ends."""
        ip = _ip_of(tcp)
        try:
            if not is_websocket(where):
                async with self._seat(self._proxies.source(ip), tcp):
                    await self._upgrade(tcp, where)
            elif ip in self._proxies:
                connection, request = await self._websocket(tcp)
                names = (b"x-forwarded-for", b"forwarded")
                source = self._proxies.source(ip, *(header(request, one) for one in names))
                async with self._seat(source, tcp):
                    await self._upgrade(connection, where)
            else:
                async with self._seat(self._proxies.source(ip), tcp):
                    connection, _ = await self._websocket(tcp)
                    await self._upgrade(connection, where)
        except Exception as error:  # noqa: BLE001  # a handshake that failed
            _log.debug("inbound-failed", error=error)
        finally:
            with contextlib.suppress(Exception):
                await tcp.close()

    @contextlib.asynccontextmanager
    async def _seat(self, source: str, tcp: TrioTCPStream) -> AsyncIterator[None]:
        if self._seats.count(source) >= self._config.max_connections_per_ip:
            self._tally["connections_refused"] += 1
            raise PeerUnreachable(f"{source} has too many connections")
        with self._seats.taken(source, tcp) as displaced:
            if displaced:
                self._tally["connections_refused"] += 1
                await trio.aclose_forcefully(displaced.stream)
            yield

    async def _websocket(self, tcp: TrioTCPStream) -> tuple[WebSocketStream, Request]:
        """Upgrade to WebSocket; returns the stream and the request for it."""
        try:
            with trio.fail_after(self._config.upgrade_s):
                return await accept_upgrade(tcp.stream)
        except Exception:
            self._tally["upgrades_refused"] += 1
            raise

    async def _upgrade(self, connection: Any, where: Multiaddr) -> None:
        """Negotiate Noise and Yamux, and wait until the connection closes."""
        raw = RawConnection(connection, initiator=False)
        muxed: Any = await self._swarm.upgrade_inbound_raw_conn(raw, where)
        if self._score.is_banned(muxed.peer_id):
            await connection.close()
        await muxed.event_closed.wait()  # Yamux is the only muxer


def guard_inbound(swarm: Swarm, config: GossipConfig, tally: Counter[str], score: PeerScore) -> None:
    """Free an inbound connection's slot when it closes; limit those of an IP; refuse banned peers."""
    inbound = _Inbound(swarm, config, tally, score)
    handle_inbound(swarm, inbound.handle)


def _ip_of(tcp: TrioTCPStream) -> str:
    """Return the remote IP, or "" if it has gone; get_remote_address does not support IPv6."""
    try:
        return str(tcp.stream.socket.getpeername()[0]).split("%")[0]
    except OSError:
        return ""
