"""Kept sublicenses in compact form, and the licenses for which each of them meets the parent rule.

Rule 7.17: a sublicense meets the rule for a license if its signer is the grantee of the consent, or of
a sublicense that meets it. The depth of a sublicense follows from its parents alone, so a row never
changes, except that better ones displace it (rule 8.15): of those that one signer passed on to one
grantee, the first 16 count, and of these the first 256 to that grantee. Displacement is permanent: what
stands before a row is only ever replaced by what stands before it, too.
"""

from bisect import insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense

COUNTED: Final = LIMITS.passed_by_signer  # sublicenses of one license, signer and grantee
RANKED: Final = LIMITS.passed_to_grantee  # sublicenses of one license and grantee
_TERMS: Final = "digest, parent, signer, grantee, purposes, issued_at, expires_at, seen_at"


class SublicenseTerms(NamedTuple):
    """What a verdict asks of a kept sublicense, read without decoding an envelope.

    Attributes:
        digest: Its digest, 32 bytes.
        parent: The digest of its parent, 32 bytes; zero without one.
        signer: The address that passes on, 20 bytes.
        grantee: The address that is licensed, 20 bytes.
        purposes: Purpose names, ascending.
        issued_at: Seconds since the epoch.
        expires_at: Seconds since the epoch.
        seen_at: When this node kept it, seconds since the epoch.
    """

    digest: bytes
    parent: bytes
    signer: bytes
    grantee: bytes
    purposes: tuple[str, ...]
    issued_at: int
    expires_at: int
    seen_at: float


class PassedOn(NamedTuple):
    """One license, as a kept sublicense passes it on.

    Attributes:
        digest: Digest of the sublicense, 32 bytes.
        depth: 1 if its signer is the grantee of the consent, at most 4.
        expires_at: When the sublicense ends, seconds since the epoch.
    """

    digest: bytes
    depth: int
    expires_at: int


Passing = tuple[SublicenseTerms, Mapping[bytes, int]]  # a sublicense, with depths by license
Rank = tuple[int, int, bytes]
_PassedRow = tuple[bytes, bytes, int, int, bytes, bytes, int]


def sublicense_of(db: Reading, digest: bytes) -> SublicenseTerms | None:
    """Return the terms of a kept sublicense; None for another digest."""
    row = db.execute(f"SELECT {_TERMS} FROM sublicense_terms WHERE digest = ?", (digest,)).fetchone()  # noqa: S608 - our own names
    return _terms(row) if row else None


def sublicenses_of(db: Reading, digests: Iterable[bytes]) -> dict[bytes, SublicenseTerms]:
    """Return by digest the terms of those of some sublicenses that are kept."""
    query = f"SELECT {_TERMS} FROM sublicense_terms WHERE digest IN"  # noqa: S608 - our own names
    return {row[0]: _terms(row) for row in many.among(db, query, digests)}


def sublicenses_to(db: Reading, license_hash: bytes, grantee: bytes) -> list[PassedOn]:
    """Return the sublicenses of a license to a grantee that count, at most 256, best first.

    They rank by least depth, then latest expiry, then smallest digest.
    """
    rows = db.execute(
        "SELECT digest, depth, expires_at FROM passed_on"
        " WHERE license = ? AND grantee = ? AND counts = 1"
        " ORDER BY depth, expires_at DESC, digest",
        (license_hash, grantee),
    )
    return [PassedOn(*row) for row in rows]


def depth_of(db: Reading, license_hash: bytes, digest: bytes) -> int | None:
    """Return the depth of a kept sublicense for a license; None if it does not meet the rule."""
    query = "SELECT depth FROM passed_on WHERE license = ? AND digest = ?"
    row = db.execute(query, (license_hash, digest)).fetchone()
    return int(row[0]) if row else None


def terms_of(digest: bytes, message: Sublicense, now: float) -> SublicenseTerms:
    """Return the terms of a sublicense that is kept now, in seconds since the epoch."""
    return SublicenseTerms(
        digest,
        message.parent,
        message.signer,
        message.grantee,
        message.purposes,
        message.issued_at,
        message.expires_at,
        now,
    )


def insert(db: Writing, some: Iterable[SublicenseTerms]) -> None:
    """Store the terms of sublicenses."""
    rows = ((*one[:4], " ".join(one.purposes), *one[5:]) for one in some)
    many.insert(db, f"INTO sublicense_terms ({_TERMS})", rows)


