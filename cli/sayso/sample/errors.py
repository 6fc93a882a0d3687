"""What can be wrong with the sample files."""

from sayso_protocol.errors import SaysoError


class SampleMissing(SaysoError):
    """The sample files are not where the package keeps them."""

    code = "sample-missing"


class SampleChanged(SaysoError):
    """The sample files differ from what their maker makes."""

    code = "sample-changed"
