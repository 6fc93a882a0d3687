"""Guards that keep strangers' packets from ending the process of py-libp2p 0.8.1.

In the unmodified library, an exception in a stream handler or in a signature check stops the host, and
reading does not wait for validation; tests/node/gossip/test_hostile.py tests this. inbound.py decides
who may connect.
"""

import contextlib
from collections import Counter
from typing import Final
from weakref import WeakKeyDictionary

import trio
from libp2p.abc import INetStream
from libp2p.exceptions import ParseError
from libp2p.host.basic_host import BasicHost
from libp2p.io.exceptions import IncompleteReadError
from libp2p.network.stream.exceptions import StreamError
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2

from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.host.private import OpenPubsub
from sayso_node.gossip.host.router import Router
from sayso_node.gossip.peers.peer_score import PeerScore
from sayso_node.supervision.logs import logger

SEEN_S: Final = 120
MAX_MESSAGES_PER_RPC: Final = 128  # more are dropped: starting tasks has quadratic cost
MAX_SUBSCRIPTIONS_PER_RPC: Final = 64  # an RPC with more is ignored, for the same reason
BACKLOG: Final = 4  # times `frames_judged`, because each peer may be in the middle of an RPC

_log = logger(__name__)


class SafePubsub(OpenPubsub):
    """SafePubsub survives malformed input, and reads no faster than frames are judged."""

    def __init__(
        self, host: BasicHost, router: Router, config: GossipConfig, tally: Counter[str]
    ) -> None:
        super().__init__(
            host,
            router,
            strict_signing=True,
            seen_ttl=SEEN_S,
            allowed_topics=set(config.topics),
            max_subscriptions_per_rpc=MAX_SUBSCRIPTIONS_PER_RPC,
            # Waiting would count against the library's five seconds, so we limit earlier.
            max_concurrent_validator_count=BACKLOG * config.frames_judged,
            # Without this, an author could get a second message through under the id of an accepted one.
            validation_cache_ttl=-1,
            validation_cache_size=1,
        )
        self._config = config
        self._tally = tally
        self._scheduled = 0  # messages whose push_msg has not started
        self._in_hand: Counter[ID] = Counter()  # messages in judgement, by forwarder
        self._judged = trio.lowlevel.ParkingLot()
        self._writing: WeakKeyDictionary[INetStream, trio.Lock] = WeakKeyDictionary()

    async def push_msg(self, msg_forwarder: ID, msg: rpc_pb2.Message) -> None:
        """Handle one message; a malformed one is counted and dropped."""
        if msg_forwarder == self.my_id:
            await super().push_msg(msg_forwarder, msg)
            return
        self._scheduled -= 1
        self._in_hand[msg_forwarder] += 1
        try:
            await super().push_msg(msg_forwarder, msg)
        except Exception as error:  # noqa: BLE001  # malformed input; without this it ends the host
            self._tally["messages_malformed"] += 1
            _log.debug("message-bad", peer=msg_forwarder, error=error)
        finally:
            self._in_hand[msg_forwarder] -= 1
            self._judged.unpark_all()
            if not self._in_hand[msg_forwarder]:
                del self._in_hand[msg_forwarder]

    async def continuously_read_stream(self, stream: INetStream) -> None:
        """Read a peer's messages until an error, no faster than they are judged."""
        peer_id = stream.muxed_conn.peer_id
        read = stream.read

        async def read_when_judged(n: int | None = None) -> bytes:
            while self._must_wait(self._in_hand[peer_id]):
                await self._judged.park()
            return await read(n)

        stream.read = read_when_judged  # type: ignore[method-assign]
        try:
            await super().continuously_read_stream(stream)
        except (StreamError, ParseError, IncompleteReadError):
            raise  # the caller closes the stream
        except Exception as error:  # noqa: BLE001  # for example not protobuf; without this it ends the host
            self._tally["streams_malformed"] += 1
            _log.debug("stream-bad", peer=peer_id, error=error)
            with contextlib.suppress(Exception):
                await stream.reset()
            self.forget_peer(peer_id)

    def _must_wait(self, in_hand: int) -> bool:
        # A peer without messages in judgement never waits for other peers.
        return in_hand >= self._config.frames_judged_per_peer or (
            in_hand > 0 and self._in_hand.total() >= self._config.frames_judged
        )

    def may_schedule(self, msg: rpc_pb2.Message) -> bool:  # noqa: ARG002
        """Return whether there is room for a message; called once for each message of an RPC."""
        if (
            self._scheduled >= MAX_MESSAGES_PER_RPC
            or self._scheduled + self._in_hand.total() >= BACKLOG * self._config.frames_judged
        ):
            self._tally["frames_dropped_inbound"] += 1
            return False
        self._scheduled += 1
        return True

    async def write_msg(self, stream: INetStream, rpc_msg: rpc_pb2.RPC) -> bool:
        """Write one RPC at a time, because two writers would mix parts of messages above 64 KiB."""
        async with self._writing.setdefault(stream, trio.Lock()):
            return await super().write_msg(stream, rpc_msg)

    def notify_subscriptions(self, publish_message: rpc_pb2.Message) -> None:
        """Deliver nothing: the validator has already passed the frame to the node."""


def guard_streams(swarm: Swarm, config: GossipConfig, tally: Counter[str], score: PeerScore) -> None:
    """Close a stream whose handler fails; limit the streams of a peer, and refuse banned peers."""
    handle = swarm.common_stream_handler
    open_streams: Counter[ID] = Counter()

    async def guarded(stream: INetStream) -> None:
        peer_id = stream.muxed_conn.peer_id
        if open_streams[peer_id] >= config.max_streams_per_peer or score.is_banned(peer_id):
            tally["streams_refused"] += 1
            await _reset(stream)
            return
        open_streams[peer_id] += 1
        try:
            await handle(stream)
        except Exception as error:  # noqa: BLE001  # without this it ends the host
            tally["streams_failed"] += 1
            _log.debug("stream-failed", peer=peer_id, error=error)
            await _reset(stream)
        finally:
            open_streams[peer_id] -= 1
            if not open_streams[peer_id]:
                del open_streams[peer_id]

    swarm.set_stream_handler(guarded)


async def _reset(stream: INetStream) -> None:
    with contextlib.suppress(Exception):
        await stream.reset()
