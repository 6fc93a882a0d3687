"""Finds the chains of sublicenses that lead from licenses to an asker (rule 8.5).

However many sublicenses a license has, only those to the asker are read, and those above them: at most
256 for each license, and three more for each of these.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading
from sayso_node.store.statements import sublicenses
from sayso_node.store.statements.sublicenses import SublicenseTerms, sublicenses_of
from sayso_protocol.messages.statements.sublicense import NO_PARENT

Link = tuple[bytes, bytes]  # a license, and the digest of a sublicense of it
Way = tuple[SublicenseTerms, ...]  # the asker's sublicense comes first


class Ways(NamedTuple):
    """The chains of some licenses to an asker.

    Attributes:
        named: The digests of the asker's sublicenses by license; equal ones are one object.
        ways: By the digest of the asker's sublicense.
    """

    named: dict[bytes, tuple[bytes, ...]]
    ways: dict[bytes, Way]


def chains_to(db: Reading, licenses: Sequence[bytes], asker: bytes) -> Ways:
    """Return the chains of some licenses to an asker of which every sublicense counts.

    A license is absent if no sublicense of it to the asker meets the parent rule. Each license costs one
    row; what is above the asker's sublicenses is read once for all licenses.
    """
    query = (
        "SELECT grants.license, sublicense FROM grants CROSS JOIN passed_on"
        " WHERE passed_on.license = number AND passed_on.grantee = ? AND counts = 1"
        " AND grants.license IN"
    )
    numbered = list[tuple[bytes, int]](many.among(db, query, licenses, (asker,)))
    digests = sublicenses.digests_of(db, {number for _, number in numbered})
    links = [(name, digests[number]) for name, number in numbered]
    ways = _ways(db, {digest for _, digest in links})
    displaced = _displaced(db, links, ways)
    found: dict[bytes, list[bytes]] = {}
    for name, digest in links:
        some = found.setdefault(name, [])
        if digest not in ways:  # one above it has ended
            continue
        if not displaced or not any((name, hop.digest) in displaced for hop in ways[digest][1:]):
            some.append(digest)
    once: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
    named = {name: once.setdefault(key, key) for name, key in zip(found, map(tuple, found.values()))}  # noqa: B905 - of one dictionary
    return Ways(named, ways)


def _ways(db: Reading, digests: set[bytes]) -> dict[bytes, Way]:
    """Return some sublicenses, each with all those above it, which are the same for every license.

    Those above which one has ended (rule 15.7) are left out.
    """
    terms, wanted = dict[bytes, SublicenseTerms](), digests
    while wanted:  # once for each hop, because the parent rule has bounded their number
        new = sublicenses_of(db, wanted)
        terms |= new
        wanted = {one.parent for one in new.values()} - {NO_PARENT} - terms.keys()
    ways = {digest: tuple(_up(terms, digest)) for digest in digests}
    return {digest: way for digest, way in ways.items() if way and way[-1].parent == NO_PARENT}


def _up(terms: dict[bytes, SublicenseTerms], digest: bytes) -> Iterator[SublicenseTerms]:
    while one := terms.get(digest):
        yield one
        digest = one.parent


def _displaced(db: Reading, links: Iterable[Link], ways: Mapping[bytes, Way]) -> set[Link]:
    """Return the links above some links that do not count; most sublicenses have none."""
    above = {hop.digest for way in ways.values() for hop in way[1:]}
    crowded = {*many.found_in(db, "displaced", "digest", above)} if above else set[bytes]()
    asked: dict[bytes, set[bytes]] = {}
    for name, digest in links if crowded else ():
        for hop in ways.get(digest, ())[1:]:
            if hop.digest in crowded:
                asked.setdefault(hop.digest, set()).add(name)
    query = "SELECT license FROM displaced WHERE digest = ? AND license IN"
    return {
        (name, digest)
        for digest, names in asked.items()
        for (name,) in many.among(db, query, names, (digest,))
    }
