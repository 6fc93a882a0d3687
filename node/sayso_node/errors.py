"""Errors of a node; those about messages themselves are in sayso_protocol.errors."""

from collections.abc import Iterable

from sayso_protocol.errors import SaysoError


class InvalidNodeConfig(SaysoError):
    """The node's configuration file is missing, not valid TOML, or lacks a field."""


class FolderInUse(SaysoError):
    """Another process runs a node in this folder."""


class IdentityInUse(SaysoError):
    """Another live node signs with this node's key, so this one signs nothing."""


class FolderNotEmpty(SaysoError):
    """The folder for a restored node has files in it; a restore replaces nothing."""


class InvalidBackup(SaysoError):
    """The file is not a backup of a node, is cut off, or was changed."""


class PartFailed(SaysoError):
    """A part of the node failed too often, or cannot be started again, so the node has ended."""


class GossipQueueFull(SaysoError):
    """Too many messages wait to be sent to peers; the sender should try again shortly."""


class GossipDown(SaysoError):
    """The node's gossip process is not running. The node restarts it; try again shortly."""


class PeerUnreachable(SaysoError):
    """A peer could not be reached, did not answer in time, or refused the request."""


class ChainUnreachable(SaysoError):
    """The chain endpoint did not answer, or its answer made no sense."""


class RangeRefused(ChainUnreachable):
    """The chain endpoint answers, but refuses so many blocks in one request."""


class TooManyRequests(ChainUnreachable):
    """The chain endpoint asks for fewer requests in a given time."""


class BadRequest(SaysoError):
    """The HTTP request does not have the form that this route expects."""


class NotFound(SaysoError):
    """The node has nothing under this name."""


class NotRevoked(SaysoError):
    """The consent cannot be erased, because one of its permissions is not revoked."""


class NotDated(SaysoError):
    """The consent cannot be erased yet: no final block says since when a permission is revoked."""


class StoreUnusable(SaysoError):
    """The node's database cannot be opened, read or written. Acknowledged revocations are kept."""


class StoreInUse(StoreUnusable):
    """Another process runs a node on this database."""


class StoreMissing(StoreUnusable):
    """The node's identity was used, and its store is missing or empty. A new store is not begun."""


class StoreTooNew(StoreUnusable):
    """A newer release has written the node's store, and this release cannot read it."""


class StoreTooOld(StoreUnusable):
    """An older release has written the node's store; it is read once this release has migrated it."""


class WrongStore(StoreUnusable):
    """The file is a store of another node or another network, or no store of a node at all."""


class StoreMoved(StoreUnusable):
    """The store was moved elsewhere, or a move of it was not finished. No node starts on this copy."""


class StoreDamaged(StoreUnusable):
    """The node's database is not what the node wrote. It clears nothing until that is repaired."""


class NodeBusy(SaysoError):
    """The node has no memory free for another large check. The request is valid; try again later."""


class NoRoom(SaysoError):
    """This node's quota for consents of unknown sponsors is full; try another node."""


class ClockPutBack(SaysoError):
    """The node's clock was set back while it answered; ask again."""


class MethodNotAllowed(SaysoError):
    """The path exists, but not with this HTTP method; the header `Allow` lists the methods it has."""

    def __init__(self, methods: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(methods))
        super().__init__(f"this path has {self.allowed} only")


class NotAcceptable(SaysoError):
    """The header `Accept` names no media type that this route can answer with."""


class UnsupportedMediaType(SaysoError):
    """This route does not accept the request body's media type or content encoding."""


class TooSlow(SaysoError):
    """The request body did not arrive in time."""


class BadCursor(SaysoError):
    """This node did not issue the cursor for this list; start again without a cursor."""


class Resync(SaysoError):
    """The node cannot continue from this event id, because its store has changed; start again."""


class ProofUnavailable(SaysoError):
    """This node cannot give the proof: the chain endpoint does not provide it, or not yet."""


class InternalFault(SaysoError):
    """The node itself failed; the request is not at fault."""

    code = "internal"
