"""Errors of the demo itself."""

from sayso_protocol.errors import SaysoError


class DemoFailed(SaysoError):
    """A step of the demo did not give the expected result."""
