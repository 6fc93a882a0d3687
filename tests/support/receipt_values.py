"""Values in receipts, computed from all that they stand for."""

from collections.abc import Iterable

from sayso_protocol.permissions.state_digest import EMPTY_SUM, StateEntry, changed_sum, digest_of_sum
from sayso_protocol.verdicts.verdict import Reason


def number_reasons(reasons: Iterable[Reason]) -> bytes:
    """The numbers of reasons, one byte each (section 8)."""
    return bytes([reason.number for reason in reasons])


def state_digest(entries: Iterable[StateEntry]) -> bytes:
    """The state digest of all entries, 32 bytes (rule 9.3)."""
    return digest_of_sum(changed_sum(EMPTY_SUM, entries))
