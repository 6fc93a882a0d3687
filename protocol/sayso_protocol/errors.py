"""The errors of the protocol: each refusal has a stable code and a sentence for people.

A code never changes its meaning, because scripts, other implementations and docs/reference/errors.md
rely on it. Each code has one class, whose docstring is the published meaning. A MessageError refuses a
message; its `gossip` decides whether the peer that forwarded the message loses score ([REJECT]) or not
([IGNORE]; docs/protocol.md, section 7).

    try:
        decode(data)
    except SaysoError as error:
        print(error.code, error)
"""

import re
from enum import Enum
from typing import ClassVar


class Gossip(Enum):
    """Gossip is the effect of a refused message on the peer that forwarded it (section 7)."""

    REJECT = "reject"  # every node refuses the message
    IGNORE = "ignore"  # the refusal depends on clock, chain or local policy, or the message is known


class SaysoError(Exception):
    """SaysoError is the base class of all errors of Sayso.

    Attributes:
        code: Stable. By default the name of the class: that of `TooLarge` is `too-large`.
    """

    code: ClassVar[str] = "error"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in vars(cls):
            cls.code = re.sub("(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class MessageError(SaysoError):
    """MessageError is the base class of the errors that refuse a message."""

    gossip: ClassVar[Gossip] = Gossip.IGNORE


class Malformed(MessageError):
    """The bytes are not a Sayso message: they are truncated, of a wrong type, or have unknown fields."""

    gossip = Gossip.REJECT


class NotCanonical(MessageError):
    """The message decodes, but its bytes are not its canonical encoding."""

    gossip = Gossip.REJECT


class TooLarge(MessageError):
    """The message or the list is larger than the limit."""

    gossip = Gossip.REJECT


class InvalidConsent(MessageError):
    """A field of the consent breaks a rule."""

    gossip = Gossip.REJECT


class InvalidRevocation(MessageError):
    """A field of the revocation breaks a rule."""

    gossip = Gossip.REJECT


class InvalidStatement(MessageError):
    """A field of the statement breaks a rule, or the hashes do not give `content`."""

    gossip = Gossip.REJECT


class InvalidScope(MessageError):
    """The scope is not `SUBJECT` or `SUBJECT for PURPOSE`."""

    gossip = Gossip.REJECT


class InvalidPurpose(MessageError):
    """The purpose is not a lower-case name of letters, digits and hyphens, at most 32 long."""

    gossip = Gossip.REJECT


class InvalidAddress(MessageError):
    """The address is not 0x and 40 hexadecimal digits, or its checksum is wrong."""

    gossip = Gossip.REJECT


class BadSignature(MessageError):
    """The signature was not made by the address or key that the message names."""

    gossip = Gossip.REJECT


class RefusedByWallet(MessageError):
    """The contract wallet that the message names does not accept the signature, or does not exist."""


class WrongNetwork(MessageError):
    """The message or answer belongs to another network (chain id or registry address)."""

    gossip = Gossip.REJECT


class NotSponsored(MessageError):
    """A consent reached a peer without the signature of the node that took it in."""

    gossip = Gossip.REJECT


class FromTheFuture(MessageError):
    """The consent is dated more than ten minutes ahead of this node's clock."""


class Unsupported(MessageError):
    """Only the chain can judge the signature, and was not asked or did not answer."""


class BadProof(SaysoError):
    """The Merkle path does not lead from the leaf to the root."""


class NotProven(SaysoError):
    """The evidence does not prove that a node broke its promise: it leaves an honest explanation."""


class UnknownSigner(SaysoError):
    """The receipt is signed by a key that the network file does not list."""


class InvalidNetworkFile(SaysoError):
    """The network file is not valid TOML or lacks a field."""


class SnapshotTampered(SaysoError):
    """The body of the snapshot is not what its signed head states: it was changed or cut short."""


class MissingDelta(SaysoError):
    """A delta does not follow the part before it: a delta between them, or the snapshot, is missing."""


class SnapshotExpired(SaysoError):
    """The snapshot has expired, is older than asked for, or is dated ahead of this clock."""


def is_rejected(error: SaysoError | None) -> bool:
    """Return whether an error is a [REJECT], which costs the forwarding peer score (section 7)."""
    return isinstance(error, MessageError) and error.gossip is Gossip.REJECT
