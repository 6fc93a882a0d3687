"""Gossip frames and the names of topics (docs/protocol.md, section 7).

A frame holds one bundle: the canonical array of at least one envelope, of the kinds of one topic, at
most 65,544 bytes. Messages wait a few milliseconds to share a bundle, except on urgent topics. A node
forwards or drops a bundle whole, and never publishes it again; sync transfers missing messages.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sayso_protocol.encoding.packing import Reader, array_of, pack
from sayso_protocol.errors import Malformed, TooLarge
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import peek_kind
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION, STATEMENTS
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text

_OVERHEAD_BYTES = 5  # the length prefix of an envelope inside a bundle, at most
SYNC_PROTOCOL = "/sayso/sync/1"
BATCH_PROTOCOL = "/sayso/batch/1"
PEERS_PROTOCOL = "/sayso/peers/1"
BUNDLE_FILE_BYTES: Final = LIMITS.items * (LIMITS.message_bytes + _OVERHEAD_BYTES) + _OVERHEAD_BYTES

_BUNDLE: Final[Reader[tuple[bytes, ...]]] = Reader(array_of(bytes), BUNDLE_FILE_BYTES)


def network_name(network: Network) -> str:
    """Return the name of a network between peers (rule 14.1)."""
    return f"/sayso/1/{network.chain_id}/{hex_text(network.registry)}"


class Topic(NamedTuple):
    """Topic is a channel of gossip, with its own mesh and queue.

    Attributes:
        name: The last part of the full name.
        is_urgent: Messages leave at once, are accepted however long the queue is, and their progress can
            be followed. On other topics, messages wait to share a bundle, and for room in the queue.
    """

    name: str
    is_urgent: bool = False

    def on(self, network: Network) -> str:
        """Return the topic's full name on a network."""
        return f"{network_name(network)}/{self.name}"


TOPICS: Final = {
    CONSENT: Topic("consents"),
    REVOCATION: Topic("revocations", is_urgent=True),
    **dict.fromkeys(STATEMENTS, Topic("statements")),
}
check_rows(TOPICS, "gossip topics")


def all_topics() -> list[Topic]:
    """Return every topic once, in the order of the table."""
    return list(dict.fromkeys(TOPICS.values()))


def encode_bundle(envelopes: list[bytes]) -> bytes:
    """Encode envelopes as one bundle (rule 7.1)."""
    return pack(envelopes)


def decode_bundle(frame: bytes, max_bytes: int = LIMITS.frame_bytes) -> list[bytes]:
    """Return the encoded envelopes of a bundle (7.1); raises Malformed, NotCanonical or TooLarge."""
    if len(frame) > max_bytes:
        raise TooLarge(f"{len(frame)} bytes, the limit is {max_bytes}")
    found = _BUNDLE.read(frame)
    if not found:
        raise Malformed("a bundle is an array of at least one message")
    return list(found)


def check_topic(bundle: Iterable[bytes], topic: str, network: Network) -> None:
    """Check that a bundle holds no message of another topic (rule 7.1.3), before anything is decoded.

    Bytes that begin as no message of this version does are left to `decode`.

    Raises:
        Malformed: A message belongs to another topic.
    """
    for kind in filter(None, map(peek_kind, bundle)):
        if TOPICS[kind].on(network) != topic:
            raise Malformed("a bundle holds messages of its topic only")


def bundles(envelopes: Iterable[bytes], max_bytes: int = LIMITS.frame_bytes) -> Iterator[bytes]:
    """Yield as few bundles as the order allows, within the limits of rules 6.1 and 7.1."""
    batch: list[bytes] = []
    size = _OVERHEAD_BYTES
    for envelope in envelopes:
        cost = len(envelope) + _OVERHEAD_BYTES
        if batch and (size + cost > max_bytes or len(batch) == LIMITS.items):
            yield encode_bundle(batch)
            batch, size = [], _OVERHEAD_BYTES
        batch.append(envelope)
        size += cost
    if batch:
        yield encode_bundle(batch)
