"""Kept sublicenses in compact form, and the licenses for which each of them meets the parent rule.

Rule 7.17: a sublicense meets the rule for a license if its signer is the grantee of the consent, or of
a sublicense that meets it. The depth of a sublicense follows from its parents alone, so a row never
changes, except that better ones displace it (passing.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense

_TERMS: Final = "digest, parent, signer, grantee, purposes, issued_at, expires_at, seen_at, number"
# A license, its number, the consent's grantee, and its contributor (or b""): a row, as it is read.
Grant = tuple[bytes, int, bytes, bytes]
Grants = Mapping[bytes, Grant]


class GrantColumns(NamedTuple):
    """Grants in columns, because rows in Python cost as much as to find them.

    Attributes:
        names: License hashes, 32 bytes each.
        numbers: Their numbers.
        grantees: The grantees of the consents, each at least once.
        contributors: Their contributors, or b"".
    """

    names: Sequence[bytes]
    numbers: Sequence[int]
    grantees: Sequence[bytes]
    contributors: Sequence[bytes]

    @classmethod
    def of(cls, grants: Iterable[Grant]) -> "GrantColumns":
        """Return rows in columns."""
        return cls(*(tuple(zip(*grants, strict=True)) or ((), (), (), ())))


# By depth, the licenses for which a sublicense meets the parent rule.
Met = Mapping[int, GrantColumns]


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
        number: Its `seq` among the messages of this store.
    """

    digest: bytes
    parent: bytes
    signer: bytes
    grantee: bytes
    purposes: tuple[str, ...]
    issued_at: int
    expires_at: int
    seen_at: float
    number: int


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


def sublicense_of(db: Reading, digest: bytes) -> SublicenseTerms | None:
    """Return the terms of a kept sublicense; None for another digest."""
    row = db.execute(f"SELECT {_TERMS} FROM sublicense_terms WHERE digest = ?", (digest,)).fetchone()  # noqa: S608 - our own names
    return _terms(row) if row else None


def sublicenses_of(db: Reading, digests: Iterable[bytes]) -> dict[bytes, SublicenseTerms]:
    """Return by digest the terms of those of some sublicenses that are kept."""
    query = f"SELECT {_TERMS} FROM sublicense_terms WHERE digest IN"  # noqa: S608 - our own names
    return {row[0]: _terms(row) for row in many.among(db, query, digests)}


def numbered(db: Reading, numbers: Iterable[int]) -> dict[int, SublicenseTerms]:
    """Return by number the terms of some kept sublicenses."""
    query = f"SELECT {_TERMS} FROM sublicense_terms WHERE number IN"  # noqa: S608 - our own names
    return {one.number: one for one in map(_terms, many.among(db, query, sorted(numbers)))}


def sublicenses_to(db: Reading, license_hash: bytes, grantee: bytes) -> list[PassedOn]:
    """Return the sublicenses of a license to a grantee that count, at most 256, best first.

    They rank by least depth, then latest expiry, then smallest digest.
    """
    rows = db.execute(
        "SELECT digest, depth, expires_at FROM grants CROSS JOIN passed_on CROSS JOIN sublicense_terms"
        " WHERE passed_on.license = grants.number AND passed_on.grantee = ? AND counts = 1"
        " AND sublicense_terms.number = sublicense AND grants.license = ?"
        " ORDER BY depth, expires_at DESC, digest",
        (grantee, license_hash),
    )
    return [PassedOn(*row) for row in rows]


def passed_by(db: Reading, digest: bytes, licenses: Iterable[bytes]) -> set[bytes]:
    """Return those of some licenses for which a kept sublicense meets the parent rule."""
    one = sublicense_of(db, digest)
    found = met(db, one, [*grants_of(db, licenses).values()]) if one else {}
    return {name for some in found.values() for name in some.names}


def depth_of(db: Reading, license_hash: bytes, digest: bytes) -> int | None:
    """Return the depth of a kept sublicense for a license; None if it does not meet the rule."""
    grants, one = grants_of(db, [license_hash]), sublicense_of(db, digest)
    return next(iter(met(db, one, [*grants.values()])), None) if one and grants else None


def terms_of(digest: bytes, message: Sublicense, now: float, number: int) -> SublicenseTerms:
    """Return the terms of a sublicense that is kept now (seconds since the epoch) under a number."""
    return SublicenseTerms(
        digest,
        message.parent,
        message.signer,
        message.grantee,
        message.purposes,
        message.issued_at,
        message.expires_at,
        now,
        number,
    )


def insert(db: Writing, some: Iterable[SublicenseTerms]) -> None:
    """Store the terms of sublicenses."""
    rows = ((*one[:4], " ".join(one.purposes), *one[5:]) for one in some)
    many.insert(db, f"INTO sublicense_terms ({_TERMS})", rows)


