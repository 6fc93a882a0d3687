"""What admission needs besides messages: this node's key, its quotas, and whom it heeds."""

from typing import NamedTuple

from sayso_node.store.admission.marks import MarkLimits
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.statements.waiting import StatementRoom
from sayso_protocol.network import Network


class Keeper(NamedTuple):
    """The settings of admission.

    Attributes:
        node_key: This node's key; it anchors what it sponsors.
        quotas: Quotas for sponsors.
        heeded: Addresses whose disputes are kept.
        statements: Limits for waiting statements.
        marks: Limits for marks.
        finality: The number of blocks that must follow a block before its endorsements count.
    """

    node_key: bytes
    quotas: Quotas
    heeded: frozenset[bytes] = frozenset()
    statements: StatementRoom = StatementRoom()
    marks: MarkLimits = PendingRoom().for_marks
    finality: int = 0


class Step(NamedTuple):
    """One step of admission: the settings, the network of all messages, and the time (seconds)."""

    keeper: Keeper
    network: Network
    now: float
