"""Verdicts over many rows, by the rules of verdict.py in columns.

Each license costs a fixed amount, and each row only array operations. If a license has revoked bits,
they are unpacked once. `verdict` itself judges rows whose content needs several parties. A property test
compares both implementations.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import WORD_BITS, Masks
from sayso_protocol.primitives import HASH_BYTES, NOBODY
from sayso_protocol.verdicts.covering import Cover, covering
from sayso_protocol.verdicts.license_table import Flags, Ints, LicenseTable, Reasons
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Knowledge, KnownBits, Reason, Row, verdict

_WORD_BYTES = WORD_BITS // 8
_ItemAt = Callable[[int], bytes]


def judge_rows(
    table: LicenseTable, knowledge: Knowledge, rows: bytes, query: Query, now: float
) -> tuple[Reasons, Ints]:
    """Judge joined rows (rules 8.1 to 8.8).

    Args:
        table: The held licenses that rows can name.
        knowledge: Revoked bits, and the licenses of other parties.
        rows: Joined rows, license . item, 64 bytes each.
        query: Grantee and purpose.
        now: Seconds since the epoch.

    Returns:
        The number of the reason and the entry of the table, or ABSENT, for each row; shape (n,).
    """
    reasons, entries, held, owner = judge_terms_of(table, rows, query, now)
    # 8.2 `revoked` precedes all other rules.
    for license_, mine in _touched(table, knowledge, held, owner):
        consent, positions = table.consents[license_], table.position[entries[mine]].astype(np.int64)
        item_at = partial(_item_of, rows, mine)
        revoked = _revoked(knowledge, consent, positions, query, item_at)
        reasons[mine[revoked]] = Reason.REVOKED.number
    # 8.7 The consents of the other parties.
    for at in held[table.shared[owner] & (reasons[held] == Reason.GRANTED.number)]:
        reasons[at] = verdict(knowledge, row_at(rows, at), query, now).number
    return reasons, entries


def judge_terms_of(
    table: LicenseTable, rows: bytes, query: Query, now: float
) -> tuple[Reasons, Ints, Ints, Ints]:
    """Judge joined rows by the signed terms alone (rules 8.1 and 8.3 to 8.6).

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
    reasons[held] = table.terms(query, now)[owner]
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


def _touched(
    table: LicenseTable, knowledge: Knowledge, held: Ints, owner: Ints
) -> Iterator[tuple[int, Ints]]:
    """Yield the licenses whose contributor or guardian has set any bit, each with its rows."""
    people, contributors, guardians = table.people
    used = np.unique(owner)
    spoke = np.zeros(len(people), bool)
    for place in np.unique([contributors[used], guardians[used]]):
        spoke[place] = people[place] != NOBODY and bool(knowledge.bits(people[place]))
    some = np.flatnonzero((spoke[contributors] | spoke[guardians])[owner])
    some = some[np.argsort(owner[some], kind="stable")]
    for rows in np.split(some, np.flatnonzero(np.diff(owner[some])) + 1):
        if len(rows):
            yield int(owner[rows[0]]), held[rows]


def _revoked(
    knowledge: KnownBits, consent: Consent, positions: Ints, query: Query, item_at: _ItemAt
) -> Flags:
    """Return whether items of one consent, given by index, are revoked (rule 8.2)."""
    flags = np.zeros(len(positions), bool)
    bits = {address: knowledge.bits(address) for address in consent.revokers}
    speakers = {address for address, masks in bits.items() if any(word & SCOPE_FLAG for word in masks)}
    by_item: list[Cover] = []
    for one in covering(consent, query):
        if one.scope is None:
            flags |= _permission_bits(bits[one.address], consent, one.purpose)[positions]
        elif place := one.wide:
            flags |= place.is_set(bits[one.address])
        elif one.address in speakers:
            by_item.append(one)
    for at in np.flatnonzero(~flags) if by_item else ():
        position, item = int(positions[at]), item_at(int(at))
        flags[at] = any(one.at(consent, position, item).is_set(bits[one.address]) for one in by_item)
    return flags


def _permission_bits(own: Masks, consent: Consent, purpose: str) -> Flags:
    """Return the bit of every item for one purpose (rule 5.5)."""
    masks = b"".join(own.get(word, 0).to_bytes(_WORD_BYTES, "little") for word in consent.words)
    bits = np.unpackbits(np.frombuffer(masks, np.uint8), bitorder="little").astype(bool)
    numbers = consent.bit_numbers(purpose)
    return bits[numbers.start : numbers.stop : numbers.step]


def _item_of(rows: bytes, numbers: Ints, at: int) -> bytes:
    return row_at(rows, numbers[at]).item


def row_at(rows: bytes, at: int) -> Row:
    """Return the row at an index, from 0, of joined rows."""
    start = int(at) * ROW_BYTES
    return Row(rows[start : start + HASH_BYTES], rows[start + HASH_BYTES : start + ROW_BYTES])
