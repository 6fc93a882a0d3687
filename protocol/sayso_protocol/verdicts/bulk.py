"""The verdict over many rows at once: the same rules as verdict.py, in columns.

What costs something is done once for each license, and nothing but array work for each row, except where
somebody has revoked: there the bits of a license are unfolded once. A row whose content needs several
parties is judged by verdict.py itself. A property test holds both to the same answers.
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
        table: Every license that is held and that a row may name.
        knowledge: For revocations, and for the licenses of other parties.
        rows: license . item, 64 bytes a row.
        query: Who asks, and what for.
        now: Seconds since the epoch.

    Returns:
        For each row the number of its reason, and the entry of the table that it names or ABSENT.
    """
    reasons, entries, held, owner = judge_terms_of(table, rows, query, now)
    # 8.2 Revoked comes first: it holds whatever else is true.
    for license_, mine in _touched(table, knowledge, held, owner):
        consent, positions = table.consents[license_], table.position[entries[mine]].astype(np.int64)
        item_at = partial(_item_of, rows, mine)
        revoked = _revoked(knowledge, consent, positions, query, item_at)
        reasons[mine[revoked]] = Reason.REVOKED.number
    # 8.7 Everyone else whose consent the content needs.
    for at in held[table.shared[owner] & (reasons[held] == Reason.GRANTED.number)]:
        reasons[at] = verdict(knowledge, row_at(rows, at), query, now).number
    return reasons, entries


def judge_terms_of(
    table: LicenseTable, rows: bytes, query: Query, now: float
) -> tuple[Reasons, Ints, Ints, Ints]:
    """What a table alone says to rows (rules 8.1 and 8.3 to 8.6).

    Returns:
        Reasons and entries as `judge_rows` gives them; then which rows a held license names, and the
        license of each of those.
    """
    entries = table.find(rows)
    held = np.flatnonzero(entries >= 0)
    owner = table.owner[entries[held]].astype(np.int64)
    # 8.1 A license that is not held, or that does not name the item, is unknown.
    reasons = np.full(len(entries), Reason.UNKNOWN.number, np.uint8)
    # 8.3 - 8.6 The terms.
    reasons[held] = table.terms(query, now)[owner]
    return reasons, entries, held, owner


def revoked_masks(knowledge: KnownBits, consent: Consent, items: Sequence[bytes]) -> list[int]:
    """Which of a consent's permissions are revoked (rule 8.2), as masks of its words, in their order.

    Asked for the consent's own grantee.
    """
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
    """The licenses of rows whose contributor or guardian has set any bit, each with its rows."""
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
    """Rule 8.2 for items of one consent, given by their positions in it."""
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
    """The bit of every item for one purpose (rule 5.5)."""
    masks = b"".join(own.get(word, 0).to_bytes(_WORD_BYTES, "little") for word in consent.words)
    bits = np.unpackbits(np.frombuffer(masks, np.uint8), bitorder="little").astype(bool)
    numbers = consent.bit_numbers(purpose)
    return bits[numbers.start : numbers.stop : numbers.step]


def _item_of(rows: bytes, numbers: Ints, at: int) -> bytes:
    return row_at(rows, numbers[at]).item


def row_at(rows: bytes, at: int) -> Row:
    """One of joined rows."""
    start = int(at) * ROW_BYTES
    return Row(rows[start : start + HASH_BYTES], rows[start + HASH_BYTES : start + ROW_BYTES])
