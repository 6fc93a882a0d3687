"""How much hypothesis tries: a part every day, or what HYPOTHESIS_PROFILE says."""

import os
from typing import Final

from hypothesis import HealthCheck, settings

THOROUGH: Final = "thorough"  # all
EVERYDAY: Final = "everyday"  # one in PART, but no fewer than LEAST, which would be no property
FEW: Final = "few"  # at most MOST: where another backend has been tried already
PROFILE: Final = os.environ.get("HYPOTHESIS_PROFILE", EVERYDAY)
PART: Final = 5
LEAST: Final = 10
MOST: Final = 8


def tries(thorough: int) -> int:
    """How many examples a test tries of those that the long suite does."""
    if PROFILE == THOROUGH:
        return thorough
    return min(thorough, MOST if PROFILE == FEW else max(thorough // PART, LEAST))


def load_profile() -> None:
    """Set what holds where a test says nothing: no deadline, as the machine may be busy."""
    # A slow machine must not fail a rule, so nothing here depends on time.
    common = settings(
        deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    settings.register_profile(PROFILE, common, max_examples=tries(200))
    settings.load_profile(PROFILE)
