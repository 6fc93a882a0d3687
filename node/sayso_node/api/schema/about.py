"""The values in answers about the node itself, its peers and its readiness (values.py)."""

from typing import Literal, Self

from msgspec import Struct

from sayso_node.api.schema.values import Time
from sayso_protocol.network_file import Operator
from sayso_protocol.receipts.json_values import Address, Count, Hash, Key, NetworkJson


class OperatorJson(Struct):
    """An operator of the network file."""

    name: str
    node_key: Key
    url: str | None

    @classmethod
    def of(cls, operator: Operator) -> Self:
        """Return an operator for JSON."""
        return cls(operator.name, operator.key.hex(), operator.url or None)


class NamedJson(Struct):
    """An organisation of the network file, whose name people are shown."""

    address: Address
    name: str
    domain: str | None
    role: str | None


class HeadJson(Struct):
    """The block up to which the chain was read."""

    number: Count
    hash: Hash
    time: Time


class NodeJson(Struct, kw_only=True):
    """Information about a node."""

    name: str
    version: str
    node_key: Key
    peer_id: str
    network: NetworkJson
    operators: list[OperatorJson] = []
    names: list[NamedJson] = []
    disabled: list[str] = []
    gossip_replay_window_s: float = 0
    time: Time
    block: HeadJson | None
    listen: list[str]
    counters: dict[str, Count]


class PeerJson(Struct):
    """A peer; without an address if it connected to this node."""

    peer_id: str
    address: str
    connected: bool


class Peers(Struct):
    """Configured and connected peers."""

    peers: list[PeerJson]


class Health(Struct):
    """The process runs."""

    ok: Literal[True]


class UnreadyJson(Struct):
    """Why a node is not ready: a stable code, and a sentence for its operator."""

    code: str
    text: str


class Ready(Struct):
    """`ready`: the node may speak, and no part of it is down; `silence`: why it may not speak.

    `reasons` has every reason why it is not ready. `marks_full` needs an operator's attention (rule
    7.15). `alarms` has names; the log has their causes.
    """

    ready: bool
    reasons: list[UnreadyJson]
    silence: str | None
    parts_down: list[str]
    marks_full: bool
    alarms: list[str]
