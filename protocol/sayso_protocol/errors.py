"""Every refusal has one stable code and a sentence for people.

A code never changes its meaning: scripts, other implementations and docs/reference/errors.md rely on
it. One class a code; the docstring is the published meaning. What can be wrong with a message is a
MessageError: its `gossip` is what a refusal means to the peer that forwarded the message. [REJECT] costs
the peer, [IGNORE] does not (docs/protocol.md, section 7).

    try:
        decode(data)
    except SaysoError as error:
        print(error.code, error)
"""

from enum import Enum
from typing import ClassVar


class Gossip(Enum):
    """What a refused message means for the peer that forwarded it."""

    REJECT = "reject"  # anybody can see that it is wrong
    IGNORE = "ignore"  # depends on clock, chain, local policy, or brings nothing new


class SaysoError(Exception):
    """The root of all our errors."""

    code: ClassVar[str] = "error"


class MessageError(SaysoError):
    """What can be wrong with a message."""

    gossip: ClassVar[Gossip] = Gossip.IGNORE


class Malformed(MessageError):
    """The bytes are not a Sayso message: truncated, of a wrong type, or with unknown fields."""

    code = "malformed"
    gossip = Gossip.REJECT


class NotCanonical(MessageError):
    """The message decodes, but its bytes are not the one canonical encoding of it."""

    code = "not-canonical"
    gossip = Gossip.REJECT


class TooLarge(MessageError):
    """The message or the list is larger than the limit."""

    code = "too-large"
    gossip = Gossip.REJECT


class InvalidConsent(MessageError):
    """A field of the consent breaks a rule."""

    code = "invalid-consent"
    gossip = Gossip.REJECT


class InvalidRevocation(MessageError):
    """A field of the revocation breaks a rule."""

    code = "invalid-revocation"
    gossip = Gossip.REJECT


class InvalidScope(MessageError):
    """The scope is not `SUBJECT` or `SUBJECT for PURPOSE`."""

    code = "invalid-scope"
    gossip = Gossip.REJECT


class InvalidPurpose(MessageError):
    """The purpose is not a lower-case name of letters, digits and hyphens, at most 32 long."""

    code = "invalid-purpose"
    gossip = Gossip.REJECT


class InvalidAddress(MessageError):
    """The address is not 0x and 40 hexadecimal digits, or its checksum is wrong."""

    code = "invalid-address"
    gossip = Gossip.REJECT


class BadSignature(MessageError):
    """The signature was not made by the address or key that the message names."""

    code = "bad-signature"
    gossip = Gossip.REJECT


class RefusedByWallet(MessageError):
    """The contract wallet that the message names does not accept the signature, or does not exist."""

    code = "refused-by-wallet"


class WrongNetwork(MessageError):
    """The message or answer belongs to another network (chain id or registry address)."""

    code = "wrong-network"
    gossip = Gossip.REJECT


class NotSponsored(MessageError):
    """A consent reached a peer without the signature of the node that took it in."""

    code = "not-sponsored"
    gossip = Gossip.REJECT


class FromTheFuture(MessageError):
    """The consent is dated more than ten minutes ahead of this node's clock."""

    code = "from-the-future"


class Unsupported(MessageError):
    """Well formed, but only the chain can judge it, which was not asked or did not answer."""

    code = "unsupported"


class BadProof(SaysoError):
    """The Merkle path does not lead from the leaf to the root."""

    code = "bad-proof"


class NotProven(SaysoError):
    """The evidence does not prove that a node broke its promise: it leaves an honest explanation."""

    code = "not-proven"


class UnknownSigner(SaysoError):
    """The receipt is signed by a key that the network file does not list."""

    code = "unknown-signer"


class InvalidNetworkFile(SaysoError):
    """The network file is not valid TOML or lacks a field."""

    code = "invalid-network-file"


class SnapshotTampered(SaysoError):
    """The content of the snapshot is not what its signed head says: it was changed or cut short."""

    code = "snapshot-tampered"


class MissingDelta(SaysoError):
    """A delta does not follow the file before it: one between them, or the snapshot, is missing."""

    code = "missing-delta"


class SnapshotExpired(SaysoError):
    """The snapshot has expired, is older than asked for, or is dated ahead of this clock."""

    code = "snapshot-expired"


def is_rejected(error: SaysoError | None) -> bool:
    """Whether anybody can see that a message is wrong, so that its forwarder is to blame ([REJECT])."""
    return isinstance(error, MessageError) and error.gossip is Gossip.REJECT
