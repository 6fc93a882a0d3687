"""What docs/protocol.md says about gossip over libp2p (7.10) is what the host does."""

import inspect
import re
from pathlib import Path

from libp2p.host.ping import ID as PING
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub, get_peer_and_seqno_msg_id

from sayso_node.gossip.host.guards import MAX_MESSAGES_PER_RPC, MAX_SUBSCRIPTIONS_PER_RPC

PROTOCOL = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
DEFAULTS = inspect.signature(Pubsub).parameters


def rule(number: str) -> str:
    found = re.search(rf"^\*\*{re.escape(number)}\*\* (.*?)\n\n", PROTOCOL, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_id_of_a_message_is_peer_and_sequence_number() -> None:
    assert DEFAULTS["msg_id_constructor"].default is get_peer_and_seqno_msg_id
    message = rpc_pb2.Message(from_id=b"peer", seqno=b"seven", data=b"data")
    assert get_peer_and_seqno_msg_id(message) == b"peerseven"
    assert "peer id of its author and then its sequence number" in " ".join(rule("7.10.3").split())


def test_protocols_and_sizes_are_those_of_the_host() -> None:
    for name in (PROTOCOL_ID_V11, IDENTIFY, PING):
        assert f"`{name}`" in rule("7.10.4")
    assert f"{DEFAULTS['max_inbound_rpc_size'].default:,} bytes" in rule("7.10.5")
    assert f"{MAX_MESSAGES_PER_RPC} messages" in rule("7.10.6")
    assert f"more than {MAX_SUBSCRIPTIONS_PER_RPC}\nsubscriptions" in rule("7.10.6")
