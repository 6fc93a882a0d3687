"""Whether a holder confirmed that it removed what is revoked: confirmed, due, undated or late (15.5).

"Now" is the time of the last final block, not that of a clock, so nodes that read the same blocks agree.
Nothing here says that data was removed: only that somebody signed so, and when.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from sayso_protocol.traces.landings import UNDATED, HolderLanding

DAY_S: Final = 86_400


class Block(NamedTuple):
    """Block is a final block: its height, and its time in seconds since the epoch, None if unknown."""

    number: int
    time: int | None


class Confirmation(NamedTuple):
    """Confirmation is a removal that a holder signed (rule 3.14).

    Attributes:
        digest: Its digest, 32 bytes.
        as_of_block: The block up to which its signer looked for revocations.
        anchored: The block of its own first anchor; None before that is final.
    """

    digest: bytes
    as_of_block: int
    anchored: Block | None


class Standing(StrEnum):
    """How a holder stands to what became revoked."""

    CONFIRMED = "confirmed"
    DUE = "due"
    UNDATED = "undated"  # due, and no final block dates it
    LATE = "late"  # no confirmation is known to this node


class Duty(NamedTuple):
    """Duty is one landing for one holder.

    Attributes:
        landing: What became revoked.
        revoked: The block that did it; None while it is undated.
        due: Until when its removal is to be confirmed, seconds since the epoch; None while undated.
        standing: How it stands.
        confirmation: The first removal that counts, if any.
    """

    landing: HolderLanding
    revoked: Block | None
    due: int | None
    standing: Standing
    confirmation: Confirmation | None


def duty(
    landing: HolderLanding,
    revoked: Block | None,
    removal_days: int,
    confirmations: Iterable[Confirmation],
    now: int | None,
) -> Duty:
    """Judge one landing.

    Args:
        landing: What became revoked.
        revoked: The block of the landing with its time; None if it is undated.
        removal_days: Of the consent.
        confirmations: The removals of the holder that name the license.
        now: The time of the last final block, seconds since the epoch; None if none is known.
    """
    if landing.block == UNDATED or revoked is None:
        return Duty(landing, None, None, Standing.UNDATED, None)
    counting = [one for one in confirmations if counts(one, landing.block)]
    first = min(counting, key=_order, default=None)
    due = None if revoked.time is None else revoked.time + removal_days * DAY_S
    if first is not None:
        return Duty(landing, revoked, due, Standing.CONFIRMED, first)
    if due is None or now is None:
        return Duty(landing, revoked, due, Standing.UNDATED, None)
    return Duty(landing, revoked, due, Standing.LATE if now > due else Standing.DUE, None)


def counts(removal: Confirmation, landed: int) -> bool:
    """Return whether a removal is about what became revoked by a block (rule 15.5.2).

    Its signer must have looked at that block or a later one, which must have existed when it signed.
    """
    anchored = removal.anchored
    return anchored is not None and landed <= removal.as_of_block <= anchored.number


def _order(removal: Confirmation) -> tuple[int, bytes]:
    assert removal.anchored  # noqa: S101 - it counts
    return removal.anchored.number, removal.digest
