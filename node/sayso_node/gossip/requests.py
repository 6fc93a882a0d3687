"""Requests between peers: one request and one answer per stream, each a varint length and its bytes.

py-libp2p's RequestResponse uses the same format, but fails on messages that arrive in more than a
hundred reads (from about 6 MiB) and never finishes reading an empty one.
"""

import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.peer.id import ID

from sayso_node.errors import PeerUnreachable
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.peers.addresses import split_multiaddr
from sayso_node.gossip.seats import SharedSeats
from sayso_node.sources import Proxies
from sayso_protocol.errors import Malformed, SaysoError, TooLarge

STREAM_READ_BYTES: Final = 64 * 1024  # of more, the library gives back a larger window than was read
MAX_LENGTH_BYTES: Final = 5  # of a varint below 2^35
_NO_PROXIES: Final = Proxies()  # what a WebSocket came through is one source here

Ask = Callable[[str, bytes, str], Awaitable[bytes]]  # (protocol, body, peer id)
Reach = Callable[[ID], Awaitable[None]]  # connect to a peer, or raise PeerUnreachable


class Requests:
    """Requests serves the requests of peers and sends those of the node."""

    def __init__(self, host: BasicHost, config: GossipConfig, reach: Reach, tally: Counter[str]) -> None:
        self._host = host
        self._config = config
        self._reach = reach
        self._tally = tally
        self._serving: Counter[ID] = Counter()
        self._known = {split_multiaddr(address)[1] for address in config.peers}
        self._seats = SharedSeats[trio.CancelScope](config.requests_at_once)  # of strangers

    def serve(self, ask: Ask) -> None:
        """Serve the configured protocols by asking the node."""
        for protocol in self._config.protocols:
            self.answer(protocol, ask, self._config.max_request_bytes)

    def answer(self, protocol: str, ask: Ask, most_bytes: int) -> None:
        """Serve one more protocol, whose requests have at most `most_bytes` bytes."""
        self._host.set_stream_handler(TProtocol(protocol), self._handler(protocol, ask, most_bytes))

    def _handler(
        self, protocol: str, ask: Ask, most_bytes: int
    ) -> Callable[[INetStream], Awaitable[None]]:
        async def handle(stream: INetStream) -> None:
            peer = stream.muxed_conn.peer_id
            if self._serving[peer] >= self._config.requests_at_once_per_peer:
                self._tally["requests_refused"] += 1
                await stream.reset()
                return
            self._serving[peer] += 1
            try:
                with trio.fail_after(self._config.answer_s) as scope, self._seat(stream, scope):
                    body = await _receive(stream, most_bytes)
                    answer = await ask(protocol, body, peer.to_base58())
                    await _send(stream, answer, self._config.max_response_bytes)
                    await stream.close()
                self._tally["requests_served"] += 1
            finally:
                self._serving[peer] -= 1
                if not self._serving[peer]:
                    del self._serving[peer]

        return handle

    @contextlib.contextmanager
    def _seat(self, stream: INetStream, scope: trio.CancelScope) -> Iterator[None]:
        """Take a stranger's seat, from the source with most if need be; configured peers need none."""
        if stream.muxed_conn.peer_id.to_base58() in self._known:
            yield
            return
        ip, _ = stream.get_remote_address() or (None, 0)
        with self._seats.taken(_NO_PROXIES.source(ip), scope) as displaced:
            if displaced:
                self._tally["requests_refused"] += 1
                displaced.cancel()
            yield

    async def send(self, peer_id: str, protocol: str, body: bytes, timeout_s: float) -> bytes:
        """Send a request and return the peer's answer; raises PeerUnreachable."""
        try:
            with trio.fail_after(timeout_s):
                peer = ID.from_base58(peer_id)
                await self._reach(peer)
                return await self._exchange(peer, protocol, body)
        except trio.TooSlowError as error:
            raise PeerUnreachable(f"{peer_id} did not answer within {timeout_s} s") from error
        except SaysoError as error:
            raise PeerUnreachable(f"{peer_id}: {error}") from error
        except Exception as error:  # py-libp2p raises any exception
            raise PeerUnreachable(f"{peer_id}: {error!r}") from error

    async def _exchange(self, peer: ID, protocol: str, body: bytes) -> bytes:
        stream = await self._host.new_stream(peer, [TProtocol(protocol)])
        try:
            await _send(stream, body, self._config.max_request_bytes)
            answer = await _receive(stream, self._config.max_response_bytes)
            await stream.close()
        except BaseException:
            with trio.CancelScope(shield=True):
                await stream.reset()
            raise
        return answer


async def _send(stream: INetStream, body: bytes, most: int) -> None:
    if len(body) > most:
        raise TooLarge(f"the message has {len(body)} bytes, more than {most}")
    length, prefix = len(body), bytearray()
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    await stream.write(bytes([*prefix, length]) + body)


async def _receive(stream: INetStream, most: int) -> bytes:
    length = await _receive_length(stream)
    if length > most:
        raise TooLarge(f"the message has {length} bytes, more than {most}")
    body = bytearray()
    while len(body) < length:
        data = await stream.read(min(length - len(body), STREAM_READ_BYTES))
        if not data:
            raise Malformed("the stream ended within a message")
        body += data
    return bytes(body)


async def _receive_length(stream: INetStream) -> int:
    length = 0
    for place in range(MAX_LENGTH_BYTES):
        data = await stream.read(1)
        if not data:
            raise Malformed("the stream ended before a message")
        length |= (data[0] & 0x7F) << 7 * place
        if data[0] < 0x80:
            return length
    raise TooLarge("the length prefix is too long")
