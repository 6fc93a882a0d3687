"""Disputed rows in columns, by rule 8.18 (see disputes.py).

Where there is no dispute, nothing of a row is looked at. Otherwise all files of some rows are looked up
together, and all their contributors; consents are read only of what several parties share.
"""

from typing import Protocol

import numpy as np

from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, FILES, contributor_hash
from sayso_protocol.verdicts.disputes import Asking, DisputeKnowledge
from sayso_protocol.verdicts.license_table import (
    HASH,
    ROW,
    Flags,
    Ints,
    LicenseTable,
    Names,
    Reasons,
    among,
    distinct,
    listed,
)
from sayso_protocol.verdicts.query import Heed
from sayso_protocol.verdicts.rows import Consents, by_consent
from sayso_protocol.verdicts.verdict import Reason


class Disputes(DisputeKnowledge, Consents, Protocol):
    """Disputes is the source of disputes and of the terms of licenses."""


def lay_disputed(
    reasons: Reasons,
    table: LicenseTable,
    knowledge: Disputes,
    rows: bytes,
    heed: Heed,
    now: float,
    held: tuple[Ints, Ints],
) -> None:
    """Make held rows that are not revoked `disputed` if a heeded address disputes them.

    Args:
        reasons: The reasons so far, which are changed.
        table: The held licenses that rows can name.
        knowledge: Disputes and consents.
        rows: Joined rows, license . item, 64 bytes each.
        heed: The addresses whose disputes count.
        now: Seconds since the epoch.
        held: The indexes of rows with a held license, and of the license of each.
    """
    files, people = (Asking(one, heed, now) for one in (FILES, CONTRIBUTORS))
    there_are = knowledge.any_disputed(files), knowledge.any_disputed(people)
    if not any(there_are):
        return
    left = reasons[held[0]] != Reason.REVOKED.number
    mine, owner = held[0][left], held[1][left]
    disputed = np.zeros(len(mine), bool)
    if there_are[0]:
        items = np.frombuffer(rows, ROW)["item"][mine]
        disputed |= among(items, _names(knowledge, distinct(items), files))
    if there_are[1]:
        disputed |= _by_people(table, knowledge, owner, people)
    reasons[mine[disputed]] = Reason.DISPUTED.number


def _by_people(table: LicenseTable, knowledge: Disputes, owner: Ints, people: Asking) -> Flags:
    """Return for each row whether a party of its consent is disputed."""
    used = np.unique(owner)
    contributors = listed(table.licenses["contributor"][used])
    shared = used[table.licenses["shared"][used]]
    # Each license is one row here. Of an erased one nothing is known, so it counts as disputed.
    found = by_consent(table, knowledge, shared, shared)
    some = {int(at): consent for consent, ats in found for at in ats}
    everybody = {*contributors, *(party for one in some.values() if one for party in one.parties)}
    by_hash = {contributor_hash(one): one for one in everybody}
    disputed = {by_hash[one] for one in knowledge.disputed(by_hash, people)}
    flags = np.zeros(len(table.licenses), bool)
    flags[used] = [one in disputed for one in contributors]
    for at, consent in some.items():
        flags[at] |= consent is None or not disputed.isdisjoint(consent.parties)
    of_row: Flags = flags[owner]
    return of_row


def _names(knowledge: Disputes, items: Names, files: Asking) -> Names:
    return np.sort(np.array([*knowledge.disputed(listed(items), files)], HASH))
