"""Chooses stored messages of a contributor that carry the bits missing on chain, nearly the fewest.

The work is proportional to the words of these messages, however they overlap. Contributors without
messages to relay are held back, so that many of them cannot block others.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sayso_contracts.relay import RelayItem, relay_item
from sayso_node.store.chain import relays
from sayso_node.store.interface import Reading
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.supervisor import contained
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks

LANDED_PAUSE_S = 60.0  # for bits on chain that are not final; a reorganisation ends the pause


class Carried(NamedTuple):
    """A message for a relay: its digest, and its form for the registry (rule 4.4)."""

    digest: bytes
    item: RelayItem


class Choice(NamedTuple):
    """The messages to relay for one contributor.

    Attributes:
        messages: The messages, in order.
        again_at: When to try again if there are none; None if a relay is in progress.
    """

    messages: Sequence[Carried]
    again_at: float | None = None


def choose(
    db: Reading,
    network: Network,
    address: bytes,
    now: float,
    under_way: frozenset[bytes],
    counters: Counters,
) -> Choice:
    """Choose messages to relay for an address, besides those in relays in progress."""
    missing = relays.missing(db, address)
    if not missing:
        return Choice((), now + LANDED_PAUSE_S)
    stored = list[Envelope]()
    for _, body in relays.stored_of(db, address):
        with contained(counters, "a stored revocation"):
            stored.append(decode(body, network))
    for one in stored:
        if one.digest in under_way:
            _take(missing, one)
    if not missing:
        return Choice(())
    again_at = {one.digest: relays.refusal(db, one.digest).again_at for one in stored}
    ready = [one for one in stored if again_at[one.digest] <= now and one.digest not in under_way]
    chosen = _fewest(ready, missing)
    later = [time for time in again_at.values() if time > now]
    return Choice(chosen, min(later, default=now + relays.RELAY_PAUSE_MIN_S))


def _fewest(stored: Iterable[Envelope], missing: Masks) -> list[Carried]:
    """Take the messages with most missing bits first; leave out those that later ones make needless."""
    ordered = sorted(stored, key=lambda one: -_count(_shared(missing, one)))
    firsts = [(one, _take(missing, one)) for one in ordered]
    chosen, later = list[Envelope](), Masks()
    for one, first in reversed(firsts):  # `first` has the bits that no message before it carries
        if any(mask & ~later.get(word, 0) for word, mask in first.items()):
            chosen.append(one)
            for word, mask in _revocation(one).bits.items():
                later[word] = later.get(word, 0) | mask
    return [_carried(one) for one in reversed(chosen)]


def _carried(envelope: Envelope) -> Carried:
    item = relay_item(_revocation(envelope), envelope.network.chain_id, envelope.signature)
    return Carried(envelope.digest, item)


def _revocation(envelope: Envelope) -> Revocation:
    return as_kind(envelope.message, Revocation)


def _shared(missing: Masks, envelope: Envelope) -> Masks:
    """Return the missing bits that a message has."""
    bits = _revocation(envelope).bits
    return {word: both for word, mask in bits.items() if (both := mask & missing.get(word, 0))}


def _take(missing: Masks, envelope: Envelope) -> Masks:
    """Remove the bits of a message from the missing ones, and return them."""
    taken = _shared(missing, envelope)
    for word, mask in taken.items():
        missing[word] &= ~mask
        if not missing[word]:
            del missing[word]
    return taken


def _count(masks: Masks) -> int:
    return sum(mask.bit_count() for mask in masks.values())
