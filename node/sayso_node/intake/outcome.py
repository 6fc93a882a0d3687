"""Sources of messages, and the outcomes of their intake."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope


class SourceChannel(StrEnum):
    """How messages arrive; counters use the same names."""

    HTTP = "http"
    GOSSIP = "gossip"
    SYNC = "sync"


@dataclass(frozen=True)
class Source:
    """Where messages come from.

    Attributes:
        channel: HTTP, gossip or sync.
        name: Name of the sender, as far as known; senders of the same name share limits (rule 7.14).
    """

    channel: SourceChannel
    name: str

    @classmethod
    def http(cls, source: str) -> Self:
        """A user, by the source of the request (sources.py)."""
        return cls(SourceChannel.HTTP, f"http:{source}")

    @classmethod
    def peer(cls, channel: SourceChannel, peer_id: str) -> Self:
        """A peer, no matter which side connected."""
        return cls(channel, f"peer:{peer_id}")


class Status(StrEnum):
    """What became of a message."""

    STORED = "stored"
    KNOWN = "known"  # it brought nothing new
    PENDING = "pending"  # a revocation that concerns no known consent; nothing is promised (rule 7.14)
    REFUSED = "refused"


class Forwarder(Protocol):
    """Forwarder passes messages that a user handed in on to peers."""

    def check_room(self, bundle: Sequence[bytes]) -> None:
        """Raise GossipQueueFull if a bundle would wait too long; never if it has an urgent message."""
        ...

    def publish(self, outcomes: Iterable["Outcome"]) -> None:
        """Pass new messages on after they were stored."""
        ...

    def sent_to(self, envelope: bytes) -> int | None:
        """Return how many peers an urgent message was sent to; None if that is not known."""
        ...


@dataclass(frozen=True)
class Outcome:
    """The outcome of one message.

    Attributes:
        status: Stored, known, pending or refused.
        envelope: The message, unless it could not be decoded.
        error: Why the message was refused.
        is_news: Whether this node saw the message for the first time, so that peers may need it.
    """

    status: Status
    envelope: Envelope | None = None
    error: SaysoError | None = None
    is_news: bool = False
