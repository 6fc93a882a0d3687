"""Verdicts over many rows, by the rules of verdict.py in columns.

A row costs only array operations, however many licenses the rows name. Consents are looked up only for
licenses whose people have revoked anything or that several parties share. If a license has revoked bits,
they are unpacked once, and `OtherParties` judges rows whose content needs several parties. A property
test compares both implementations.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol

import numpy as np

from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.words import WORD_BITS
from sayso_protocol.primitives import NOBODY
from sayso_protocol.verdicts.chains import OpenChains
from sayso_protocol.verdicts.covering import Cover, covering
from sayso_protocol.verdicts.disputed_rows import lay_disputed
from sayso_protocol.verdicts.known_bits import KnownBits, set_places
from sayso_protocol.verdicts.license_table import (
    ADDRESS,
    Flags,
    Ints,
    LicenseTable,
    Reasons,
    among,
    distinct,
    listed,
)
from sayso_protocol.verdicts.passed import Ends, Passed
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.rows import Consents, by_consent, row_at
from sayso_protocol.verdicts.verdict import (
    Knowledge,
    Passages,
    Reason,
    other_parties,
)

FEW_ITEMS: Final = 4  # of one consent, which are looked up place by place
ITEMS_AT_ONCE: Final = 4_096  # whose scopes are looked up together
_WORD_BYTES = WORD_BITS // 8
_ItemAt = Callable[[int], bytes]


class BulkKnowledge(Knowledge, Consents, Protocol):
    """BulkKnowledge is the source of licenses and bits for many verdicts."""


class Judged(NamedTuple):
    """Judged is the result for some rows.

    Attributes:
        reasons: The number of the reason of each row, shape (n,).
        entries: The entry of the table, or ABSENT, of each row, shape (n,).
        ends: Of each license of the table, what Passage.ends gives, or infinity; None if no row needs
            a chain.
    """

    reasons: Reasons
    entries: Ints
    ends: Ends | None


def judge_rows(
    table: LicenseTable,
    knowledge: BulkKnowledge,
    rows: bytes,
    query: Query,
    now: float,
    passages: Passages | None = None,
    passed: Passed | None = None,
) -> Judged:
    """Judge joined rows (rules 8.1 to 8.8).

    Args:
        table: The held licenses that rows can name.
        knowledge: Revoked bits, sublicenses, and the licenses of other parties.
        rows: Joined rows, license . item, 64 bytes each.
        query: Grantee and purpose.
        now: Seconds since the epoch.
        passages: What rule 8.5 gives for licenses that need a chain; by default by the knowledge.
        passed: What was found for the table's licenses with the same `passages`, if anything.
    """
    if passages is None:
        chains = OpenChains(knowledge, query, now)
        passages = chains.passages
        passed = passed or Passed(table, query, passages, chains)
    reasons, entries, held, owner = judge_terms_of(table, rows, query, now)
    passed = passed or Passed(table, query, passages)
    spoke = _spoke(table, knowledge, owner)
    passed.lay(reasons, held, owner, spoke)  # 8.5 The grantee's own rows are not looked at again.
    # 8.2 `revoked` precedes all other rules.
    touched = spoke[owner]
    for consent, mine in by_consent(table, knowledge, held[touched], owner[touched]):
        if consent is None:  # 8.13 It was erased after the table was read, so it is revoked.
            reasons[mine] = Reason.REVOKED.number
            continue
        positions = table.position[entries[mine]].astype(np.int64)
        revoked = _revoked(knowledge, consent, positions, query, partial(_item_of, rows, mine))
        reasons[mine[revoked]] = Reason.REVOKED.number
    # 8.18 `disputed` precedes all rules that time can change.
    if query.heed:
        lay_disputed(reasons, table, knowledge, rows, query.heed, now, (held, owner))
    # 8.7 The consents of the other parties.
    others = other_parties(knowledge, query, now, passages)
    shared = table.licenses["shared"][owner] & (reasons[held] == Reason.GRANTED.number)
    for consent, mine in by_consent(table, knowledge, held[shared], owner[shared]):
        for at in mine:
            judged = others.judge(consent, row_at(rows, at).item) if consent else Reason.REVOKED
            reasons[at] = judged.number
    return Judged(reasons, entries, passed.ends)


def judge_terms_of(
    table: LicenseTable, rows: bytes, query: Query, now: float
) -> tuple[Reasons, Ints, Ints, Ints]:
    """Judge joined rows by the signed terms alone: `other-grantee` if the asker needs a chain.

    Returns:
        Reasons and entries as in `judge_rows`; the indexes of rows with a held license; and the index of
        the license of each of these rows.
    """
    entries = table.find(rows)
    held = np.flatnonzero(entries >= 0)
    owner = table.owner[entries[held]].astype(np.int64)
    # 8.1 The license is not held, or does not name the item.
    reasons = np.full(len(entries), Reason.UNKNOWN.number, np.uint8)
    # 8.3 - 8.6 The terms.
    reasons[held] = table.terms(query, now, owner)
    return reasons, entries, held, owner


def revoked_masks(knowledge: KnownBits, consent: Consent, items: Sequence[bytes]) -> list[int]:
    """Return the revoked permissions of a consent as masks of its words, in order (rule 8.2)."""
    positions = np.arange(len(items))
    columns = [
        _revoked(knowledge, consent, positions, Query(consent.grantee, one), items.__getitem__)
        for one in consent.purposes
    ]
    packed = np.packbits(np.stack(columns, axis=1).ravel(), bitorder="little").tobytes()
    starts = range(0, len(packed), _WORD_BYTES)
    return [int.from_bytes(packed[start : start + _WORD_BYTES], "little") for start in starts]


def _spoke(table: LicenseTable, knowledge: KnownBits, owner: Ints) -> Flags:
    """Return of licenses that rows name whether contributor or guardian have set any bit.

    Returns:
        A flag for each license of the table; of other licenses it is not set.
    """
    used = np.unique(owner)
    contributors, guardians = (table.licenses[who][used] for who in ("contributor", "guardian"))
    people = distinct(np.append(contributors, guardians[guardians != NOBODY]))
    speakers = np.sort(np.array([*knowledge.speakers(listed(people))], ADDRESS))
    spoke = np.zeros(len(table.licenses), bool)
    spoke[used] = among(contributors, speakers) | among(guardians, speakers)
    return spoke


def _revoked(
    knowledge: KnownBits, consent: Consent, positions: Ints, query: Query, item_at: _ItemAt
) -> Flags:
    """Return whether items of one consent, given by index, are revoked (rule 8.2)."""
    speakers = knowledge.speakers(consent.revokers)
    with_scopes = [address for address in speakers if knowledge.has_scopes(address)]
    covers = [one for one in covering(consent, query, with_scopes) if one.address in speakers]
    flags = np.zeros(len(positions), bool)
    if len(positions) <= FEW_ITEMS:
        return _covered(knowledge, consent, positions, item_at, covers)
    for one in covers:
        if one.scope is None:
            flags |= _permission_bits(knowledge, consent, one.purpose, positions)
    if any(set_places(knowledge, [place for one in covers if (place := one.wide)])):
        flags[:] = True
    by_item = [one for one in covers if one.scope and not one.wide]
    left = np.flatnonzero(~flags) if by_item else np.empty(0, np.int64)
    for some in np.split(left, range(ITEMS_AT_ONCE, len(left), ITEMS_AT_ONCE)):
        item_of = partial(_nth, item_at, some)
        flags[some] = _covered(knowledge, consent, positions[some], item_of, by_item)
    return flags


def _nth(item_at: _ItemAt, places: Ints, at: int) -> bytes:
    return item_at(int(places[at]))


def _covered(
    knowledge: KnownBits, consent: Consent, positions: Ints, item_at: _ItemAt, covers: Sequence[Cover]
) -> Flags:
    """Return whether any of some covers is set for each item; all words are asked for at once."""
    places = [
        one.at(consent, int(position), item_at(at))
        for at, position in enumerate(positions)
        for one in covers
    ]
    found = np.array(set_places(knowledge, places), bool)
    return np.array(found.reshape(len(positions), len(covers)).any(axis=1), bool)


def _permission_bits(knowledge: KnownBits, consent: Consent, purpose: str, positions: Ints) -> Flags:
    """Return the bits of items for one purpose (rule 5.5), from the words that hold them."""
    numbers = np.array(consent.bit_numbers(purpose), np.int64)[positions]
    used, place = np.unique(numbers // WORD_BITS, return_inverse=True)
    words = [consent.base + int(one) for one in used]
    masks = knowledge.masks(consent.contributor, words)
    joined = b"".join(masks.get(word, 0).to_bytes(_WORD_BYTES, "little") for word in words)
    bits = np.unpackbits(np.frombuffer(joined, np.uint8), bitorder="little").astype(bool)
    mine: Flags = bits[place * WORD_BITS + numbers % WORD_BITS]
    return mine


def _item_of(rows: bytes, numbers: Ints, at: int) -> bytes:
    return row_at(rows, numbers[at]).item
