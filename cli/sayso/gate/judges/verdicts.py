"""Verdicts over many rows: a byte a row, the number of its reason (protocol, section 8).

Several answers about the same rows become one by the strictest: a revocation that anybody knows wins,
and a row is clear only where everybody says so.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.verdicts.verdict import REASONS, Reason

Flags = NDArray[np.bool_]
Numbers = NDArray[np.uint8]

GRANTED: Final = Reason.GRANTED.number
# From what says least to what says most: that a node cannot speak is no news where another has spoken.
_STRICTER: Final = (
    Reason.GRANTED,
    Reason.STALE,
    Reason.UNKNOWN,
    Reason.INCOMPLETE,
    Reason.NOT_YET_VALID,
    Reason.PURPOSE_NOT_GRANTED,
    Reason.OTHER_GRANTEE,
    Reason.EXPIRED,
    Reason.REVOKED,
)
_RANKS: Final = np.full(256, len(_STRICTER) - 1, np.uint8)  # what is no reason is the strictest
_RANKS[[one.number for one in _STRICTER]] = range(len(_STRICTER))
_OF_RANK: Final = np.array([one.number for one in _STRICTER], np.uint8)


class Verdicts:
    """The reason of each row of a batch.

    Attributes:
        numbers: Numbers of the reasons, one byte a row.
    """

    def __init__(self, numbers: bytes | Numbers) -> None:
        as_bytes = isinstance(numbers, bytes)
        self.numbers: Numbers = np.frombuffer(numbers, np.uint8) if as_bytes else np.asarray(numbers)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.numbers)

    @property
    def clear(self) -> Flags:
        """For each row whether it may be used."""
        clear: Flags = self.numbers == GRANTED
        return clear

    @property
    def counts(self) -> dict[str, int]:
        """Reason -> rows, without zeros."""
        found = np.bincount(self.numbers, minlength=256)
        return {reason.value: int(found[number]) for number, reason in REASONS.items() if found[number]}

    @property
    def reasons(self) -> list[Reason]:
        """The reasons by name."""
        return [REASONS[number] for number in self.numbers.tolist()]


def strictest(answers: Sequence[bytes]) -> tuple[bytes, int]:
    """One answer from several about the same rows, and in how many rows they differ."""
    if len(answers) == 1:
        return answers[0], 0
    stack = np.stack([np.frombuffer(one, np.uint8) for one in answers])
    differing = int((stack != stack[0]).any(axis=0).sum())
    merged: Numbers = _OF_RANK[_RANKS[stack].max(axis=0)]
    return merged.tobytes(), differing
