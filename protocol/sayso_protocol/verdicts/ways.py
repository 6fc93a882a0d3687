"""Until when a clear answer may be relied on (rule 8.16).

A way is one choice for each party: a consent, and for an asker who is not its grantee an open chain. It
ends with the first of its expiries, and when the knowledge that it rests on has reached the least of its
consents' `recheckHours`. The best way is found without trying all combinations, of which there can be
sixteen to the power of sixteen:

Let the parts of a way have the ends e, the ages of knowledge a and the rechecks r. The way ends at
min(min e, min a + min r). Because of `min a + min r`, the best part of a party depends on the choices of
the other parties. But fix a number t, leave out all parts with r < t, and let each part end at
min(e, a + t). Then parts no longer depend on each other: the best way takes the best part of each party
and ends at the least of these. That end is never later than the true end of the same way, whose least r
is t or more; and it is the true end for t = min r. So the largest end over all t that occur as an r is
the end of the best way.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sayso_protocol.messages.consent import Consent
from sayso_protocol.verdicts.chains import NEVER
from sayso_protocol.verdicts.license_table import HOUR_S


class Choice(NamedTuple):
    """Choice is a choice for one party.

    Attributes:
        ends: The least expiry of the consent and of its chain, seconds since the epoch.
        as_of: The age of the knowledge, seconds since the epoch: no later than the block at which the
            consent's contract wallet was asked.
        recheck_s: For how long the consent lets an answer be relied on, seconds.
    """

    ends: float
    as_of: float
    recheck_s: float

    @property
    def end(self) -> float:
        """Return when the choice ends as a way of its own, as it does for most rows."""
        return min(self.ends, self.as_of + self.recheck_s)


def recheck_s(consent: Consent) -> int:
    """Return for how long an answer about a consent may be relied on, seconds."""
    return consent.recheck_hours * HOUR_S


def latest_end(parties: Sequence[Sequence[Choice]]) -> float:
    """Return when the best way ends, seconds since the epoch; minus infinity if there is no way.

    Args:
        parties: The parts of each party, of which a way takes one each.
    """
    rechecks = {part.recheck_s for parts in parties for part in parts}
    return max((_end_with(parties, least) for least in rechecks), default=NEVER)


def _end_with(parties: Sequence[Sequence[Choice]], least_s: float) -> float:
    """Return the end of the best way whose rechecks are at least so long, if each were so long."""
    return min(
        max(
            (min(one.ends, one.as_of + least_s) for one in parts if one.recheck_s >= least_s),
            default=NEVER,
        )
        for parts in parties
    )
