"""What keeps a development chain from starting."""

from sayso_protocol.errors import SaysoError


class ExtraMissing(SaysoError):
    """An optional part is not installed."""

    code = "extra-missing"


class PortUnavailable(SaysoError):
    """The TCP port is taken, or this user may not listen on it."""

    code = "port-unavailable"
