"""Keeps connections to configured peers, and closes connections that no longer answer.

py-libp2p itself does not reconnect, and does not notice a peer that stopped without closing its socket.
"""

import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

import trio
from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.host.basic_host import BasicHost
from libp2p.host.ping import ID as PING
from libp2p.host.ping import perform_ping_roundtrip
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.peer.peerstore import PeerStoreError
from multiaddr import Multiaddr

from sayso_node.errors import PeerUnreachable
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.host.private import forget_failed_dials
from sayso_node.gossip.peers.addresses import split_multiaddr
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import backoff, jittered

HANG_UP_S: Final = 5.0

_log = logger(__name__)

Tell = Callable[[str, bool], None]


class Dialer(INotifee):
    """Dialer redials configured peers and closes dead connections."""

    def __init__(
        self,
        host: BasicHost,
        swarm: Swarm,
        config: GossipConfig,
        tally: Counter[str],
        rng: Random,
        tell: Tell,
    ) -> None:
        self._host = host
        self._swarm = swarm
        self._config = config
        self._tally = tally
        self._rng = rng
        self._tell = tell
        self._known: dict[ID, list[str]] = {}
        for address in config.peers:
            where, peer_id = split_multiaddr(address)
            self._known.setdefault(ID.from_base58(peer_id), []).append(where)
        self._known.pop(host.get_id(), None)
        swarm.register_notifee(self)

    async def run(self) -> None:
        """Redial and ping until cancelled."""
        async with trio.open_nursery() as nursery:
            for peer in self._known:
                nursery.start_soon(self._keep, peer)
            while True:
                await trio.sleep(jittered(self._config.ping_every_s, self._rng))
                for peer in list(self._swarm.connections):
                    nursery.start_soon(self._check, peer)

    async def reach(self, peer: ID) -> None:
        """Connect to a peer unless it is connected; raises PeerUnreachable."""
        if self._swarm.get_connections(peer):
            return
        await self.dial(peer, self._known.get(peer, ()))

    async def dial(self, peer: ID, addresses: Iterable[str]) -> None:
        """Connect to a peer at one of some addresses; raises PeerUnreachable."""
        for where in [w for known in addresses for w in await _resolved(known)]:
            # The peer may have announced addresses that only it can reach, and py-libp2p might dial one
            # of those instead; it also refuses to dial for a minute after a failure.
            self._host.get_peerstore().clear_addrs(peer)
            forget_failed_dials(self._swarm, peer)
            try:
                with trio.fail_after(self._config.dial_s):
                    await self._host.connect(PeerInfo(peer, [where]))
                    return
            except Exception as error:  # noqa: BLE001  # py-libp2p raises any exception
                _log.debug("dial-failed", address=where, error=error)
        raise PeerUnreachable(f"{peer} is not connected and cannot be dialled")

    async def hang_up(self, peer: ID) -> None:
        """Close all connections to a peer."""
        for connection in list(self._swarm.get_connections(peer)):
            await _hang_up(connection)

    async def _keep(self, peer: ID) -> None:
        failures = 0
        while True:
            try:
                await self.reach(peer)
                failures = 0
            except PeerUnreachable:
                failures += 1
            delay_s = backoff(self._config.redial_min_s, failures, self._config.redial_max_s)
            await trio.sleep(jittered(delay_s, self._rng))

    async def _check(self, peer: ID) -> None:
        connections = self._swarm.get_connections(peer)
        try:
            with trio.fail_after(self._config.ping_s):
                stream = await self._host.new_stream(peer, [PING])
                await perform_ping_roundtrip(stream)
                await stream.close()
        except Exception as error:  # noqa: BLE001  # any error means that there was no pong
            if "not supported" in str(error.__cause__):
                return  # an answer of any kind shows that the peer is alive
            _log.debug("ping-failed", peer=peer, error=error)
            self._tally["peers_silent"] += 1
            for connection in connections:  # not a connection that the peer has made meanwhile
                await _hang_up(connection)

    async def connected(self, network: INetwork, conn: INetConn) -> None:  # noqa: ARG002
        """Report the connection to the node."""
        self._report(conn.muxed_conn.peer_id)

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:  # noqa: ARG002
        """Report the disconnection to the node, and delete the addresses that a stranger announced."""
        peer = conn.muxed_conn.peer_id
        self._report(peer)
        if peer not in self._known and not self._swarm.get_connections(peer):
            with contextlib.suppress(PeerStoreError):
                self._host.get_peerstore().clear_peerdata(peer)

    def _report(self, peer: ID) -> None:
        self._tell(peer.to_base58(), bool(self._swarm.get_connections(peer)))

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Do nothing."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Do nothing."""

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Do nothing."""

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Do nothing."""


async def _hang_up(connection: INetConn) -> None:
    # A close message would wait for a peer that reads nothing, so the socket is closed first.
    with contextlib.suppress(Exception):
        await connection.muxed_conn.secured_conn.close()  # type: ignore[attr-defined]
    with trio.move_on_after(HANG_UP_S), contextlib.suppress(Exception):
        await connection.close()


async def _resolved(address: str) -> list[Multiaddr]:
    """Return the address, or those of its DNS name; py-libp2p would not read /etc/hosts."""
    _, kind, name, rest = address.split("/", 3)
    if not kind.startswith("dns"):
        return [Multiaddr(address)]
    families = {"dns4": socket.AF_INET, "dns6": socket.AF_INET6}
    try:
        found = await trio.socket.getaddrinfo(
            name, None, family=families.get(kind, socket.AF_UNSPEC), type=socket.SOCK_STREAM
        )
    except OSError as error:
        _log.debug("name-unresolved", host=name, error=error)
        return []
    # The certificate is for the DNS name.
    rest = rest.replace("/wss", f"/tls/sni/{name}/ws")
    return [Multiaddr(f"/ip{6 if f == socket.AF_INET6 else 4}/{ip[0]}/{rest}") for f, *_, ip in found]
