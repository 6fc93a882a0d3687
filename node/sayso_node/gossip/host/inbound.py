"""Who may connect: so many of an IP, so many in all, and a slot comes back when its connection closes.

Stock, py-libp2p 0.8.1 keeps the slot for ever. WebSocket is upgraded here, behind the limits of
TCP.
"""

import contextlib
import ipaddress
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import trio
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.swarm import Swarm
from multiaddr import Multiaddr

from sayso_node.errors import PeerUnreachable
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.host.private import handle_inbound
from sayso_node.gossip.host.transports import is_websocket
from sayso_node.gossip.host.websocket import accept_upgrade, header
from sayso_node.gossip.peers.peer_score import PeerScore

_log = logging.getLogger(__name__)


class _Inbound:
    """The connections that others made, from the first byte to the last."""

    def __init__(
        self, swarm: Swarm, config: GossipConfig, tally: Counter[str], score: PeerScore
    ) -> None:
        self._swarm = swarm
        self._config = config
        self._tally = tally
        self._score = score
        self._by_ip: Counter[str] = Counter()

    async def handle(self, tcp: TrioTCPStream, where: Multiaddr, _event: object) -> None:
        """Have a connection, and return when it is over."""
        ip = _ip_of(tcp)
        try:
            if not is_websocket(where):
                with self._seat(ip):
                    await self._upgrade(tcp, where)
            elif ip in self._config.proxies:
                connection, forwarded = await self._websocket(tcp)
                with self._seat(forwarded or ip):
                    await self._upgrade(connection, where)
            else:
                with self._seat(ip):
                    connection, _ = await self._websocket(tcp)
                    await self._upgrade(connection, where)
        except Exception as error:  # noqa: BLE001  # a handshake that failed
            _log.debug("inbound from %s: %r", ip, error)
        finally:
            with contextlib.suppress(Exception):
                await tcp.close()

    @contextlib.contextmanager
    def _seat(self, ip: str) -> Iterator[None]:
        seat = _seat_of(ip)
        if self._by_ip[seat] >= self._config.max_connections_per_ip:
            self._tally["connections_refused"] += 1
            raise PeerUnreachable(f"{seat} has too many connections")
        self._by_ip[seat] += 1
        try:
            yield
        finally:
            self._by_ip[seat] -= 1
            if not self._by_ip[seat]:
                del self._by_ip[seat]

    async def _websocket(self, tcp: TrioTCPStream) -> tuple[Any, str]:
        """The upgraded connection, and for whom the proxy made it if it was one and said so."""
        try:
            with trio.fail_after(self._config.upgrade_s):
                connection, request = await accept_upgrade(tcp.stream)
        except Exception:
            self._tally["upgrades_refused"] += 1
            raise
        # Those before the last comma are what others told the proxy.
        return connection, (header(request, b"x-forwarded-for") or "").rpartition(",")[2].strip()

    async def _upgrade(self, connection: Any, where: Multiaddr) -> None:
        """Noise and Yamux, and then until the connection closes."""
        raw = RawConnection(connection, initiator=False)
        muxed: Any = await self._swarm.upgrade_inbound_raw_conn(raw, where)
        if self._score.is_banned(muxed.peer_id):
            await connection.close()
        await muxed.event_closed.wait()  # Yamux is all we speak


def guard_inbound(swarm: Swarm, config: GossipConfig, tally: Counter[str], score: PeerScore) -> None:
    """Give an inbound connection's slot back when it closes; cap those of an IP; none of one cut off."""
    inbound = _Inbound(swarm, config, tally, score)
    handle_inbound(swarm, inbound.handle)


def _ip_of(tcp: TrioTCPStream) -> str:
    """The remote IP, or nothing when it is gone already; get_remote_address knows no IPv6."""
    try:
        return str(tcp.stream.socket.getpeername()[0]).split("%")[0]
    except OSError:
        return ""


def _seat_of(text: str) -> str:
    """What is counted together: an IPv4 address, an IPv6 /64; all together what is neither."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
