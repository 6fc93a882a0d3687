"""What peers are reached by: TCP, which is py-libp2p's own, and WebSocket, which is ours.

A WebSocket listener only opens the port. The upgrade is taken in inbound.py, behind the limits that hold
for every connection.
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
    """All we speak."""
    return [TCP(), WebSocketTransport()]


def is_websocket(where: Multiaddr) -> bool:
    """Whether it is an address of WebSocket."""
    return any(protocol.name in _LAST for protocol in where.protocols())


class WebSocketListener(TCPListener):
    """TCPListener under another address."""

    def get_addrs(self) -> tuple[Multiaddr, ...]:
        """Where it listens."""
        return tuple(address.encapsulate(Multiaddr("/ws")) for address in super().get_addrs())


class WebSocketTransport(ITransport):
    """Dials /ip4|ip6/IP/tcp/PORT and then /ws, /wss or /tls/sni/NAME/ws; listens on the first of these.

    With TLS the certificate must be that of the name, or else of the IP, and signed by whom this machine
    trusts. Who the peer is, Noise proves inside.
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
        """A listener that hands over TCP streams on which the upgrade is to be taken."""
        return WebSocketListener(handler_function)

    def can_dial(self, maddr: Multiaddr) -> bool:
        """Whether dial() knows such addresses."""
        try:
            _parts(maddr)
        except OpenConnectionError:
            return False
        return True

    def can_listen(self, maddr: Multiaddr) -> bool:
        """Whether a listener does; TLS is up to a proxy before it."""
        return self.can_dial(maddr) and not _parts(maddr)[2]

    def protocols(self) -> list[str]:
        """What its addresses have and others do not."""
        return sorted(_LAST)


async def _dial_upgrade(socket: trio.SocketStream, tls_name: str, host: str) -> WebSocketStream:
    stream: trio.abc.Stream = socket
    if tls_name:
        context = ssl.create_default_context()
        stream = trio.SSLStream(socket, context, server_hostname=tls_name, https_compatible=True)
    return await ask_for_upgrade(stream, socket, host)


def _parts(maddr: Multiaddr) -> tuple[str, int, bool, str]:
    """IP, port, whether over TLS, and the name to ask for."""
    match str(maddr).split("/"):
        case ["", "ip4" | "ip6", ip, "tcp", port, "ws", *_]:
            return ip, int(port), False, ip
        case ["", "ip4" | "ip6", ip, "tcp", port, "wss", *_]:
            return ip, int(port), True, ip
        case ["", "ip4" | "ip6", ip, "tcp", port, "tls", "sni", name, "ws", *_]:
            return ip, int(port), True, name
    raise OpenConnectionError(f"{maddr} is no address of WebSocket")
