"""Rows of `passed_on`, read with hashes in place of numbers, and written in bulk.

passed_rows(db)  # license, digest, grantee, depth, whether it counts
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements import passing, sublicenses
from sayso_node.store.statements.sublicenses import GrantColumns, SublicenseTerms

GRANTS = "INTO grants (license, number, grantee, contributor)"
PASSED = "INTO passed_on (license, grantee, counts, sublicense, depth)"


def passed_rows(db: Reading) -> list[tuple[Any, ...]]:
    """Each license of each kept sublicense that passes it on."""
    return db.execute(
        "SELECT grants.license, digest, passed_on.grantee, depth, counts FROM passed_on"
        " JOIN grants ON grants.number = passed_on.license"
        " JOIN sublicense_terms ON sublicense_terms.number = sublicense"
    ).fetchall()


def add_grants(db: Writing, licenses: Iterable[bytes], grantee: bytes, first: int) -> None:
    """Make licenses known by numbers from `first` on, as if their consents had been held."""
    rows = ((one, number, grantee, b"") for number, one in enumerate(licenses, first))
    many.insert(db, GRANTS, rows, "ON CONFLICT DO NOTHING")


def number_of(db: Reading, license_hash: bytes) -> int:
    """The number of a license."""
    row = db.execute("SELECT number FROM grants WHERE license = ?", (license_hash,)).fetchone()
    return int(row[0])


def add_passed(
    db: Writing, license_hash: bytes, some: Iterable[SublicenseTerms], counts: int = 1
) -> None:
    """Pass a license on by sublicenses of depth 1, without a look at which of them count."""
    number = number_of(db, license_hash)
    rows: Sequence[tuple[Any, ...]] = [(number, one.grantee, counts, one.number, 1) for one in some]
    many.insert(db, PASSED, rows)


def pass_on(db: Writing, terms: SublicenseTerms, licenses: Iterable[bytes], depth: int = 1) -> None:
    """Keep a sublicense as admission does, of licenses that meet the rule at a depth."""
    grants = sublicenses.grants_of(db, licenses)
    sublicenses.insert(db, [terms])
    passing.pass_on(db, [(terms, {depth: GrantColumns.of(grants.values())})])
