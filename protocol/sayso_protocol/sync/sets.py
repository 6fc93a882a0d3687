"""What is compared together in sync: a set of entries for each kind of message, or for several (11.2).

A node asks about one set at a time, by its number. Urgent ones are fetched first, and once more when
anything else has moved, because that may have made known whom they are about (rule 7.14).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from sayso_protocol.errors import Malformed
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import check_rows
from sayso_protocol.messages.message import CONSENT, REVOCATION, of_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.words import Masks
from sayso_protocol.sync.fingerprints import Entry, digest_entry, revocation_entry


def digest_entries(envelopes: Iterable[Envelope]) -> Iterator[Entry]:
    """Rule 11.2: an entry for each message."""
    for one in envelopes:
        yield digest_entry(one.digest)


def revocation_entries(envelopes: Iterable[Envelope]) -> Iterator[Entry]:
    """Rule 11.2: what some revocations cover together, word by word."""
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
    """One set of entries.

    Attributes:
        number: In requests, as `kind`.
        entries: The entries that messages make, if nothing else carries a part of them.
        has_carriers: Several messages may carry an entry, so it is listed with them (rule 11.5).
        is_ranged: Where a node has nothing, it fetches all of a part of the tree at once (rule 11.8).
        is_urgent: It is fetched before the others, and after them.
    """

    number: int
    entries: Callable[[Iterable[Envelope]], Iterator[Entry]] = digest_entries
    has_carriers: bool = False
    is_ranged: bool = False
    is_urgent: bool = False


SETS: Final = {
    CONSENT: SyncSet(1, is_ranged=True),
    REVOCATION: SyncSet(2, revocation_entries, has_carriers=True, is_urgent=True),
}
check_rows(SETS, "sync sets")


def all_sets() -> list[SyncSet]:
    """Every set once, in the order of the table."""
    return list(dict.fromkeys(SETS.values()))


def set_of(number: int) -> SyncSet:
    """The set of a number; raises Malformed."""
    for one in SETS.values():
        if one.number == number:
            return one
    raise Malformed(f"there is no kind {number} in sync")


def kinds_in(number: int) -> list[int]:
    """The kinds of messages that make the entries of a set."""
    return [kind for kind, one in SETS.items() if one.number == number]
