"""What can go wrong in the demo itself."""

from sayso_protocol.errors import SaysoError


class DemoFailed(SaysoError):
    """A step of the demo did not show what it has to show."""

    code = "demo-failed"
