"""Whom a kept statement concerns: those who licensed, passed on or hold what it names (rule 3.11).

What cannot be found within the limits concerns everybody, so no filter leaves it out.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgpack

from sayso_node.store import messages
from sayso_node.store.events import circles
from sayso_node.store.events.circles import EVERYBODY, Link, Party, Role
from sayso_node.store.interface import Reading
from sayso_node.store.statements import sublicenses
from sayso_node.store.statements.sublicenses import GrantColumns, Grants, SublicenseTerms
from sayso_protocol.messages.message import DISPUTE, SUBLICENSE
from sayso_protocol.messages.statements.dispute import FILES
from sayso_protocol.messages.statements.sublicense import NO_PARENT
from sayso_protocol.primitives import ADDRESS_BYTES

LOOKED_AT: Final = 4_096  # that are looked at for one statement
PARTIES: Final = 4_096  # of one statement
OF_FILE: Final = 64  # licenses of a file, and parties of a dispute's file or contributor


class Affairs(NamedTuple):
    """What is read once for statements that are kept together.

    Attributes:
        grants: By license, to whom its consent licenses, and whose consent it is.
        passed: By digest, those of the hashes that are kept sublicenses.
        holding: By license and holder, the sublicenses by which it is held.
    """

    grants: Grants
    passed: Mapping[bytes, SublicenseTerms] = {}
    holding: Mapping[tuple[bytes, bytes], Collection[bytes]] = {}

    @classmethod
    def of_licenses(cls, db: Reading, licenses: Iterable[bytes]) -> "Affairs":
        """Read who has to do with some licenses."""
        return cls(sublicenses.grants_of(db, licenses))

    @classmethod
    def of_named(
        cls,
        db: Reading,
        named: Collection[tuple[bytes, Collection[bytes]]],
        grants: Grants | None = None,
    ) -> "Affairs":
        """Read what concerns statements: the signer of each, and the hashes that it names.

        `grants` are those of the hashes, if they have been read.
        """
        hashes = {one for _, some in named for one in some}
        if grants is None:
            grants = sublicenses.grants_of(db, hashes)
        passed = sublicenses.sublicenses_of(db, hashes - grants.keys())
        holders = sublicenses.holders_among(db, {signer for signer, _ in named})
        asked = {(one, who) for who, some in named if who in holders for one in some if one in grants}
        return cls(grants, passed, sublicenses.holding(db, asked))

    def parties(self, licenses: Iterable[bytes]) -> set[Party]:
        """Return contributors and grantees of some licenses that were read."""
        grants = (one for one in map(self.grants.get, licenses) if one)
        return _people([GrantColumns.of(grants)])[0]


def _people(licenses: Collection[GrantColumns]) -> tuple[set[Party], set[bytes]]:
    """Return contributors and grantees of some licenses, and the contributors that are known."""
    contributors = set[bytes]().union(*(one.contributors for one in licenses)) - {b""}
    grantees = set[bytes]().union(*(one.grantees for one in licenses))
    found = {Party(Role.CONTRIBUTOR, one) for one in contributors}
    found.update(Party(Role.GRANTEE, one) for one in grantees)
    return found, contributors


def by_passing(
    db: Reading, terms: SublicenseTerms, licenses: Collection[GrantColumns]
) -> tuple[set[Party], list[Link]]:
    """Return whom a sublicense of some licenses concerns, and what it adds to circles."""
    holder, licensor = Party(Role.HOLDER, terms.grantee), Party(Role.LICENSOR, terms.signer)
    found, people = _people(licenses)
    found |= {holder, licensor}
    if terms.parent != NO_PARENT:
        found |= _licensors(db, [terms.parent])
    return found, [Link(one, *party) for one in people for party in (holder, licensor)]


def by_statement(
    db: Reading,
    kind: int,
    signer: bytes,
    hashes: Collection[bytes],
    affairs: Affairs,
    subject: str = "",
) -> set[Party]:
    """Return whom a use, removal or dispute concerns, or everybody.

    Args:
        db: The store.
        kind: The kind of the statement.
        signer: Its signer.
        hashes: What it names.
        affairs: What was read of that; a dispute asks by itself.
        subject: What a dispute is about.
    """
    if kind == DISPUTE:
        found = _by_dispute(db, hashes, subject)
        return found or {EVERYBODY}  # nobody known, or too many
    passed = [one for one in hashes if one in affairs.passed]
    held = affairs.holding
    above = {one for name in hashes for one in held.get((name, signer), ())} if held else set()
    found = {Party(Role.HOLDER, signer)} | _licensors(db, {*passed, *above}) | affairs.parties(hashes)
    if passed:
        below = _passed_on_by(db, passed, {one for one in hashes if one not in affairs.passed})
        if below is None:
            return {EVERYBODY}
        found |= Affairs.of_licenses(db, below).parties(below)
    return found if len(found) <= PARTIES else {EVERYBODY}


def _passed_on_by(
    db: Reading, digests: Collection[bytes], licenses: Collection[bytes]
) -> set[bytes] | None:
    """Return what some sublicenses name beside some licenses; None if these are too many together."""
    below = set[bytes]()
    for digest in digests:
        below |= set(hashes_of(db, digest)).difference(licenses)
        if len(below) + len(licenses) > LOOKED_AT:
            return None
    return below


def by_withdrawal(db: Reading, digest: bytes, kind: int, signer: bytes) -> set[Party]:
    """Return whom the withdrawal of a kept statement concerns: those whom the statement does."""
    if kind == SUBLICENSE:
        terms, licenses = sublicenses.sublicense_of(db, digest), hashes_of(db, digest)
        grants = sublicenses.grants_of(db, licenses).values()
        return by_passing(db, terms, [GrantColumns.of(grants)])[0] if terms else {EVERYBODY}
    query = "SELECT subject FROM disputes WHERE hash = ? AND signer = ? AND digest = ?"
    hashes = hashes_of(db, digest)
    row = db.execute(query, (hashes[0], signer, digest)).fetchone() if hashes else None
    affairs = Affairs.of_named(db, [(signer, hashes)])
    return by_statement(db, kind, signer, hashes, affairs, row[0] if row else "")


def hashes_of(db: Reading, digest: bytes) -> list[bytes]:
    """Return the hashes that a kept statement names (rule 6.2); none if it is gone."""
    body = messages.bodies_of(db, [digest]).get(digest)
    hashes: list[bytes] = msgpack.unpackb(body)[3] if body else []
    return hashes


def _by_dispute(db: Reading, hashes: Collection[bytes], subject: str) -> set[Party] | None:
    people = set[bytes]()
    if subject == FILES:
        query = "SELECT contributor FROM items JOIN messages USING (seq) WHERE item = ? LIMIT ?"
        for item in hashes:
            rows = db.execute(query, (item, OF_FILE + 1)).fetchall()
            people.update(person for (person,) in rows)
            if len(rows) > OF_FILE or len(people) > PARTIES:
                return None
    else:
        people.update(one[-ADDRESS_BYTES:] for one in hashes)
    found = set[Party]()
    for person in people:
        theirs = circles.around(db, [person], OF_FILE)
        if theirs is None or len(found) > PARTIES:
            return None
        found |= theirs
    return found


def _licensors(db: Reading, digests: Collection[bytes]) -> set[Party]:
    """Return the signers of some sublicenses, and of those above them."""
    found, seen, left = set[Party](), set[bytes](), set(digests)
    while left := left - seen:
        seen |= left
        terms = sublicenses.sublicenses_of(db, left).values()
        found |= {Party(Role.LICENSOR, one.signer) for one in terms}
        left = {one.parent for one in terms if one.parent != NO_PARENT}
    return found
