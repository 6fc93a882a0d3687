"""The interface of judges, which give a reason for each row, with evidence.

A judge answers for every row or raises. One thread uses it at a time.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from sayso_protocol.receipts.receipt import Receipt, Signed


@dataclass(frozen=True)
class Judged:
    """Judged is the answer about a part of a manifest.

    Attributes:
        numbers: The numbers of the reasons, one byte each, in the order of the rows.
        receipts: The nodes' receipts for exactly these rows.
        differing: The number of rows about which the nodes disagree.
        overruled: The number of rows that all nodes call granted and the chain has as revoked.
        time: The second for which the rows were judged, if no node signed.
    """

    numbers: bytes
    receipts: tuple[Signed[Receipt], ...] = ()
    differing: int = 0
    overruled: int = 0
    time: int | None = None


@dataclass(frozen=True)
class Evidence:
    """Evidence describes the sources of a judge, for the record of the run.

    Attributes:
        sources: The sources as JSON objects, each with a `kind`.
        signers: The names of the operators who signed.
    """

    sources: list[dict[str, Any]] = field(default_factory=list)
    signers: list[str] = field(default_factory=list)


class Judge(Protocol):
    """Judge gives reasons for joined rows (license . item, 64 bytes each)."""

    part_rows: int  # the most rows of one call

    def judge(self, rows: bytes) -> Judged:
        """Return a reason for every row."""
        ...

    def evidence(self) -> Evidence:
        """Return the evidence of all answers so far."""
        ...

    def close(self) -> None:
        """Close connections and files."""
        ...
