"""Stores for which licenses sublicenses meet the parent rule, and which of these count (rule 8.15).

Of the sublicenses that one signer passed on to one grantee, the first 16 count for a license, and of
these the first 256 to that grantee. Displacement is permanent: what stands before a row is only ever
replaced by what stands before it, too. Most rows are written without a look at others: between two who
have few sublicenses, all count; and as only the grantee of a consent passes a license on without a
parent, somebody who received few that have one has no license of which 256 count.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, repeat
from typing import Final

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements.sublicenses import Met, SublicenseTerms
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.statements.sublicense import NO_PARENT

COUNTED: Final = LIMITS.passed_by_signer  # sublicenses of one license, signer and grantee
RANKED: Final = LIMITS.passed_to_grantee  # sublicenses of one license and grantee
Passing = tuple[SublicenseTerms, Met]  # a sublicense, with the licenses that it passes on
RANK: Final = " ORDER BY depth, expires_at DESC, digest"


def pass_on(db: Writing, some: Sequence[Passing]) -> None:
    """Store for kept sublicenses the licenses for which each newly meets the rule, with its depth."""
    to_grantees: dict[bytes, list[tuple[int, int, int]]] = {}
    for terms, met in some:
        rows, sublicense = to_grantees.setdefault(terms.grantee, []), terms.number
        for depth, licenses in met.items():
            rows += zip(licenses.numbers, repeat(sublicense), repeat(depth))
    for grantee, rows in to_grantees.items():
        rows.sort()  # neighbours are written one after the other
        into = "INTO passed_on (grantee, counts, license, sublicense, depth)"
        many.insert_alike(db, into, (grantee, 1), rows)
    pairs = {(terms.grantee, terms.signer) for terms, _ in some}
    for pair in _crowded(db, COUNTED, "grantee = column1 AND signer = column2", pairs):
        of_pair = (met for terms, met in some if (terms.grantee, terms.signer) == pair)
        _keep_first(db, COUNTED, of_pair, *pair)
    reached = {(one, NO_PARENT) for one, _ in pairs}
    for grantee, _ in _crowded(db, RANKED - COUNTED, "grantee = column1 AND parent > column2", reached):
        to_grantee = (met for terms, met in some if terms.grantee == grantee)
        _keep_first(db, RANKED, to_grantee, grantee)


def _crowded(
    db: Reading, limit: int, which: str, asked: Collection[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Return those of some pairs with more kept sublicenses than a limit, whatever these pass on."""
    kept = f"SELECT 1 FROM sublicense_terms WHERE {which} LIMIT 1 OFFSET {limit}"  # noqa: S608 - our own names
    return [*many.joined(db, f"SELECT * FROM {{}} WHERE EXISTS ({kept})", asked)]  # noqa: S608 - likewise


def _keep_first(db: Writing, limit: int, passed: Iterable[Met], grantee: bytes, *signer: bytes) -> None:
    """Displace what is too much for licenses passed on to a grantee, by one signer or by all."""
    columns = (licenses for met in passed for licenses in met.values())
    by_number = dict(chain.from_iterable(zip(one.numbers, one.names, strict=True) for one in columns))
    joined, condition = "", ""
    if signer:
        joined = " CROSS JOIN sublicense_terms"
        condition = "AND sublicense_terms.number = sublicense AND sublicense_terms.signer = ? "
    crowded = many.among(
        db,
        f"SELECT license FROM passed_on{joined}"  # noqa: S608 - our own names
        f" WHERE passed_on.grantee = ? AND counts = 1 {condition}AND license IN",
        sorted(by_number),
        (grantee, *signer),
        f"GROUP BY license HAVING count(*) > {limit}",
    )
    for (number,) in list(crowded):
        rows = db.execute(
            "SELECT sublicense, digest FROM passed_on CROSS JOIN sublicense_terms"  # noqa: S608 - likewise
            f" WHERE license = ? AND passed_on.grantee = ? AND counts = 1 {condition}"
            f" AND sublicense_terms.number = sublicense {RANK} LIMIT 1048576 OFFSET ?",
            (number, grantee, *signer, limit),
        ).fetchall()
        db.executemany(
            "UPDATE passed_on SET counts = 0"
            " WHERE license = ? AND grantee = ? AND counts = 1 AND sublicense = ?",
            [(number, grantee, sublicense) for sublicense, _ in rows],
        )
        gone = [(by_number[number], digest) for _, digest in rows]
        many.insert(db, "INTO displaced (license, digest)", gone)
