"""The transports: TCP from py-libp2p, and our own WebSocket.

A WebSocket listener only opens the port. The upgrade happens in inbound.py, behind the limits for all
connections.
"""

import ssl
from typing import Final

import trio
from libp2p.abc import IRawConnection, ITransport
from libp2p.custom_types import THandler
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.transport.exceptions import OpenConnectionError
from libp2p.transport.tcp.tcp import TCP, TCPListener
from multiaddr import Multiaddr

from sayso_node.gossip.host.websocket import WebSocketStream, ask_for_upgrade

_LAST: Final = {"ws", "wss"}


def transports() -> list[ITransport]:
    """Return all transports."""
    return [TCP(), WebSocketTransport()]


def is_websocket(where: Multiaddr) -> bool:
    """Return whether an address is a WebSocket address."""
    return any(protocol.name in _LAST for protocol in where.protocols())


class WebSocketListener(TCPListener):
    """A TCP listener with a WebSocket address."""

    def get_addrs(self) -> tuple[Multiaddr, ...]:
        """Return the listening addresses."""
        return tuple(address.encapsulate(Multiaddr("/ws")) for address in super().get_addrs())


class WebSocketTransport(ITransport):
    """Dials /ip4|ip6/IP/tcp/PORT plus /ws, /wss or /tls/sni/NAME/ws; listens on addresses with /ws.

    With TLS, the certificate must be valid for the name, or else for the IP, and trusted by this
    machine. Noise authenticates the peer inside the connection.
    """

    async def dial(self, maddr: Multiaddr) -> IRawConnection:
        """Connect and upgrade; raises OpenConnectionError."""
        ip, port, secure, name = _parts(maddr)
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        try:
            socket = await trio.open_tcp_stream(ip, port)
        except OSError as error:
            raise OpenConnectionError(f"{maddr}: {error}") from error
        try:
            stream = await _dial_upgrade(socket, name if secure else "", host)
        except BaseException as error:
            await trio.aclose_forcefully(socket)
            if isinstance(error, Exception):
                raise OpenConnectionError(f"{maddr}: {error}") from error
            raise
        return RawConnection(stream, initiator=True)

    def create_listener(self, handler_function: THandler) -> WebSocketListener:
        """Create a listener that passes on TCP streams before their upgrade."""
        return WebSocketListener(handler_function)

    def can_dial(self, maddr: Multiaddr) -> bool:
        """Return whether dial() supports an address."""
        try:
            _parts(maddr)
        except OpenConnectionError:
            return False
        return True

    def can_listen(self, maddr: Multiaddr) -> bool:
        """Return whether a listener supports an address; TLS needs a reverse proxy."""
        return self.can_dial(maddr) and not _parts(maddr)[2]

    def protocols(self) -> list[str]:
        """Return the protocol names that only these addresses have."""
        return sorted(_LAST)


async def _dial_upgrade(socket: trio.SocketStream, tls_name: str, host: str) -> WebSocketStream:
    stream: trio.abc.Stream = socket
    if tls_name:
        context = ssl.create_default_context()
        stream = trio.SSLStream(socket, context, server_hostname=tls_name, https_compatible=True)
    return await ask_for_upgrade(stream, socket, host)


def _parts(maddr: Multiaddr) -> tuple[str, int, bool, str]:
    """Return IP, port, whether TLS is used, and the name for TLS and the Host header."""
    match str(maddr).split("/"):
        case ["", "ip4" | "ip6", ip, "tcp", port, "ws", *_]:
            return ip, int(port), False, ip
        case ["", "ip4" | "ip6", ip, "tcp", port, "wss", *_]:
            return ip, int(port), True, ip
        case ["", "ip4" | "ip6", ip, "tcp", port, "tls", "sni", name, "ws", *_]:
            return ip, int(port), True, name
    raise OpenConnectionError(f"{maddr} is not a WebSocket address")
