"""Whom a kept statement concerns: those who licensed, passed on or hold what it names (rule 3.11).

What cannot be found within the limits concerns everybody, so no filter leaves it out.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgpack

from sayso_node.store import many, messages
from sayso_node.store.events import circles
from sayso_node.store.events.circles import EVERYBODY, Link, Party, Role
from sayso_node.store.interface import Reading
from sayso_node.store.statements import sublicenses
from sayso_protocol.messages.message import CONSENT, DISPUTE, SUBLICENSE
from sayso_protocol.messages.statements.dispute import FILES
from sayso_protocol.messages.statements.sublicense import NO_PARENT
from sayso_protocol.primitives import ADDRESS_BYTES

LOOKED_AT: Final = 4_096  # that are looked at for one statement
PARTIES: Final = 4_096  # of one statement
OF_FILE: Final = 64  # licenses of a file, and parties of a dispute's file or contributor


def by_passing(
    db: Reading, terms: sublicenses.SublicenseTerms, licenses: Collection[bytes]
) -> tuple[set[Party], list[Link]]:
    """Return whom a sublicense of some licenses concerns, and what it adds to circles."""
    found = {Party(Role.LICENSOR, terms.signer), Party(Role.HOLDER, terms.grantee)}
    found |= _licensors(db, [terms.parent] if terms.parent != NO_PARENT else [])
    people = {person for _, person in _contributors(db, licenses)}
    links = [
        Link(person, role, address)
        for person in people
        for role, address in ((Role.HOLDER, terms.grantee), (Role.LICENSOR, terms.signer))
    ]
    found |= {Party(Role.CONTRIBUTOR, one) for one in people}
    found |= {Party(Role.GRANTEE, one) for one in sublicenses.grantees_of(db, licenses).values()}
    return found, links


def by_statement(
    db: Reading, kind: int, signer: bytes, hashes: Collection[bytes], subject: str = ""
) -> set[Party]:
    """Return whom a use, removal or dispute concerns, or everybody.

    Args:
        db: The store.
        kind: The kind of the statement.
        signer: Its signer.
        hashes: What it names.
        subject: What a dispute is about.
    """
    if kind == DISPUTE:
        found = _by_dispute(db, hashes, subject)
        return found or {EVERYBODY}  # nobody known, or too many
    passed = sublicenses.sublicenses_of(db, hashes)
    licenses = {one for one in hashes if one not in passed}
    query = "SELECT DISTINCT digest FROM passed_on WHERE grantee = ? AND counts = 1 AND license IN"
    above = {one for (one,) in many.among(db, query, licenses, (signer,))}
    for digest in passed:
        licenses |= set(hashes_of(db, digest))
        if len(licenses) > LOOKED_AT:
            return {EVERYBODY}
    found = {Party(Role.HOLDER, signer)} | _licensors(db, [*passed, *above])
    found |= {Party(Role.CONTRIBUTOR, person) for _, person in _contributors(db, licenses)}
    found |= {Party(Role.GRANTEE, one) for one in sublicenses.grantees_of(db, licenses).values()}
    return found if len(found) <= PARTIES else {EVERYBODY}


def by_withdrawal(db: Reading, digest: bytes, kind: int, signer: bytes) -> set[Party]:
    """Return whom the withdrawal of a kept statement concerns: those whom the statement does."""
    if kind == SUBLICENSE:
        terms = sublicenses.sublicense_of(db, digest)
        return by_passing(db, terms, hashes_of(db, digest))[0] if terms else {EVERYBODY}
    query = "SELECT subject FROM disputes WHERE hash = ? AND signer = ? AND digest = ?"
    hashes = hashes_of(db, digest)
    row = db.execute(query, (hashes[0], signer, digest)).fetchone() if hashes else None
    return by_statement(db, kind, signer, hashes, row[0] if row else "")


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


def _contributors(db: Reading, licenses: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    # The sign keeps SQLite from reading all consents by their kind.
    query = "SELECT digest, contributor FROM messages WHERE +kind <= ? AND digest IN"
    return many.among(db, query, licenses, (CONSENT,))


def _licensors(db: Reading, digests: Collection[bytes]) -> set[Party]:
    """Return the signers of some sublicenses, and of those above them."""
    found, seen, left = set[Party](), set[bytes](), set(digests)
    while left := left - seen:
        seen |= left
        terms = sublicenses.sublicenses_of(db, left).values()
        found |= {Party(Role.LICENSOR, one.signer) for one in terms}
        left = {one.parent for one in terms if one.parent != NO_PARENT}
    return found
