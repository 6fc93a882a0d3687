"""Bundles, the frames of gossip, and the names of topics (docs/protocol.md, section 7).

Rule 7.1: a frame is a bundle: the canonical array of envelopes' bytes, at most 64 KiB, never empty, of
the kinds of one topic only. Some wait a few milliseconds to fill one, urgent ones leave at once.
Rule 7.2: a bundle is forwarded or dropped whole, never re-published; sync carries the rest.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sayso_protocol.encoding.packing import all_of, pack, unpack
from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.network import Network
from sayso_protocol.primitives import hex_text

_OVERHEAD_BYTES = 5  # the length prefix of an envelope inside a bundle, at most
SYNC_PROTOCOL = "/sayso/sync/1"
BATCH_PROTOCOL = "/sayso/batch/1"
PEERS_PROTOCOL = "/sayso/peers/1"


def network_name(network: Network) -> str:
    """The network, as peers name it to each other (14.1)."""
    return f"/sayso/1/{network.chain_id}/{hex_text(network.registry)}"


class Topic(NamedTuple):
    """What is gossiped together: a mesh and a queue of its own.

    Attributes:
        name: The last part of its full name.
        is_urgent: Its messages leave at once, are taken in however many wait, and somebody may want to
            hear how far one has come; others wait for company, and for room.
    """

    name: str
    is_urgent: bool = False

    def on(self, network: Network) -> str:
        """Its full name on a network."""
        return f"{network_name(network)}/{self.name}"


TOPICS: Final = {
    CONSENT: Topic("consents"),
    REVOCATION: Topic("revocations", is_urgent=True),
}
check_rows(TOPICS, "gossip topics")


def all_topics() -> list[Topic]:
    """Every topic once, in the order of the table."""
    return list(dict.fromkeys(TOPICS.values()))


def encode_bundle(envelopes: list[bytes]) -> bytes:
    """One frame."""
    return pack(envelopes)


def decode_bundle(frame: bytes, max_bytes: int = LIMITS.frame_bytes) -> list[bytes]:
    """The envelopes' bytes in a frame; raises Malformed, NotCanonical or TooLarge."""
    value = unpack(frame, max_bytes=max_bytes)
    if not isinstance(value, list) or not value:
        raise Malformed("a bundle is an array of messages, and not empty")
    return list(all_of(value, bytes))


def check_company(envelopes: Sequence[Envelope]) -> None:
    """Rule 4.4: what only the chain can judge is alone in its frame, so that nothing waits for it.

    Raises:
        Malformed: A contract wallet's message has company.
    """
    if len(envelopes) > 1 and any(one.claim.is_contract_wallets for one in envelopes):
        raise Malformed("a contract wallet's message is not alone in its bundle")


def bundles(envelopes: Iterable[bytes], max_bytes: int = LIMITS.frame_bytes) -> Iterator[bytes]:
    """Fill as few frames as the order allows, each within the limits of bytes and of an array (6.1)."""
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
