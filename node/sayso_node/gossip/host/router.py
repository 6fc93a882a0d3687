"""The gossipsub router with the doors shut that py-libp2p 0.8.1 leaves open.

Each override says what a stranger could do without it; more of them are in private.py.
tests/node/gossip/test_hostile.py walks through every door.
"""

from collections import Counter
from typing import Final

from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
from libp2p.pubsub.pb import rpc_pb2

from sayso_node.gossip.config import HISTORY_HEARTBEATS, IHAVE_HEARTBEATS, GossipConfig
from sayso_node.gossip.host.private import OpenGossipSub

MAX_CONTROL_ENTRIES: Final = 64  # of each kind in one RPC
MAX_OFFERED: Final = 1024  # messages one IHAVE entry may offer
MAX_WANTED: Final = 32  # messages one IWANT may ask for: 2 MiB of full frames
FIRST_HEARTBEAT_S: Final = 0.1


class Router(OpenGossipSub):
    """Router is gossipsub v1.1 for a fixed set of topics."""

    def __init__(self, config: GossipConfig, tally: Counter[str]) -> None:
        super().__init__(
            protocols=[PROTOCOL_ID_V11],  # v1.2 sends an RPC to every mesh peer for every message
            degree=config.degree,
            degree_low=config.degree_low,
            degree_high=config.degree_high,
            gossip_window=IHAVE_HEARTBEATS,
            gossip_history=HISTORY_HEARTBEATS,
            heartbeat_initial_delay=FIRST_HEARTBEAT_S,
            heartbeat_interval=config.heartbeat_s,  # type: ignore[arg-type]  # it is slept for
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,  # 10 messages a second, our own included
            eclipse_protection_enabled=False,
            # Default 30 s: a peer that subscribes late would get older frames than the cache holds.
            pending_messages_ttl=HISTORY_HEARTBEATS * config.heartbeat_s,
        )
        self._topics = frozenset(config.topics)
        self._tally = tally

    async def handle_rpc(self, rpc: rpc_pb2.RPC, sender_peer_id: ID) -> None:
        """Forget control entries about topics we do not carry: each would be remembered for ever."""
        said, most = rpc.control, MAX_CONTROL_ENTRIES
        control = rpc_pb2.ControlMessage(
            ihave=[
                rpc_pb2.ControlIHave(topicID=e.topicID, messageIDs=e.messageIDs[:MAX_OFFERED])
                for e in said.ihave[:most]
                if e.topicID in self._topics
            ],
            iwant=said.iwant[:most],
            graft=[e for e in said.graft[:most] if e.topicID in self._topics],
            prune=[e for e in said.prune[:most] if e.topicID in self._topics],
        )
        # The sender's record is not passed on, it was checked where the RPC was read.
        await super().handle_rpc(rpc_pb2.RPC(control=control), sender_peer_id)

    async def handle_iwant(self, iwant_msg: rpc_pb2.ControlIWant, sender_peer_id: ID) -> None:
        """Answer a bounded number of different messages: one id repeated fills the memory."""
        wanted = list(dict.fromkeys(iwant_msg.messageIDs))[:MAX_WANTED]
        await super().handle_iwant(rpc_pb2.ControlIWant(messageIDs=wanted), sender_peer_id)

    def on_dropped_frames(self, count: int) -> None:
        """Count them."""
        self._tally["frames_dropped_peer_queue"] += count

    def forget_deliveries(self) -> None:
        """Free what only the adaptive mode would free, and expired backoffs."""
        self.recent_message_deliveries.clear()
        self.forget_backoffs()
