"""When a statement ends (rule 15.7): a year after what its holder owes, by the time of final blocks."""

from collections.abc import Mapping, Sequence
from typing import Final

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.traces.duties import DAY_S
from sayso_protocol.traces.landings import UNDATED, HolderLanding

KEPT_S: Final = 365 * DAY_S  # for which a statement is kept after the last day that matters


def license_end(
    consent: Consent, landed: Sequence[HolderLanding], times: Mapping[int, int]
) -> int | None:
    """Return when statements of a holder about a license end, seconds since the epoch (rule 15.7.2).

    Args:
        consent: The license.
        landed: Its landings for the holder, for all purposes of the consent.
        times: The known times of their blocks, by height.

    Returns None while the time of one of the blocks is not known.
    """
    dated = [one for one in landed if one.block != UNDATED]
    if any(one.block not in times for one in dated):
        return None
    days = [times[one.block] + consent.removal_days * DAY_S for one in dated]
    if sum(one.permissions for one in dated) < consent.items * len(consent.purposes):
        days.append(consent.expires_at)
    return max(days) + KEPT_S


def dispute_end(dispute: Dispute) -> int:
    """Return when a dispute ends as a statement, seconds since the epoch (rule 15.7.4)."""
    return dispute.expires_at + KEPT_S
