"""The circle of a person: to whom they licensed, who holds or passed it on, whose guardian they are.

A circle names each address once, however many licenses there are. So what a revocation costs depends on
how many others the person deals with, and is bounded by the caller's limit.
"""

from collections.abc import Collection, Iterable
from enum import IntEnum
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.primitives import NOBODY


class Role(IntEnum):
    """What an address has to do with a license."""

    EVERYBODY = 0  # the event is for all listeners
    CONTRIBUTOR = 1
    GRANTEE = 2  # of the consent itself, who holds it, too
    LICENSOR = 3  # who passed it on
    HOLDER = 4
    WARD = 5  # in a circle only: a contributor whose guardian the person is


class Party(NamedTuple):
    """An address in a role."""

    role: Role
    address: bytes


EVERYBODY = Party(Role.EVERYBODY, b"")


class Link(NamedTuple):
    """A row of a circle."""

    person: bytes
    role: Role
    address: bytes


def add(db: Writing, links: Iterable[Link]) -> None:
    """Add to circles."""
    rows = {(who, int(role), address) for who, role, address in links if address != NOBODY}
    many.insert(db, "INTO circles", rows, "ON CONFLICT DO NOTHING")


def granted(contributor: bytes, guardian: bytes, grantee: bytes) -> list[Link]:
    """Return what a consent adds to circles."""
    links = [Link(contributor, Role.GRANTEE, grantee)]
    if guardian != NOBODY:
        links.append(Link(guardian, Role.WARD, contributor))
    return links


def around(db: Reading, people: Collection[bytes], limit: int) -> set[Party] | None:
    """Return some people as contributors, and all in their circles; None above `limit` parties."""
    found: set[Party] = {Party(Role.CONTRIBUTOR, one) for one in people}
    left, seen = list(people), set(people)
    query = "SELECT role, address FROM circles WHERE person = ? LIMIT ?"
    while left:
        for number, address in db.execute(query, (left.pop(), limit + 1)).fetchall():
            role = Role(number)
            if role is Role.WARD:
                found.add(Party(Role.CONTRIBUTOR, address))
                if address not in seen:
                    seen.add(address)
                    left.append(address)
            else:
                found.add(Party(role, address))
        if len(found) > limit:
            return None
    return found
