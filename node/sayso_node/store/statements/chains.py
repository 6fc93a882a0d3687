"""Finds the chains of sublicenses that lead from licenses to an asker (rule 8.5).

However many sublicenses a license has, only those to the asker are read, and those above them: at most
256 for each license, and three more for each of these.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading
from sayso_node.store.statements import sublicenses
from sayso_node.store.statements.sublicenses import SublicenseTerms, sublicenses_of
from sayso_protocol.messages.statements.sublicense import NO_PARENT

Link = tuple[bytes, bytes]  # a license, and the digest of a sublicense of it
Way = tuple[SublicenseTerms, ...]  # the asker's sublicense comes first
Kept = MutableMapping[int, Way]  # by the number of the asker's sublicense, of one state of the store


class Ways(NamedTuple):
    """The chains of some licenses to an asker.

    Attributes:
        named: The digests of the asker's sublicenses by license; equal ones are one object.
        ways: By the digest of the asker's sublicense.
    """

    named: dict[bytes, tuple[bytes, ...]]
    ways: dict[bytes, Way]


def chains_to(db: Reading, licenses: Sequence[bytes], asker: bytes, kept: Kept | None = None) -> Ways:
    """Return the chains of some licenses to an asker of which every sublicense counts.

    A license is absent if no sublicense of it to the asker meets the parent rule. Each license costs one
    row; what is above the asker's sublicenses is read once for all licenses, and for all questions that
    pass the same `kept`.
    """
    query = (
        "SELECT grants.license, sublicense FROM grants CROSS JOIN passed_on"
        " WHERE passed_on.license = number AND passed_on.grantee = ? AND counts = 1"
        " AND grants.license IN"
    )
    return _through(db, many.among(db, query, licenses, (asker,)), {} if kept is None else kept)


def chains_of_numbered(db: Reading, licenses: Mapping[int, bytes], asker: bytes, kept: Kept) -> Ways:
    """Return the same for licenses whose numbers are known (see sublicenses.numbers_of).

    It takes a quarter of the time, because no license is looked up by its hash.
    """
    query = "SELECT license, sublicense FROM passed_on WHERE grantee = ? AND counts = 1 AND license IN"
    links = many.among(db, query, licenses, (asker,))
    return _through(db, ((licenses[number], sublicense) for number, sublicense in links), kept)


def _through(db: Reading, links: Iterable[tuple[bytes, int]], kept: Kept) -> Ways:
    """Return the chains of licenses that end with some sublicenses, given by number."""
    numbers: dict[bytes, tuple[int, ...]] = {}
    for name, number in links:
        numbers[name] = (*numbers[name], number) if name in numbers else (number,)
    keys = {*numbers.values()}  # most licenses of a question share a few
    found = _ways(db, {number for key in keys for number in key}, kept)
    made = {key: tuple(found[number][0].digest for number in key if number in found) for key in keys}
    named = {name: made[key] for name, key in numbers.items()}
    ways = {way[0].digest: way for way in found.values()}
    if displaced := _displaced(db, named, ways):
        once = {key: key for key in made.values()}
        for name, key in named.items():
            left = tuple(
                one for one in key if not any((name, hop.digest) in displaced for hop in ways[one][1:])
            )
            named[name] = once.setdefault(left, left)
    return Ways(named, ways)


def _ways(db: Reading, numbers: set[int], kept: Kept) -> dict[int, Way]:
    """Return some sublicenses, each with all those above it, which are the same for every license.

    Those above which one has ended (rule 15.7) are left out.
    """
    found = {number: way for number in numbers if (way := kept.get(number))}
    first = sublicenses.numbered(db, numbers - found.keys())
    terms, new = dict[bytes, SublicenseTerms](), {one.digest: one for one in first.values()}
    while new:  # once for each hop, because the parent rule has bounded their number
        terms |= new
        new = sublicenses_of(db, {one.parent for one in new.values()} - {NO_PARENT} - terms.keys())
    ways = {number: tuple(_up(terms, one.digest)) for number, one in first.items()}
    read = {number: way for number, way in ways.items() if way[-1].parent == NO_PARENT}
    kept.update(read)
    return found | read


def _up(terms: dict[bytes, SublicenseTerms], digest: bytes) -> Iterator[SublicenseTerms]:
    while one := terms.get(digest):
        yield one
        digest = one.parent


def _displaced(
    db: Reading, named: Mapping[bytes, Iterable[bytes]], ways: Mapping[bytes, Way]
) -> set[Link]:
    """Return the links above some sublicenses that do not count; most sublicenses have none."""
    above = {hop.digest for way in ways.values() for hop in way[1:]}
    crowded = {*many.found_in(db, "displaced", "digest", above)} if above else set[bytes]()
    asked: dict[bytes, set[bytes]] = {}
    for name, digests in named.items() if crowded else ():
        for hop in (hop for digest in digests for hop in ways[digest][1:]):
            if hop.digest in crowded:
                asked.setdefault(hop.digest, set()).add(name)
    query = "SELECT license FROM displaced WHERE digest = ? AND license IN"
    return {
        (name, digest)
        for digest, names in asked.items()
        for (name,) in many.among(db, query, names, (digest,))
    }
