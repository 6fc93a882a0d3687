"""Purposes: short names for kinds of use (rule 3.3). No purpose implies another.

The names in KNOWN have a published meaning (docs/reference/purposes.md). Other well-formed names are
carried and compared in the same way.
"""

import re

from sayso_protocol.errors import InvalidPurpose
from sayso_protocol.limits import LIMITS

KNOWN = {
    "train-ai": "train any AI model",
    "train-generative-ai": "train models that make text, sound, pictures or video",
    "fine-tune": "adapt an existing model",
    "evaluate": "measure how good a model is",
    "inference": "be an input to a running model",
    "data-mining": "extract facts and statistics",
    "likeness-synthesis": "clone or imitate a voice or face",
    "biometric-identification": "recognise who somebody is",
    "advertising": "advertise",
    "research": "do research that is published",
    "resale": "be passed on to further buyers",
}
_FORM = re.compile(rf"[a-z][a-z0-9-]{{0,{LIMITS.purpose_chars - 1}}}", re.ASCII)


def check_purpose(name: str) -> str:
    """Return the name if it is well formed (rule 3.3); raises InvalidPurpose."""
    if not _FORM.fullmatch(name):
        raise InvalidPurpose(f"not a purpose, one lower-case name such as train-ai: {name[:80]!r}")
    return name
