"""What can go wrong in a node, beyond what can be wrong with a message."""

from sayso_protocol.errors import SaysoError


class InvalidNodeConfig(SaysoError):
    """The node's configuration file is missing, not valid TOML, or lacks a field."""

    code = "invalid-node-config"


class PartFailed(SaysoError):
    """A part of the node failed again and again, or cannot be started again, so the node has ended."""

    code = "part-failed"


class GossipQueueFull(SaysoError):
    """Too many messages wait to be sent to peers; the sender should try again shortly."""

    code = "gossip-queue-full"


class GossipDown(SaysoError):
    """The peer-to-peer process is not running at the moment; it is being restarted."""

    code = "gossip-down"


class PeerUnreachable(SaysoError):
    """A peer could not be reached, did not answer in time, or refused the request."""

    code = "peer-unreachable"


class ChainUnreachable(SaysoError):
    """The chain endpoint did not answer, or answered nonsense."""

    code = "chain-unreachable"


class RangeRefused(ChainUnreachable):
    """The chain endpoint answers, but not for so many blocks at once."""

    code = "range-refused"


class BadRequest(SaysoError):
    """The HTTP request is not what this route takes."""

    code = "bad-request"


class NotFound(SaysoError):
    """There is nothing under this name."""

    code = "not-found"


class NotRevoked(SaysoError):
    """A permission of the license stands, so its consent cannot be erased."""

    code = "not-revoked"


class StoreUnusable(SaysoError):
    """The node's database cannot be opened or written; nothing was lost that had been acknowledged."""

    code = "store-unusable"


class NodeBusy(SaysoError):
    """The node has as many large checks at hand as it has memory for; nothing is wrong with yours."""

    code = "node-busy"


class NoRoom(SaysoError):
    """This node keeps no more consents of sponsors that it does not know; another node may."""

    code = "no-room"


class ClockPutBack(SaysoError):
    """The node's clock was put back while it answered; ask again."""

    code = "clock-put-back"


class MethodNotAllowed(SaysoError):
    """The path exists, but not with this HTTP method; the header `Allow` names those it has."""

    code = "method-not-allowed"


class NotAcceptable(SaysoError):
    """The header `Accept` names no form in which this can be answered."""

    code = "not-acceptable"


class UnsupportedMediaType(SaysoError):
    """The body is of a type, or in an encoding, that this route does not take."""

    code = "unsupported-media-type"


class TooSlow(SaysoError):
    """The body of the request did not come in time."""

    code = "too-slow"


class BadCursor(SaysoError):
    """The cursor was not given out by this node for this list: begin again without one."""

    code = "bad-cursor"


class Resync(SaysoError):
    """The events after this id are not here: the node's store is another one, or older; begin again."""

    code = "resync"


class ProofUnavailable(SaysoError):
    """This node has no proof of that: its chain endpoint gives none, or none is kept yet."""

    code = "proof-unavailable"


class InternalFault(SaysoError):
    """A fault of the node itself; nothing is wrong with the request."""

    code = "internal"


class SnapshotsEnded(SaysoError):
    """This node makes no snapshots any more: it had to drop a revocation and could not note whose."""

    code = "snapshots-ended"
