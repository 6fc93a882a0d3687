"""What became of each message that somebody handed in."""

from dataclasses import dataclass
from enum import StrEnum

from sayso_protocol.envelope import Envelope
from sayso_protocol.errors import SaysoError


class Source(StrEnum):
    """Where messages come from; the names are those of the counters."""

    HTTP = "http"
    GOSSIP = "gossip"
    SYNC = "sync"


class Status(StrEnum):
    """What became of one message."""

    STORED = "stored"
    KNOWN = "known"  # brought nothing new
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one message.

    Attributes:
        status: Stored, known or refused.
        envelope: The message, unless it could not be read.
        error: Why it was refused.
    """

    status: Status
    envelope: Envelope | None = None
    error: SaysoError | None = None
