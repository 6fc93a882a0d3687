"""The gossipsub router with fixes for attacks that py-libp2p 0.8.1 allows.

Each override states the attack that it prevents; more of them are in private.py.
tests/node/gossip/test_hostile.py tries each attack.
"""

from collections import Counter
from typing import Final

from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
from libp2p.pubsub.pb import rpc_pb2

from sayso_node.gossip.config import HISTORY_HEARTBEATS, IHAVE_HEARTBEATS, GossipConfig
from sayso_node.gossip.host.private import OpenGossipSub

MAX_CONTROL_ENTRIES: Final = 64  # of each kind in one RPC
MAX_OFFERED: Final = 1024  # messages that one IHAVE entry may offer
MAX_WANTED: Final = 32  # messages that one IWANT may request: 2 MiB of full frames
MAX_UNREAD: Final = 4  # RPCs in a peer's queue above which its IWANTs are not answered
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
            heartbeat_interval=config.heartbeat_s,  # type: ignore[arg-type]  # passed to sleep
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,  # its limit of 10 messages a second includes our own
            eclipse_protection_enabled=False,
            # With the default of 30 s, a late subscriber would get frames older than the cache.
            pending_messages_ttl=HISTORY_HEARTBEATS * config.heartbeat_s,
        )
        self._topics = frozenset(config.topics)
        self._tally = tally

    async def handle_rpc(self, rpc: rpc_pb2.RPC, sender_peer_id: ID) -> None:
        """Drop control entries about other topics, which the library would keep without end."""
        received, most = rpc.control, MAX_CONTROL_ENTRIES
        control = rpc_pb2.ControlMessage(
            ihave=[
                rpc_pb2.ControlIHave(topicID=e.topicID, messageIDs=e.messageIDs[:MAX_OFFERED])
                for e in received.ihave[:most]
                if e.topicID in self._topics
            ],
            iwant=received.iwant[:most],
            graft=[e for e in received.graft[:most] if e.topicID in self._topics],
            prune=[e for e in received.prune[:most] if e.topicID in self._topics],
        )
        # The sender's signed record was checked when the RPC was read, so it is not passed on.
        await super().handle_rpc(rpc_pb2.RPC(control=control), sender_peer_id)

    async def handle_iwant(self, iwant_msg: rpc_pb2.ControlIWant, sender_peer_id: ID) -> None:
        """Answer a limited number of distinct messages; a repeated id would fill the memory.

        A peer gets no answer before it has read the last ones: its queue has room for 32 MiB of them.
        """
        if self.pubsub and len(self.pubsub.peer_queues.get(sender_peer_id, ())) >= MAX_UNREAD:
            return
        wanted = list(dict.fromkeys(iwant_msg.messageIDs))[:MAX_WANTED]
        await super().handle_iwant(rpc_pb2.ControlIWant(messageIDs=wanted), sender_peer_id)

    def on_dropped_frames(self, count: int) -> None:
        """Count the dropped frames."""
        self._tally["frames_dropped_peer_queue"] += count

    def forget_deliveries(self) -> None:
        """Free expired backoffs and what the library frees only in its adaptive mode."""
        self.recent_message_deliveries.clear()
        self.forget_backoffs()
