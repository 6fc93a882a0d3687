"""What keeps a development chain from starting."""

from sayso_protocol.errors import SaysoError


class PortUnavailable(SaysoError):
    """The TCP port is taken, or this user may not listen on it."""

    code = "port-unavailable"
