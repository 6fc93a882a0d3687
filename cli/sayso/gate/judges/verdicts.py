"""Verdicts for many rows: one byte for each row, the number of its reason (protocol, section 8).

Several answers about the same rows are joined by the strictest: a revocation that one source knows wins,
and a row is clear only if every source calls it granted.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.verdicts.verdict import REASONS, Reason

Flags = NDArray[np.bool_]
Numbers = NDArray[np.uint8]

GRANTED: Final = Reason.GRANTED.number
# In the order of information: `stale` says nothing if another source has answered.
_STRICTER: Final = (
    Reason.GRANTED,
    Reason.STALE,
    Reason.UNKNOWN,
    Reason.INCOMPLETE,
    Reason.NOT_YET_VALID,
    Reason.PURPOSE_NOT_GRANTED,
    Reason.OTHER_GRANTEE,
    Reason.WITHDRAWN,
    Reason.EXPIRED,
    Reason.DISPUTED,
    Reason.REVOKED,
)
_RANKS: Final = np.full(256, len(_STRICTER) - 1, np.uint8)  # an unknown number is the strictest
_RANKS[[one.number for one in _STRICTER]] = range(len(_STRICTER))
_OF_RANK: Final = np.array([one.number for one in _STRICTER], np.uint8)


class Verdicts:
    """Verdicts holds the reason of each row of a batch.

    Attributes:
        numbers: The numbers of the reasons, one byte for each row.
    """

    def __init__(self, numbers: bytes | Numbers) -> None:
        as_bytes = isinstance(numbers, bytes)
        self.numbers: Numbers = np.frombuffer(numbers, np.uint8) if as_bytes else np.asarray(numbers)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numbers)

    @property
    def clear(self) -> Flags:
        """Return for each row whether it may be used."""
        clear: Flags = self.numbers == GRANTED
        return clear

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of rows of each reason, without zeros."""
        found = np.bincount(self.numbers, minlength=256)
        return {reason.value: int(found[number]) for number, reason in REASONS.items() if found[number]}

    @property
    def reasons(self) -> list[Reason]:
        """Return the reason of each row."""
        return [REASONS[number] for number in self.numbers.tolist()]


def strictest(answers: Sequence[bytes]) -> tuple[bytes, int]:
    """Join several answers about the same rows, and count the rows in which they differ."""
    if len(answers) == 1:
        return answers[0], 0
    stack = np.stack([np.frombuffer(one, np.uint8) for one in answers])
    differing = int((stack != stack[0]).any(axis=0).sum())
    merged: Numbers = _OF_RANK[_RANKS[stack].max(axis=0)]
    return merged.tobytes(), differing


def with_chain(numbers: bytes, chain: bytes) -> tuple[bytes, int]:
    """Put the chain's numbers in the place of `granted`, and count the rows that it has as revoked.

    Raises:
        ValueError: There is not one number for each granted row.
    """
    merged = np.frombuffer(numbers, np.uint8).copy()
    granted = np.flatnonzero(merged == GRANTED)
    if len(granted) != len(chain):
        raise ValueError(f"{len(chain)} numbers for {len(granted)} granted rows")
    merged[granted] = np.frombuffer(chain, np.uint8)
    return merged.tobytes(), chain.count(Reason.REVOKED.number)
