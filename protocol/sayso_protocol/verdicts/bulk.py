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
from sayso_protocol.permissions.scopes import SCOPE_FLAG, file_subject, scope_words, wide_subjects
from sayso_protocol.permissions.words import WORD_BITS, Masks
from sayso_protocol.primitives import HASH_BYTES, NOBODY
from sayso_protocol.verdicts.license_table import Flags, Ints, LicenseTable, Reasons
from sayso_protocol.verdicts.verdict import Knowledge, Query, Reason, Row, verdict

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
        revoked = _revoked(knowledge, consent, positions, query.purpose, item_at)
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


def revoked_masks(knowledge: Knowledge, consent: Consent, items: Sequence[bytes]) -> list[int]:
    """Which of a consent's permissions are revoked (rule 8.2), as masks of its words, in their order."""
    positions = np.arange(len(items))
    columns = [
        _revoked(knowledge, consent, positions, purpose, items.__getitem__)
        for purpose in consent.purposes
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
    knowledge: Knowledge,
    consent: Consent,
    positions: Ints,
    purpose: str,
    item_at: _ItemAt,
) -> Flags:
    """Rule 8.2 for items of one consent, given by their positions in it."""
    own = knowledge.bits(consent.contributor)
    flags = _permission_bits(own, consent, purpose)[positions]
    speakers: list[tuple[Masks, bytes | None]] = [(own, None)]
    if consent.guardian != NOBODY:
        speakers.append((knowledge.bits(consent.guardian), consent.contributor))
    for bits, ward in speakers:
        scopes = {word for word, mask in bits.items() if word & SCOPE_FLAG and mask & 1}
        if scopes & scope_words(wide_subjects(consent.via), purpose, ward):
            flags[:] = True
        elif scopes:  # perhaps of single files, which is asked for each
            for at in np.flatnonzero(~flags):
                flags[at] = bool(scopes & scope_words([file_subject(item_at(int(at)))], purpose, ward))
    return flags


def _permission_bits(own: Masks, consent: Consent, purpose: str) -> Flags:
    """The bit of every item for one purpose (rule 5.5); all clear if the consent has no such purpose."""
    width = len(consent.purposes)
    if purpose not in consent.purposes:
        return np.zeros(consent.items, bool)
    words = range(consent.base, consent.base - (-consent.items * width // WORD_BITS))
    masks = b"".join(own.get(word, 0).to_bytes(_WORD_BYTES, "little") for word in words)
    bits = np.unpackbits(np.frombuffer(masks, np.uint8), bitorder="little").astype(bool)
    return bits[consent.purposes.index(purpose) :: width][: consent.items]


def _item_of(rows: bytes, numbers: Ints, at: int) -> bytes:
    return row_at(rows, numbers[at]).item


def row_at(rows: bytes, at: int) -> Row:
    """One of joined rows."""
    start = int(at) * ROW_BYTES
    return Row(rows[start : start + HASH_BYTES], rows[start + HASH_BYTES : start + ROW_BYTES])
