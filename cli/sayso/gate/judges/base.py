"""Judges: whoever gives a reason for each of many rows, and what proves it.

A judge answers for every row or raises; it never answers for fewer. It is used by one thread.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from sayso_protocol.receipts.receipt import Receipt, Signed


@dataclass(frozen=True)
class Judged:
    """The answer about a part of a manifest.

    Attributes:
        numbers: The numbers of the reasons, one byte each, in the order of the rows.
        receipts: What nodes signed for exactly these rows.
        differing: In how many rows those who were asked disagreed.
        overruled: How many rows that all nodes called granted are revoked on the chain.
        time: For which second it was judged, where nobody signed for one.
    """

    numbers: bytes
    receipts: tuple[Signed[Receipt], ...] = ()
    differing: int = 0
    overruled: int = 0
    time: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What a judge relied on, for the record of the run.

    Attributes:
        sources: Who or what was asked, as JSON objects, each with a `kind`.
        signers: Names of the operators who signed.
    """

    sources: list[dict[str, Any]] = field(default_factory=list)
    signers: list[str] = field(default_factory=list)


class Judge(Protocol):
    """Judge answers about joined rows (license . item, 64 bytes each)."""

    part_rows: int  # at most so many rows at once

    def judge(self, rows: bytes) -> Judged:
        """A reason for every row."""
        ...

    def evidence(self) -> Evidence:
        """What the answers so far rely on."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
