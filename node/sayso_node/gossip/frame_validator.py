"""Asks the node to judge each frame from a peer before libp2p forwards it.

Only ACCEPT forwards a frame; IGNORE, REJECT, an error or no answer from the node drop it.
"""

from collections import Counter
from collections.abc import Awaitable, Callable

from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2

from sayso_node.errors import GossipDown, GossipQueueFull
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.host.guards import SafePubsub
from sayso_node.gossip.ipc.channel import Channel
from sayso_node.interfaces import Judgement


class FrameValidator:
    """FrameValidator validates the frames of all topics."""

    def __init__(
        self,
        node: Channel,
        pubsub: SafePubsub,
        config: GossipConfig,
        tally: Counter[str],
        penalize: Callable[[ID], Awaitable[None]],
    ) -> None:
        self._node = node
        self._pubsub = pubsub
        self._config = config
        self._tally = tally
        self._penalize = penalize
        self._in_hand: set[tuple[str, bytes]] = set()

    def install(self) -> None:
        """Start validating."""
        for topic in self._config.topics:
            self._pubsub.set_topic_validator(topic, self._validate, is_async_validator=True)

    async def _validate(self, forwarder: ID, message: rpc_pb2.Message) -> bool:
        if forwarder == self._pubsub.my_id:
            return True
        if message.from_id == self._pubsub.my_id.to_bytes():
            return False  # our own frame came back; after a restart we no longer know its number
        topics, frame = list(message.topicIDs), message.data
        if len(topics) != 1 or not 0 < len(frame) <= self._config.max_frame_bytes:
            self._tally["messages_malformed"] += 1
            await self._penalize(forwarder)
            return False
        case = (topics[0], frame)
        if case in self._in_hand:
            self._tally["frames_duplicate"] += 1
            return False
        self._in_hand.add(case)
        try:
            judgement = await self._node.make_room().call(
                "frame", *case, forwarder.to_base58(), timeout_s=self._config.judge_s
            )
        except (GossipDown, GossipQueueFull):
            self._tally["frames_unjudged"] += 1
            return False
        finally:
            self._in_hand.discard(case)
        if judgement == Judgement.REJECT.value:
            await self._penalize(forwarder)
        if judgement == Judgement.IGNORE.value:
            # Otherwise we would request the frame again after each IHAVE.
            self._pubsub.seen_messages.add(self._pubsub.get_message_id(message))
        return judgement == Judgement.ACCEPT.value
