"""Receipts, acknowledgements, heads of status answers: what a node signs, and anybody can check later.

Rule 9.1: a receipt says what was asked, what was answered, and what the node knew at the time. Rule
9.2: manifest and results are bound by two trees (row_tree.py). A receipt never says that a model
forgot: it says what may be in a future run, and that it was checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from nacl.signing import SigningKey

from sayso_protocol.encoding.packing import pack
from sayso_protocol.encoding.row_tree import RowProof, manifest_root, results_root
from sayso_protocol.errors import BadProof, Malformed, WrongNetwork
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.signatures.nodes import (
    ACKNOWLEDGEMENT,
    RECEIPT,
    STATUS,
    check_node_signature,
    sign_by_node,
)
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row


@dataclass(frozen=True)
class ChainPoint:
    """The block up to which the node knew the chain.

    Attributes:
        number: Block number.
        hash: Block hash, 32 bytes.
    """

    number: int
    hash: bytes


@dataclass(frozen=True)
class Receipt:
    """What a node answered to a check.

    Attributes:
        network: Where the licenses are.
        node_key: The node's Ed25519 key.
        grantee: Who asked to use the data, 20 bytes.
        purpose: What for.
        max_age_s: The oldest chain view and peer sync that the asker accepted, seconds.
        run_id: The asker's own name for the run.
        manifest_root: Over the rows that were asked.
        results_root: Over the rows with their reasons.
        counts: Reason -> rows, sorted by reason, no zeros.
        sequence: The node's running number of receipts.
        state: Digest of the revocation state (rule 9.3).
        block: Up to where the chain was read.
        time: Seconds since the epoch, by the node's clock.
    """

    network: Network
    node_key: bytes
    grantee: bytes
    purpose: str
    max_age_s: int
    run_id: str
    manifest_root: bytes
    results_root: bytes
    counts: tuple[tuple[str, int], ...]
    sequence: int
    state: bytes
    block: ChainPoint
    time: int

    def content(self) -> bytes:
        """The canonical bytes that are signed (rule 9.1)."""
        return pack(
            [
                [self.network.chain_id, self.network.registry],
                self.node_key,
                self.grantee,
                self.purpose,
                self.max_age_s,
                self.run_id,
                self.manifest_root,
                self.results_root,
                [list(entry) for entry in self.counts],
                self.sequence,
                self.state,
                [self.block.number, self.block.hash],
                self.time,
            ]
        )


@dataclass(frozen=True)
class Acknowledgement:
    """A node's promise that it keeps a revocation.

    Attributes:
        network: The network the node serves.
        node_key: The node's Ed25519 key.
        digest: Of the revocation.
        block: Up to where the node knew the chain.
        time: Seconds since the epoch, by the node's clock.
    """

    network: Network
    node_key: bytes
    digest: bytes
    block: ChainPoint
    time: int

    def content(self) -> bytes:
        """The canonical bytes that are signed (rule 9.4)."""
        return pack(
            [
                [self.network.chain_id, self.network.registry],
                self.node_key,
                self.digest,
                [self.block.number, self.block.hash],
                self.time,
            ]
        )


@dataclass(frozen=True)
class StatusHead:
    """What a node signs for all status answers of one moment (rule 9.8).

    Attributes:
        network: The network the node serves.
        node_key: The node's Ed25519 key.
        root: Of the binary tree over the answers, 32 bytes.
        count: How many there are.
        state: Digest of the revocation state (rule 9.3).
        block: Up to where the chain was read.
        time: Seconds since the epoch, by the node's clock.
    """

    network: Network
    node_key: bytes
    root: bytes
    count: int
    state: bytes
    block: ChainPoint
    time: int

    def content(self) -> bytes:
        """The canonical bytes that are signed (rule 9.8)."""
        return pack(
            [
                [self.network.chain_id, self.network.registry],
                self.node_key,
                self.root,
                self.count,
                self.state,
                [self.block.number, self.block.hash],
                self.time,
            ]
        )


class Placed(Protocol):
    """What a node of a network states."""

    @property
    def network(self) -> Network: ...  # noqa: D102 - see Receipt
    @property
    def node_key(self) -> bytes: ...  # noqa: D102
    def content(self) -> bytes: ...  # noqa: D102


Statement = Receipt | Acknowledgement | StatusHead
S = TypeVar("S", Receipt, Acknowledgement, StatusHead)
_CONTEXTS: dict[type[Statement], bytes] = {
    Receipt: RECEIPT,
    Acknowledgement: ACKNOWLEDGEMENT,
    StatusHead: STATUS,
}


@dataclass(frozen=True)
class Signed(Generic[S]):
    """A statement with the signature of the node that made it."""

    statement: S
    signature: bytes

    def check(self, trusted: NetworkFile) -> Operator:
        """Who signed it, according to the network file and nothing else (rule 9.5).

        Raises:
            WrongNetwork: It speaks of another network.
            UnknownSigner: The key is not in the network file.
            BadSignature: The signature does not match.
        """
        return check_signed(self.statement, _CONTEXTS[type(self.statement)], self.signature, trusted)


def check_signed(statement: Placed, context: bytes, signature: bytes, trusted: NetworkFile) -> Operator:
    """Who signed a statement under a context (rule 9.5); raises what Signed.check raises."""
    # 1. It speaks of the network we trust.
    if statement.network != trusted.network:
        raise WrongNetwork(f"it is for {statement.network}, not for {trusted.network}")
    # 2. The key is one of an operator we know.
    operator = trusted.operator_of(statement.node_key)
    # 3. That key signed exactly this.
    check_node_signature(statement.node_key, context, statement.content(), signature)
    return operator


def sign_statement(key: SigningKey, statement: S) -> Signed[S]:
    """Sign as the node that the statement names."""
    signature = sign_by_node(key, _CONTEXTS[type(statement)], statement.content())
    return Signed(statement, signature)


def join_rows(rows: Iterable[Row]) -> bytes:
    """Rows as the trees take them: license . item, 64 bytes each."""
    return b"".join([part for row in rows for part in row])


def number_reasons(reasons: Iterable[Reason]) -> bytes:
    """Reasons as the trees take them: their numbers, one byte each."""
    return bytes([reason.number for reason in reasons])


def count_reasons(reasons: bytes) -> tuple[tuple[str, int], ...]:
    """Reason -> rows, as a receipt states them; raises Malformed for a number nobody knows."""
    counts = {reason.value: reasons.count(number) for number, reason in REASONS.items()}
    if sum(counts.values()) != len(reasons):
        raise Malformed("there is a reason nobody knows")
    return tuple(sorted((name, rows) for name, rows in counts.items() if rows))


def check_results(receipt: Receipt, rows: bytes, reasons: bytes) -> None:
    """Check that a receipt speaks of exactly these rows and reasons; raises BadProof, Malformed."""
    if manifest_root(rows) != receipt.manifest_root:
        raise BadProof("the receipt was given for other rows")
    if results_root(rows, reasons) != receipt.results_root or count_reasons(reasons) != receipt.counts:
        raise BadProof("the receipt states other results for these rows")


def check_row(receipt: Receipt, proof: RowProof) -> Reason:
    """The reason that a receipt gives one row (rule 9.2); raises BadProof."""
    proof.check(sum(rows for _, rows in receipt.counts), receipt.results_root)
    if proof.reason not in REASONS:
        raise BadProof("the proof names a reason nobody knows")
    return REASONS[proof.reason]
