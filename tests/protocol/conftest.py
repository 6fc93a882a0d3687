"""How much hypothesis tries: `quick` unless HYPOTHESIS_PROFILE=thorough asks for a long search."""

import os

from hypothesis import HealthCheck, settings

# A slow machine must not fail a rule, so nothing here depends on time.
_COMMON = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("quick", _COMMON, max_examples=40)
settings.register_profile("thorough", _COMMON, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
