"""The sets of entries that sync compares, for each kind of message (rule 11.2).

A request names one set by its number. Urgent sets are compared first, and again if other messages came,
because a new consent can end the wait of a pending revocation (rules 7.14 and 11.10.1).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from sayso_protocol.errors import Malformed
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION, STATEMENTS, of_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.words import Masks
from sayso_protocol.sync.fingerprints import Entry, digest_entry, revocation_entry


def digest_entries(envelopes: Iterable[Envelope]) -> Iterator[Entry]:
    """Yield one entry for each message (rule 11.2)."""
    for one in envelopes:
        yield digest_entry(one.digest)


def revocation_entries(envelopes: Iterable[Envelope]) -> Iterator[Entry]:
    """Yield one entry for each word of the revocations' bits (rule 11.2)."""
    covered: dict[bytes, Masks] = {}
    digests = []
    for envelope, revocation in of_kind(envelopes, Revocation):
        digests.append(envelope.digest)
        words = covered.setdefault(revocation.contributor, {})
        for word, mask in revocation.bits.items():
            words[word] = words.get(word, 0) | mask
    for address, words in covered.items():
        for word, mask in words.items():
            yield revocation_entry(address, word, mask, digests)


class SyncSet(NamedTuple):
    """SyncSet is one set of entries (rule 11.2).

    Attributes:
        number: The `kind` in requests.
        entries: Turns messages into entries, if no other messages carry their bits.
        has_carriers: Several messages can carry an entry, so lists name them (rule 11.5.2).
        is_ranged: A requester without entries in a node fetches the node as a range (rule 11.8).
        is_urgent: The set is compared before the others, and again after them (rule 11.10.1).
    """

    number: int
    entries: Callable[[Iterable[Envelope]], Iterator[Entry]] = digest_entries
    has_carriers: bool = False
    is_ranged: bool = False
    is_urgent: bool = False


SETS: Final = {
    CONSENT: SyncSet(1, is_ranged=True),
    REVOCATION: SyncSet(2, revocation_entries, has_carriers=True, is_urgent=True),
    **dict.fromkeys(STATEMENTS, SyncSet(3, is_ranged=True)),
}
check_rows(SETS, "sync sets")


def all_sets() -> list[SyncSet]:
    """Return every set once, in the order of the table."""
    return list(dict.fromkeys(SETS.values()))


def set_of(number: int) -> SyncSet:
    """Return the set with a number; raises Malformed."""
    for one in SETS.values():
        if one.number == number:
            return one
    raise Malformed(f"there is no kind {number} in sync")


def kinds_in(number: int) -> list[int]:
    """Return the kinds of messages in a set."""
    return [kind for kind, one in SETS.items() if one.number == number]
