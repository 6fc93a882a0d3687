"""A node's answers as typed values.

Signatures, receipts and proofs are verified before a value of these classes exists. The docstrings name
the values that are the node's unverified statements.
"""

from dataclasses import dataclass
from functools import cached_property

from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.network import Network
from sayso_protocol.network_file import Operator
from sayso_protocol.receipts.receipt import Acknowledgement, Receipt, Signed
from sayso_protocol.signatures.wallets import Claim as SignatureClaim
from sayso_protocol.verdicts.verdict import REASONS, License, Reason


@dataclass(frozen=True)
class NodeInfo:
    """NodeInfo holds a node's unverified statements about itself.

    Attributes:
        node_key: Ed25519 public key, 32 bytes.
        time: The node's clock, seconds since the epoch.
        block: Number and time of the last block that the node read, or None.
        listen: Multiaddresses for peers.
        counters: Event -> number of times.
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
class Claim:
    """Claim is an unverified claim that a contributor licensed an item; it is not clear (rule 8.11)."""

    license: bytes
    contributor: bytes


@dataclass(frozen=True)
class Submitted:
    """Submitted is the result of one submitted message.

    Attributes:
        digest: The digest of the message, 32 bytes.
        new: Whether the message was new to the node.
        acknowledgement: The verified acknowledgement of a revocation, or None.
        operator: The operator that signed the acknowledgement, or None.
        pending: Whether the node holds a revocation without a promise (rule 7.14).
    """

    digest: bytes
    new: bool
    acknowledgement: Signed[Acknowledgement] | None = None
    operator: Operator | None = None
    pending: bool = False


@dataclass(frozen=True)
class Anchored:
    """Anchored is the anchor of a license; the proof is verified, and the block is not."""

    root: bytes
    block_number: int
    proof: AnchorProof


@dataclass(frozen=True)
class WalletWord:
    """WalletWord states whether a contract wallet accepts its signature, and who says so.

    Attributes:
        accepted: None if neither the wallet nor anybody else could say in time.
        by: An operator of the network file, which signed it, or an endpoint of the chain.
        block: The number of the block at which it was so.
        why: Why the wallet refuses, or empty.
    """

    accepted: bool | None
    by: str
    block: int
    why: str = ""


@dataclass(frozen=True)
class HeldLicense:
    """HeldLicense is a license that a node holds, with verified signature.

    Attributes:
        hash: The license hash, 32 bytes.
        license: The signed terms and the items.
        revoked: The number of revoked permissions, by the node's unverified statement.
        anchored_in: The block of its anchor, by the node's unverified statement, or None.
        anchor: The anchor with its proof, if the license was asked for by itself, or None.
        unjudged: What a contract wallet should have signed, which this machine cannot verify; else None.
        word: What is known of that signature; None if it was verified, or if nobody was asked.
    """

    hash: bytes
    license: License
    revoked: int
    anchored_in: int | None = None
    anchor: Anchored | None = None
    unjudged: SignatureClaim | None = None
    word: WalletWord | None = None

    @property
    def permissions(self) -> int:
        """Return the number of permissions: items times purposes."""
        return self.license.consent.items * len(self.license.consent.purposes)


@dataclass(frozen=True)
class CheckAnswer:
    """CheckAnswer holds a reason for each row, and the verified receipt that binds them.

    Attributes:
        numbers: The numbers of the reasons, one byte each, in the order of the rows.
        receipt: The receipt for exactly these rows and reasons.
        operator: The operator that signed the receipt.
    """

    numbers: bytes
    receipt: Signed[Receipt]
    operator: Operator

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Return the reasons by name; this is slow for a million rows."""
        return tuple(REASONS[number] for number in self.numbers)
