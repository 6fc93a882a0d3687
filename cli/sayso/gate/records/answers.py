"""Verification of the nodes' answers in a record, part by part.

A receipt is reproduced from the rows and the reasons of its node. The reasons of a part follow from
those of its nodes, and of the chain, by the rule of the gate (verdicts.py).
"""

from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from sayso.gate.judges.base import add_counts, node_source
from sayso.gate.judges.verdicts import GRANTED, strictest, with_chain
from sayso.gate.records.reasons import reasons_from_text
from sayso.gate.records.record import AnswerJson, PartJson
from sayso_protocol.errors import BadProof
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import Receipt, check_results, count_reasons
from sayso_protocol.receipts.text import receipt_of
from sayso_protocol.verdicts.query import Heed


@dataclass
class _Node:
    """_Node is an operator that answered, with its last receipt and the sums of all."""

    operator: str
    last: Receipt
    counts: dict[str, int] = field(default_factory=dict)


class Answers:
    """Answers verifies parts, in order, and adds them up.

    Attributes:
        differing: The number of rows about which the nodes disagree.
        overruled: The number of rows that all nodes call granted and the chain has as revoked.
        has_chain: Whether a part has reasons by the chain.
        times: The times of all receipts, seconds since the epoch.
        untils: Until when the receipts with granted rows may be relied on, seconds since the epoch.
    """

    def __init__(self, question: Question, trusted: NetworkFile) -> None:
        self.differing = self.overruled = 0
        self.has_chain = False
        self.times: list[int] = []
        self.untils: list[int] = []
        self._question, self._trusted = question, trusted
        self._nodes: dict[bytes, _Node] = {}
        self._seen: set[tuple[bytes, int]] = set()

    def add(self, part: PartJson, rows: bytes | None) -> bytes:
        """Verify a part, and return the numbers of its reasons.

        Args:
            part: The part.
            rows: Its joined rows, or None if they are not given; then no root is reproduced.

        Raises:
            BadProof: A node did not give this answer, or nodes of other parts did not answer this one.
            Malformed: Reasons are not in their form.
            WrongNetwork, UnknownSigner, BadSignature: See Signed.check.
        """
        if not part.answers or part.time is not UNSET:
            raise BadProof("a part of the record has no receipt, so no node judged its rows")
        read = [self._read(one, part.rows, rows) for one in part.answers]
        keys = [receipt.node_key for receipt, _ in read]
        if keys != list(self._nodes):  # the first part has added its own, each once
            raise BadProof("the parts of the record are not judged by the same nodes, each once")
        if len({receipt.manifest_root for receipt, _ in read}) > 1:
            raise BadProof("the receipts of a part are for different rows")
        numbers, differing = strictest([one for _, one in read])
        self.differing += differing
        if part.chain is not UNSET:
            self.has_chain = True
            granted = numbers.count(GRANTED)
            numbers, overruled = with_chain(numbers, reasons_from_text(part.chain, granted))
            self.overruled += overruled
        return numbers

    def _read(self, answer: AnswerJson, count: int, rows: bytes | None) -> tuple[Receipt, bytes]:
        signed = receipt_of(answer.receipt)
        operator, receipt = signed.check(self._trusted), signed.statement
        if not self._question.is_answered_by(receipt.question):
            raise BadProof("a receipt is for another question than the record")
        numbers = reasons_from_text(answer.reasons, count)
        if rows is not None:
            check_results(receipt, rows, numbers)
        elif count_reasons(numbers) != receipt.counts:
            raise BadProof("a node's reasons in the record do not give the counts of its receipt")
        if (number := (receipt.node_key, receipt.sequence)) in self._seen:
            raise BadProof("a receipt is in the record twice")
        self._seen.add(number)
        self.times.append(receipt.time)
        if receipt.clear:
            self.untils.append(receipt.until)
        node = self._nodes.setdefault(receipt.node_key, _Node(operator.name, receipt))
        if node.last.heed != receipt.heed:
            raise BadProof("the receipts of a node state different lists of whose disputes counted")
        node.last = receipt
        add_counts(node.counts, receipt.counts)
        return receipt, numbers

    @property
    def heeds(self) -> list[Heed]:
        """Return whose disputes counted, for each node in order."""
        return [one.last.heed for one in self._nodes.values()]

    def sources(self) -> list[dict[str, Any]]:
        """Return the nodes as sources, in order."""
        return [node_source(one.operator, one.last, one.counts) for one in self._nodes.values()]
