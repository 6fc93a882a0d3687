"""Rows of a check in columns: one row by its index, and rows by their consents."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.verdicts.license_table import Ints, LicenseTable, listed
from sayso_protocol.verdicts.verdict import Row

CONSENTS_AT_ONCE: Final = 1_024  # which are looked up together


class Consents(Protocol):
    """Consents is the source of the terms of licenses in a table."""

    def consents(self, names: Sequence[bytes]) -> Mapping[bytes, Consent]:
        """Return the consents of some licenses by their hashes, without those that are not held."""
        ...


def by_consent(
    table: LicenseTable, knowledge: Consents, rows: Ints, owner: Ints
) -> Iterator[tuple[Consent | None, Ints]]:
    """Yield the consents of some rows, each with its rows; None if it is not held any more.

    Args:
        table: The licenses.
        knowledge: Has the consents.
        rows: The numbers of the rows.
        owner: The index of the license of each row.
    """
    order = np.argsort(owner, kind="stable")
    owner, rows = owner[order], rows[order]
    firsts = np.flatnonzero(np.append(np.ones(min(1, len(owner)), bool), owner[1:] != owner[:-1]))
    parts = np.split(rows, firsts[1:])
    for start in range(0, len(firsts), CONSENTS_AT_ONCE):
        some = slice(start, start + CONSENTS_AT_ONCE)
        names = listed(table.licenses["name"][owner[firsts[some]]])
        found = knowledge.consents(names)
        for name, mine in zip(names, parts[some], strict=True):
            yield found.get(name), mine


def row_at(rows: bytes, at: int) -> Row:
    """Return the row at an index, from 0, of joined rows."""
    start = int(at) * ROW_BYTES
    return Row(rows[start : start + HASH_BYTES], rows[start + HASH_BYTES : start + ROW_BYTES])
