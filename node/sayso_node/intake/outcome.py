"""Who handed a message in, and what became of it."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope

_IPV6_SITE_BITS = 64  # one customer's: who has one address has all of them


class SourceChannel(StrEnum):
    """How messages come; the names are those of the counters."""

    HTTP = "http"
    GOSSIP = "gossip"
    SYNC = "sync"


@dataclass(frozen=True)
class Source:
    """Where messages come from.

    Attributes:
        channel: How.
        name: From whom, as far as can be seen: whoever shares a name shares its quotas (rule 7.14).
    """

    channel: SourceChannel
    name: str

    @classmethod
    def http(cls, address: str | None) -> Self:
        """A user's IP address; of IPv6 the /64 around it."""
        try:
            ip = ipaddress.ip_address(address or "")
        except ValueError:
            return cls(SourceChannel.HTTP, "http:")
        if ip.version == 6:
            ip = ipaddress.ip_network((ip, _IPV6_SITE_BITS), strict=False).network_address
        return cls(SourceChannel.HTTP, f"http:{ip}")

    @classmethod
    def peer(cls, channel: SourceChannel, peer_id: str) -> Self:
        """A peer, whether it spoke first or was asked."""
        return cls(channel, f"peer:{peer_id}")


class Status(StrEnum):
    """What became of one message."""

    STORED = "stored"
    KNOWN = "known"  # brought nothing new
    PENDING = "pending"  # a revocation of nothing that is known here, not yet a promise (rule 7.14)
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one message.

    Attributes:
        status: Stored, known, pending or refused.
        envelope: The message, unless it could not be read.
        error: Why it was refused.
        is_news: It was first heard now, so peers may not have heard it.
    """

    status: Status
    envelope: Envelope | None = None
    error: SaysoError | None = None
    is_news: bool = False
