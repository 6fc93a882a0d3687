"""How much hypothesis tries: a part every day, and all where HYPOTHESIS_PROFILE is thorough."""

import os
from typing import Final

from hypothesis import HealthCheck, settings

THOROUGH: Final = "thorough"
EVERYDAY: Final = "everyday"
PROFILE: Final = os.environ.get("HYPOTHESIS_PROFILE", EVERYDAY)
PART: Final = 5  # one in so many examples is tried every day
LEAST: Final = 10  # fewer are no property


def tries(thorough: int) -> int:
    """How many examples a test tries of those that the long suite does."""
    return thorough if PROFILE == THOROUGH else min(thorough, max(thorough // PART, LEAST))


def load_profile() -> None:
    """Set what holds where a test says nothing: no deadline, as the machine may be busy."""
    # A slow machine must not fail a rule, so nothing here depends on time.
    common = settings(
        deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    settings.register_profile(EVERYDAY, common, max_examples=tries(200))
    settings.register_profile(THOROUGH, common, max_examples=tries(200))
    settings.load_profile(PROFILE)
