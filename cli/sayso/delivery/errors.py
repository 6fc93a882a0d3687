"""Errors of the delivery of events to a program or a web server."""

from sayso_protocol.errors import SaysoError


class BadTarget(SaysoError):
    """The target of a watch is not a URL that it may post to, or not a program that can be run."""


class PrivateTarget(SaysoError):
    """The target of a watch is at a private, loopback or link-local address; nothing was sent."""


class TargetUnreachable(SaysoError):
    """The target of a watch does not answer, or asks to be tried later; the event is tried again."""


class TargetRefused(SaysoError):
    """The target of a watch refused an event; after eight refusals it is laid aside."""


class BadSecret(SaysoError):
    """The file of a watch's secret cannot be read, has no secret, or others can read it."""


class OtherWatch(SaysoError):
    """The folder belongs to a watch of something else, or another process uses it."""
