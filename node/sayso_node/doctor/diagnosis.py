"""The lines of a diagnosis."""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How bad a finding is."""

    OK = "OK"
    WARN = "WARN"  # the node runs, but not as it should
    FAIL = "FAIL"  # the node does not run, or may not speak


class Diagnosis(NamedTuple):
    """One line: how bad, about what, what was found, and what to do if it is not OK."""

    level: Level
    subject: str
    text: str
    advice: str = ""


def ok(subject: str, text: str) -> Diagnosis:
    """Return a line about something that is right."""
    return Diagnosis(Level.OK, subject, text)


def warn(subject: str, text: str, advice: str) -> Diagnosis:
    """Return a line about something that should be better."""
    return Diagnosis(Level.WARN, subject, text, advice)


def fail(subject: str, text: str, advice: str) -> Diagnosis:
    """Return a line about something that stops the node."""
    return Diagnosis(Level.FAIL, subject, text, advice)
