"""Receipts, acknowledgements and heads of status answers, which a node signs.

Rule 9.1: a receipt states the question, the answer and the node's knowledge. Rule 9.2: two trees bind
the manifest and the results (row_tree.py). A receipt does not say that a model forgot; it says what may
be in a future run, and that this was checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from nacl.signing import SigningKey

from sayso_protocol.encoding.packing import pack
from sayso_protocol.encoding.row_tree import RowProof, manifest_root, results_root
from sayso_protocol.errors import BadProof, Malformed, WrongNetwork
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.receipts.question import Question
from sayso_protocol.signatures.nodes import (
    ACKNOWLEDGEMENT,
    RECEIPT,
    STATUS,
    check_node_signature,
    sign_by_node,
)
from sayso_protocol.verdicts.query import Heed, Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row


@dataclass(frozen=True)
class ChainPoint:
    """ChainPoint is the block up to which a node has read the chain.

    Attributes:
        number: Block number.
        hash: Block hash, 32 bytes.
    """

    number: int
    hash: bytes


class _Fields:
    """A statement is signed as the array of its fields, in the order of its class."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def content(self) -> bytes:
        """Return the signed bytes, in canonical msgpack (rules 9.1, 9.4 and 9.8)."""
        return pack([_packed(getattr(self, name)) for name in self.__dataclass_fields__])


def _packed(value: Any) -> Any:
    match value:
        case Network():
            return [value.chain_id, value.registry]
        case ChainPoint():
            return [value.number, value.hash]
    return value


@dataclass(frozen=True)
class Receipt(_Fields):
    """Receipt is a node's answer to a check (rule 9.1).

    Attributes:
        network: The network of the licenses.
        node_key: The node's Ed25519 key, 32 bytes.
        grantee: The address that would use the data, 20 bytes.
        purpose: The purpose of the query.
        max_age_s: The oldest view of chain and peers that the buyer accepted, seconds.
        run_id: The buyer's own name for the run.
        nonce: The buyer's nonce for this request, 0 to 32 bytes (rule 9.1.1).
        manifest_root: Root over the rows, 32 bytes (rule 9.2).
        results_root: Root over the rows with their reasons, 32 bytes (rule 9.2).
        counts: Reason -> rows, sorted by reason, no zeros.
        sequence: The node's running number of receipts.
        state: State digest, 32 bytes (rule 9.3).
        block: The block up to which the chain was read.
        time: Seconds since the epoch, by the node's clock.
        run_until: When the buyer's run ends, seconds since the epoch; 0 if the buyer did not say.
        until: The least time until which a granted row may be relied on (rule 8.16); 0 without one.
        heed: The addresses whose disputes counted, ascending (rule 8.17).
    """

    network: Network
    node_key: bytes
    grantee: bytes
    purpose: str
    max_age_s: int
    run_id: str
    nonce: bytes
    manifest_root: bytes
    results_root: bytes
    counts: tuple[tuple[str, int], ...]
    sequence: int
    state: bytes
    block: ChainPoint
    time: int
    run_until: int
    until: int
    heed: Heed

    @property
    def question(self) -> Question:
        """Return the question that the receipt answers."""
        query = Query(self.grantee, self.purpose, self.heed)
        return Question(query, self.max_age_s, self.run_id, run_until=self.run_until)

    @property
    def clear(self) -> int:
        """Return the number of granted rows."""
        return dict(self.counts).get(Reason.GRANTED.value, 0)

    @property
    def rows(self) -> int:
        """Return the number of rows (rule 9.2.4)."""
        return sum(rows for _, rows in self.counts)


@dataclass(frozen=True)
class Acknowledgement(_Fields):
    """Acknowledgement is a node's promise that it keeps a revocation (rule 9.4).

    Attributes:
        network: The network that the node serves.
        node_key: The node's Ed25519 key, 32 bytes.
        digest: The digest of the revocation, 32 bytes.
        block: The block up to which the chain was read.
        time: Seconds since the epoch, by the node's clock.
    """

    network: Network
    node_key: bytes
    digest: bytes
    block: ChainPoint
    time: int


@dataclass(frozen=True)
class StatusHead(_Fields):
    """StatusHead is the signed part of all status answers of one moment (rule 9.8).

    Attributes:
        network: The network that the node serves.
        node_key: The node's Ed25519 key, 32 bytes.
        root: Root of the binary tree over the answers, 32 bytes.
        count: The number of answers.
        state: State digest, 32 bytes (rule 9.3).
        block: The block up to which the chain was read.
        time: Seconds since the epoch, by the node's clock.
    """

    network: Network
    node_key: bytes
    root: bytes
    count: int
    state: bytes
    block: ChainPoint
    time: int


class Placed(Protocol):
    """Placed is a statement that names its network and node."""

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
    """Signed is a statement with the node's signature, 64 bytes."""

    statement: S
    signature: bytes

    def check(self, trusted: NetworkFile) -> Operator:
        """Return the operator that signed, by the network file (rule 9.5).

        Raises:
            WrongNetwork: The statement is for another network.
            UnknownSigner: The key is not in the network file.
            BadSignature: The signature does not match.
        """
        return check_signed(self.statement, _CONTEXTS[type(self.statement)], self.signature, trusted)


def check_signed(statement: Placed, context: bytes, signature: bytes, trusted: NetworkFile) -> Operator:
    """Return the operator that signed a statement under a context (rule 9.5); raises as Signed.check."""
    # 9.5.1 The statement is for the network of the network file.
    if statement.network != trusted.network:
        raise WrongNetwork(f"it is for {statement.network}, not for {trusted.network}")
    # 9.5.2 The key is that of an operator in the network file.
    operator = trusted.operator_of(statement.node_key)
    # 9.5.3 The signature is right under the context.
    check_node_signature(statement.node_key, context, statement.content(), signature)
    return operator


def sign_statement(key: SigningKey, statement: S) -> Signed[S]:
    """Sign a statement with the key of the node that it names (rule 4.5)."""
    signature = sign_by_node(key, _CONTEXTS[type(statement)], statement.content())
    return Signed(statement, signature)


def join_rows(rows: Iterable[Row]) -> bytes:
    """Return joined rows: license . item, 64 bytes each (rule 9.2.2)."""
    return b"".join([part for row in rows for part in row])


def count_reasons(reasons: bytes) -> tuple[tuple[str, int], ...]:
    """Return the counts of a receipt from the numbers of reasons (rule 9.1); raises Malformed."""
    counts = {reason.value: reasons.count(number) for number, reason in REASONS.items()}
    if sum(counts.values()) != len(reasons):
        raise Malformed("the reasons contain an unknown number")
    return tuple(sorted((name, rows) for name, rows in counts.items() if rows))


def check_results(receipt: Receipt, rows: bytes, reasons: bytes) -> None:
    """Check the roots and counts against rows and reasons (9.2.5); raises BadProof, Malformed."""
    if manifest_root(rows) != receipt.manifest_root:
        raise BadProof("the receipt was given for other rows")
    if results_root(rows, reasons) != receipt.results_root or count_reasons(reasons) != receipt.counts:
        raise BadProof("the receipt states other results for these rows")


def check_row(receipt: Receipt, proof: RowProof) -> Reason:
    """Return the reason of one row in a receipt (rules 9.2.6, 9.2.7); raises BadProof."""
    proof.check(receipt.rows, receipt.results_root)
    if proof.reason not in REASONS:
        raise BadProof("the proof names an unknown reason")
    return REASONS[proof.reason]
