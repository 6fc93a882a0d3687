"""What a node answers, as typed values.

Whatever can be verified (signatures, receipts, proofs) was verified before a value of these classes
exists; the rest is the node's word, and the docstrings say which is which.
"""

from dataclasses import dataclass
from functools import cached_property

from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.network import Network
from sayso_protocol.network_file import Operator
from sayso_protocol.receipts.receipt import Acknowledgement, Receipt, Signed
from sayso_protocol.verdicts.verdict import REASONS, License, Reason


@dataclass(frozen=True)
class NodeInfo:
    """What a node says of itself.

    Attributes:
        node_key: Ed25519 public key, 32 bytes.
        time: Its clock, seconds since the epoch.
        block: The last block it read: number and time, or None.
        listen: Multiaddresses for peers.
        counters: Event -> how often.
    """

    name: str
    version: str
    node_key: bytes
    peer_id: str
    network: Network
    time: float
    block: tuple[int, float] | None
    listen: tuple[str, ...]
    counters: dict[str, int]


@dataclass(frozen=True)
class Peer:
    """A peer of a node."""

    peer_id: str
    address: str
    connected: bool


@dataclass(frozen=True)
class Claim:
    """Who licensed an item, by a node's word: never clear by itself (rule 8.11)."""

    license: bytes
    contributor: bytes


@dataclass(frozen=True)
class Submitted:
    """What became of one message.

    Attributes:
        digest: Its identity, 32 bytes.
        new: Whether the node had not known it.
        acknowledgement: Verified; of a revocation, or None.
        operator: Who signed the acknowledgement, or None.
        pending: Whether the node lets it wait, without a promise: a revocation of what it does not know.
    """

    digest: bytes
    new: bool
    acknowledgement: Signed[Acknowledgement] | None = None
    operator: Operator | None = None
    pending: bool = False


@dataclass(frozen=True)
class Anchored:
    """Where a license is anchored; the proof was checked, the block is the node's word."""

    root: bytes
    block_number: int
    proof: AnchorProof


@dataclass(frozen=True)
class HeldLicense:
    """A license a node holds; its signature was checked.

    Attributes:
        hash: The license hash, 32 bytes.
        license: The signed terms and the items.
        revoked: How many of its permissions the node says are revoked.
        anchor: Where it is anchored, or None.
    """

    hash: bytes
    license: License
    revoked: int
    anchor: Anchored | None

    @property
    def permissions(self) -> int:
        """How many permissions it gives: items times purposes."""
        return self.license.consent.items * len(self.license.consent.purposes)


@dataclass(frozen=True)
class CheckAnswer:
    """A reason for each row, and the verified receipt that binds them.

    Attributes:
        numbers: The numbers of the reasons, one byte each, in the order of the rows.
        receipt: Signed by `operator`, for exactly these rows and reasons.
    """

    numbers: bytes
    receipt: Signed[Receipt]
    operator: Operator

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons by name: for a few rows, not for a million."""
        return tuple(REASONS[number] for number in self.numbers)
