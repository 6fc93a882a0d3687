"""Chooses stored messages of a contributor that carry the bits missing on chain, nearly the fewest.

Contributors without messages to relay are held back, so that many of them cannot block others.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sayso_contracts.relay import RelayItem, relay_item
from sayso_node.counters import Counters
from sayso_node.store.chain import relays
from sayso_node.store.interface import Reading
from sayso_node.supervision import contained
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
            missing = _without(missing, one)
    if not missing:
        return Choice(())
    again_at = {one.digest: relays.refusal(db, one.digest).again_at for one in stored}
    ready = [one for one in stored if again_at[one.digest] <= now and one.digest not in under_way]
    chosen = _fewest(ready, missing)
    later = [time for time in again_at.values() if time > now]
    return Choice(chosen, min(later, default=now + relays.RELAY_PAUSE_MIN_S))


def _fewest(stored: Iterable[Envelope], missing: Masks) -> list[Carried]:
    left, chosen = list(stored), list[Carried]()
    while missing and left:
        best = max(left, key=lambda one: _carries(one, missing))
        if not _carries(best, missing):
            break
        left.remove(best)
        missing = _without(missing, best)
        chosen.append(Carried(best.digest, relay_item(_revocation(best), best.signature)))
    return chosen


def _revocation(envelope: Envelope) -> Revocation:
    return as_kind(envelope.message, Revocation)


def _carries(envelope: Envelope, missing: Masks) -> int:
    """Return how many of the missing bits a message has."""
    bits = _revocation(envelope).bits
    return sum((bits.get(word, 0) & mask).bit_count() for word, mask in missing.items())


def _without(missing: Masks, envelope: Envelope) -> Masks:
    bits = _revocation(envelope).bits
    left = {word: mask & ~bits.get(word, 0) for word, mask in missing.items()}
    return {word: mask for word, mask in left.items() if mask}
