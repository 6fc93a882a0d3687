"""One request, one answer: a protocol's requests go to the node, the node's requests to peers."""

from collections import Counter
from collections.abc import Awaitable, Callable

import trio
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.host.basic_host import BasicHost
from libp2p.peer.id import ID
from libp2p.request_response import (
    BytesCodec,
    RequestContext,
    RequestResponse,
    RequestResponseConfig,
)

from sayso_node.errors import PeerUnreachable
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.guards import limit_per_peer

Ask = Callable[[str, bytes, str], Awaitable[bytes]]  # (protocol, body, peer id)
Reach = Callable[[ID], Awaitable[None]]  # connect to a peer, or raise PeerUnreachable


class Requests:
    """Requests answers the peers' and sends the node's."""

    def __init__(self, host: BasicHost, config: GossipConfig, reach: Reach) -> None:
        self._config = config
        self._reach = reach
        self._host = host
        self._exchange = RequestResponse(host)

    def serve(self, ask: Ask, tally: Counter[str]) -> None:
        """Answer the configured protocols by asking the node; its refusal resets the stream."""

        async def handle(body: bytes, context: RequestContext) -> bytes:
            tally["requests_served"] += 1
            return await ask(str(context.protocol_id), body, context.peer_id.to_base58())

        handlers = self._host.get_mux().handlers
        for name in self._config.protocols:
            protocol = TProtocol(name)
            self._exchange.set_handler(
                protocol, handle, BytesCodec(), self._limits(self._config.answer_s)
            )
            served = handlers[protocol]
            if served is not None:
                most = self._config.requests_at_once_per_peer
                self._host.set_stream_handler(protocol, limit_per_peer(served, most, tally))

    async def send(self, peer_id: str, protocol: str, body: bytes, timeout_s: float) -> bytes:
        """A peer's answer; raises PeerUnreachable."""
        peer = ID.from_base58(peer_id)
        try:
            with trio.fail_after(timeout_s):
                await self._reach(peer)
                return await self._exchange.send_request(
                    peer, [TProtocol(protocol)], body, BytesCodec(), self._limits(timeout_s)
                )
        except (BaseLibp2pError, OSError, ValueError) as error:
            raise PeerUnreachable(f"{peer_id}: {error}") from error
        except trio.TooSlowError as error:
            raise PeerUnreachable(f"{peer_id} did not answer within {timeout_s} s") from error

    def _limits(self, timeout_s: float) -> RequestResponseConfig:
        return RequestResponseConfig(
            timeout=timeout_s,
            max_request_size=self._config.max_request_bytes,
            max_response_size=self._config.max_response_bytes,
            max_concurrent_inbound=self._config.requests_at_once,
        )