def grants_of(db: Reading, licenses: Iterable[bytes]) -> dict[bytes, Grant]:
    """Return by license hash the grants of those consents that are held, or were."""
    query = (
        "SELECT license, number, grantee, contributor FROM {} CROSS JOIN grants WHERE license = column1"
    )
    return {row[0]: row for row in many.of_each(db, query, licenses)}


def numbers_of(db: Reading, licenses: Iterable[bytes]) -> dict[bytes, int]:
    """Return by license hash the numbers of those consents that are held, or were; they never change."""
    return dict(many.among(db, "SELECT license, number FROM grants WHERE license IN", licenses))


def holders_among(db: Reading, people: Iterable[bytes]) -> set[bytes]:
    """Return those of some people to whom any sublicense is kept."""
    return set(many.found_in(db, "sublicense_terms", "grantee", people))


def holding(db: Reading, asked: Iterable[tuple[bytes, bytes]]) -> dict[tuple[bytes, bytes], set[bytes]]:
    """Return by license and holder the sublicenses that count, of some such pairs."""
    found: dict[tuple[bytes, bytes], set[bytes]] = {}
    query = (
        "SELECT column1, column2, digest FROM {} CROSS JOIN grants CROSS JOIN passed_on"
        " CROSS JOIN sublicense_terms WHERE grants.license = column1"
        " AND passed_on.license = grants.number AND passed_on.grantee = column2 AND counts = 1"
        " AND sublicense_terms.number = sublicense"
    )
    for license_hash, grantee, digest in many.joined(db, query, asked):
        found.setdefault((license_hash, grantee), set()).add(digest)
    return found


def is_holder(db: Reading, signer: bytes, hashes: Sequence[bytes], licenses: Sequence[Grant]) -> bool:
    """Return whether an address holds one of some licenses, or is the grantee of a sublicense named.

    `licenses` are the grants of those among the hashes.
    """
    if any(one[2] == signer for one in licenses):
        return True
    numbers = sorted(one[1] for one in licenses)
    query = "SELECT 1 FROM passed_on WHERE grantee = ? AND counts = 1 AND license IN"
    if any(True for _ in many.among(db, query, numbers, (signer,))):
        return True
    return any(one.grantee == signer for one in sublicenses_of(db, hashes).values())


def has_no_parent(message: Message) -> bool:
    """Return whether a message is a sublicense by the grantee of the consents themselves."""
    return isinstance(message, Sublicense) and message.parent == NO_PARENT


def met_by(db: Reading, message: Sublicense, hashes: Sequence[bytes], grants: Grants) -> Met:
    """Return those of some licenses for which a sublicense meets the parent rule, by its depth.

    `grants` are those of the licenses; without a parent, only the signer's own are asked for.
    """
    signer = message.signer
    if message.parent == NO_PARENT:
        own = _own(db, signer, hashes)
        return {1: own} if own else {}
    parent = sublicense_of(db, message.parent)
    if parent is None or parent.grantee != signer:
        return {}
    above = met(db, parent, [one for one in map(grants.get, hashes) if one])
    return {depth + 1: some for depth, some in above.items() if depth < LIMITS.depth}


def lacking(hashes: Sequence[bytes], met: Met) -> Sequence[bytes]:
    """Return those of some hashes that are no licenses for which a sublicense meets the rule."""
    if sum(len(one.names) for one in met.values()) == len(hashes):
        return ()
    found = {name for one in met.values() for name in one.names}
    return [one for one in hashes if one not in found]


def _own(db: Reading, grantee: bytes, licenses: Sequence[bytes]) -> GrantColumns | None:
    """Return those of some licenses whose consents are to an address; None for none."""
    query = (
        "SELECT number, contributor FROM {} CROSS JOIN grants WHERE license = column1 AND grantee = ?"
    )
    found = many.of_each(db, query, licenses, (grantee,))
    if len(found) == len(licenses):  # as for most; then no hash is read again
        numbers, contributors = zip(*found, strict=True)
        return GrantColumns(licenses, numbers, (grantee,), contributors)
    own = [one for one in grants_of(db, licenses).values() if one[2] == grantee] if found else []
    return GrantColumns.of(own) if own else None


def met(db: Reading, terms: SublicenseTerms, licenses: Sequence[Grant]) -> Met:
    """Return those of some licenses for which a kept sublicense meets the parent rule, by its depth."""
    by_number, found = {one[1]: one for one in licenses}, dict[int, list[Grant]]()
    query = (
        "SELECT license, depth FROM passed_on"
        " WHERE grantee = ? AND counts IN (0, 1) AND sublicense = ? AND license IN"
    )
    for number, depth in many.among(db, query, sorted(by_number), (terms.grantee, terms.number)):
        found.setdefault(depth, []).append(by_number[number])
    return {depth: GrantColumns.of(some) for depth, some in found.items()}


def _terms(row: Sequence[Any]) -> SublicenseTerms:
    return SublicenseTerms._make((*row[:4], tuple(row[4].split(" ")), *row[5:]))