def grantees_of(db: Reading, licenses: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return by license hash the grantees of those consents that are held, or were."""
    return dict(many.among(db, "SELECT license, grantee FROM grantees WHERE license IN", licenses))


def holding(db: Reading, asked: Iterable[tuple[bytes, bytes]]) -> dict[tuple[bytes, bytes], set[bytes]]:
    """Return by license and holder the sublicenses that count, of some such pairs."""
    found: dict[tuple[bytes, bytes], set[bytes]] = {}
    query = (
        "SELECT license, grantee, digest FROM {}"
        " CROSS JOIN passed_on WHERE license = column1 AND grantee = column2 AND counts = 1"
    )
    for license_hash, grantee, digest in many.joined(db, query, asked):
        found.setdefault((license_hash, grantee), set()).add(digest)
    return found


def depths_met(
    db: Reading, message: Sublicense, licenses: Sequence[bytes], granted: Mapping[bytes, bytes]
) -> dict[bytes, int]:
    """Return the depth for each of some licenses for which a sublicense meets the parent rule.

    `granted` has the grantees of the consents among them (see grantees_of).
    """
    if message.parent == NO_PARENT:
        return dict.fromkeys((one for one in licenses if granted.get(one) == message.signer), 1)
    parent = sublicense_of(db, message.parent)
    if parent is None or parent.grantee != message.signer:
        return {}
    query = "SELECT license, depth + 1 FROM passed_on WHERE digest = ? AND depth < ? AND license IN"
    return dict(many.among(db, query, licenses, (message.parent, LIMITS.depth)))


def pass_on(db: Writing, some: Sequence[Passing]) -> None:
    """Store for kept sublicenses the licenses for which each newly meets the rule, with its depth."""
    by_pair: dict[tuple[bytes, bytes], list[Passing]] = {}
    for terms, depths in some:
        by_pair.setdefault((terms.signer, terms.grantee), []).append((terms, depths))
    known = set(_known_pairs(db, by_pair))
    rows, displaced = list[_PassedRow](), list[tuple[bytes, bytes]]()
    for pair, passing in by_pair.items():
        if pair in known or len(passing) > 1:
            rivals = _counting(db, pair, passing) if pair in known else {}
            rows += _ranked(rivals, passing, displaced)
        else:  # the first between the two, as most are: all of it counts
            ((terms, depths),) = passing
            rows += [_row(terms, one, depth) for one, depth in depths.items()]
    rows.sort()  # neighbours in the indexes are written one after the other
    into = "INTO passed_on (license, grantee, depth, expires_at, digest, signer, counts)"
    many.insert(db, into, rows)
    db.executemany("UPDATE passed_on SET counts = 0 WHERE license = ? AND digest = ?", displaced)
    reached: dict[bytes, set[bytes]] = {}
    for terms, depths in some:
        reached.setdefault(terms.grantee, set()).update(depths)
    for grantee, licenses in reached.items():
        _keep_first(db, grantee, licenses)


def _row(terms: SublicenseTerms, license_hash: bytes, depth: int, counts: int = 1) -> _PassedRow:
    return license_hash, terms.grantee, depth, terms.expires_at, terms.digest, terms.signer, counts


def _ranked(
    rivals: dict[bytes, list[Rank]], passing: Iterable[Passing], displaced: list[tuple[bytes, bytes]]
) -> Iterable[_PassedRow]:
    """Return the rows of sublicenses of one pair, and add the rivals that they displace.

    `rivals` are by license the ranks of those that count; they become those that count then.
    """
    rows: dict[tuple[bytes, bytes], _PassedRow] = {}
    for terms, depths in passing:
        for license_hash, depth in depths.items():
            own = (depth, -terms.expires_at, terms.digest)
            ranked = rivals.setdefault(license_hash, [])
            counts = len(ranked) < COUNTED or own < ranked[-1]
            if counts:
                insort(ranked, own)
            rows[license_hash, terms.digest] = _row(terms, license_hash, depth, int(counts))
            if len(ranked) > COUNTED:
                displaced.append((license_hash, ranked.pop()[-1]))
    return rows.values()


def _keep_first(db: Writing, grantee: bytes, licenses: Iterable[bytes]) -> None:
    """Displace the sublicenses of some licenses to a grantee that are too many."""
    query = "SELECT license FROM passed_on WHERE grantee = ? AND counts = 1 AND license IN"
    crowding = f"GROUP BY license HAVING count(*) > {RANKED}"
    found = many.among(db, query, licenses, (grantee,), crowding)
    crowded = [(one, one, grantee, RANKED) for (one,) in found]
    db.executemany(
        "UPDATE passed_on SET counts = 0 WHERE license = ? AND digest IN ("
        " SELECT digest FROM passed_on WHERE license = ? AND grantee = ? AND counts = 1"
        " ORDER BY depth, expires_at DESC, digest LIMIT 1048576 OFFSET ?)",
        crowded,
    )


def _counting(
    db: Reading, pair: tuple[bytes, bytes], passing: Iterable[Passing]
) -> dict[bytes, list[Rank]]:
    """Return by license the ranks of those that count between two, best first, at most 16 each."""
    query = (
        "SELECT license, depth, expires_at, digest FROM passed_on"
        " WHERE signer = ? AND grantee = ? AND counts = 1 AND license IN"
    )
    found: dict[bytes, list[Rank]] = {}
    asked = {one for _, depths in passing for one in depths}
    for license_hash, depth, expires_at, digest in many.among(db, query, asked, pair):
        insort(found.setdefault(license_hash, []), (depth, -expires_at, digest))
    return found


def _known_pairs(db: Reading, pairs: Collection[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Return those of some signers and grantees between whom any sublicense counts."""
    exists = "SELECT 1 FROM passed_on WHERE signer = column1 AND grantee = column2 AND counts = 1"
    yield from many.joined(db, f"SELECT column1, column2 FROM {{}} WHERE EXISTS ({exists})", pairs)  # noqa: S608 - our own names


def _terms(row: Sequence[object]) -> SublicenseTerms:
    one = SublicenseTerms(*row)  # type: ignore[arg-type]
    return one._replace(purposes=tuple(str(row[4]).split(" ")))
