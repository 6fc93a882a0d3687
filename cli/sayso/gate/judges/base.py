"""The interface of judges, which give a reason for each row, with evidence.

A judge answers for every row or raises. One thread uses it at a time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sayso.node_client.answers import CheckAnswer
from sayso_protocol.receipts.receipt import Receipt

PART_ROWS: Final = 1 << 20  # of one request, the limit of a node


@dataclass(frozen=True)
class Judged:
    """Judged is the answer about a part of a manifest.

    Attributes:
        numbers: The numbers of the reasons, one byte each, in the order of the rows.
        answers: The nodes' answers for exactly these rows; `numbers` follows from them and `chain`.
        differing: The number of rows about which the nodes disagree.
        chain: The numbers for the rows that all nodes call granted, by the chain, if it was read.
        overruled: The number of rows that all nodes call granted and the chain has as revoked.
        time: The second for which the rows were judged, if no node signed.
        until: The least time until which a granted row may be relied on, if no node signed.
        block: The block of the chain that was read, if it was.
    """

    numbers: bytes
    answers: tuple[CheckAnswer, ...] = ()
    differing: int = 0
    chain: bytes | None = None
    overruled: int = 0
    time: int | None = None
    until: int | None = None
    block: dict[str, Any] | None = None


@dataclass(frozen=True)
class Evidence:
    """Evidence describes the sources of a judge, for the record of the run.

    Attributes:
        sources: The sources as JSON objects, each with a `kind`.
        signers: The names of the operators who signed.
    """

    sources: list[dict[str, Any]] = field(default_factory=list)
    signers: list[str] = field(default_factory=list)


def node_source(operator: str, last: Receipt, counts: dict[str, int]) -> dict[str, Any]:
    """Return a node as a source: its last receipt, and the sums of all its receipts."""
    return {
        "kind": "node",
        "operator": operator,
        "node_key": last.node_key.hex(),
        "block": last.block.number,
        "block_hash": last.block.hash.hex(),
        "state": last.state.hex(),
        "time": last.time,
        "counts": counts,
    }


def add_counts(counts: dict[str, int], more: Iterable[tuple[str, int]]) -> None:
    """Add numbers of rows by reason."""
    for reason, rows in more:
        counts[reason] = counts.get(reason, 0) + rows


class Judge:
    """Judge gives reasons for joined rows (license . item, 64 bytes each).

    Attributes:
        part_rows: The most rows of one call.
    """

    part_rows = PART_ROWS

    def judge(self, rows: bytes) -> Judged:
        """Return a reason for every row."""
        raise NotImplementedError

    def recall(self, rows: bytes, judged: Judged) -> None:
        """Count a verified answer to this question that was given before about these rows."""

    def evidence(self) -> Evidence:
        """Return the evidence of all answers so far."""
        raise NotImplementedError

    def close(self) -> None:
        """Close what connections and files there are."""


class WrappingJudge(Judge):
    """WrappingJudge is a judge that asks another one, whose evidence is its own."""

    def __init__(self, inner: Judge) -> None:
        self.part_rows, self._inner = inner.part_rows, inner

    def recall(self, rows: bytes, judged: Judged) -> None:
        """Count an answer at the inner judge."""
        self._inner.recall(rows, judged)

    def evidence(self) -> Evidence:
        """Return the evidence of the inner judge."""
        return self._inner.evidence()

    def close(self) -> None:
        """Close the inner judge."""
        self._inner.close()
