"""Errors at the start of a development chain."""

from sayso_protocol.errors import SaysoError


class PortUnavailable(SaysoError):
    """The TCP port is in use, or this user may not listen on it."""
