"""What can go wrong in a node, beyond what can be wrong with a message."""

from sayso_protocol.errors import SaysoError


class InvalidNodeConfig(SaysoError):
    """The node's configuration file is missing, not valid TOML, or lacks a field."""

    code = "invalid-node-config"


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


class BadRequest(SaysoError):
    """The HTTP request is not what this route takes."""

    code = "bad-request"


class NotFound(SaysoError):
    """There is nothing under this name."""

    code = "not-found"


class StoreUnusable(SaysoError):
    """The node's database cannot be opened or written; nothing was lost that had been acknowledged."""

    code = "store-unusable"
