"""Offline verification of a receipt, with the network file and the files of the check."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sayso.contributor.saved_messages import read_bounded
from sayso.errors import BadManifest
from sayso.gate.formats.base import Columns
from sayso.gate.formats.json_lines import JsonLines
from sayso.gate.formats.json_rows import STRICT
from sayso.gate.formats.opening import Manifest, open_source
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.encoding.row_tree import ROW_BYTES, manifest_root
from sayso_protocol.errors import BadProof, Malformed, TooLarge
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.receipts.receipt import Receipt, Signed, check_results
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.verdict import Reason

JSON_BYTES: Final = 4 * 1024 * 1024
RECEIPT_BATCH_ROWS: Final = 1 << 20
# A tuple, because values from files may be unhashable.
REFUSING_REASONS: Final = tuple(reason.value for reason in Reason if reason is not Reason.GRANTED)
Rejected = dict[int, tuple[bytes, int]]  # by line or row of the manifest: joined row, number of reason


def read_receipt(path: Path) -> Signed[Receipt]:
    """Read a receipt without verifying its signature; raises FileUnreadable, TooLarge, Malformed."""
    return receipt_from_json(read_json(path))


def read_json(path: Path, most: int = JSON_BYTES) -> Any:
    """Read the value of a JSON file; raises FileUnreadable, TooLarge, Malformed."""
    data = read_bounded(path, most)
    if len(data) > most:
        raise TooLarge(f"{str(path)!r} is larger than {most:,} bytes")
    try:
        return parse_json(data, STRICT, most=most)
    except Malformed as error:
        raise Malformed(f"{str(path)!r} is not a JSON file with one meaning ({error})") from error


def verify_receipt(
    signed: Signed[Receipt],
    trusted: NetworkFile,
    manifest: Manifest | None = None,
    rejected: Path | None = None,
    columns: Columns | None = None,
) -> Operator:
    """Verify a receipt against the given files, and return the operator who signed it.

    With the manifest, the receipt must be for exactly its rows. With the rejected rows, it must also
    state exactly these reasons, and `granted` for every other row.

    Raises:
        BadProof: The receipt is for other rows or states other results.
        BadManifest: The rejected rows are not rows of the manifest.
        WrongNetwork, UnknownSigner, BadSignature: See Signed.check.
    """
    # 1. The signer and the network.
    operator = signed.check(trusted)
    if manifest is None:
        return operator
    # 2. The rows.
    rows, numbers = stated_results(signed.statement, manifest, rejected, columns)
    if manifest_root(rows) != signed.statement.manifest_root:
        raise BadProof("the receipt is for other rows than those of the manifest")
    # 3. The results.
    if rejected is not None:
        check_results(signed.statement, rows, numbers)
    return operator


def stated_results(
    receipt: Receipt, manifest: Manifest, rejected: Path | None, columns: Columns | None = None
) -> tuple[bytes, bytes]:
    """Return the rows of a manifest, joined, and the number of each row's reason.

    Raises:
        BadProof: The manifest has more rows than the receipt; the others are not read.
        BadManifest: See stated_parts.
    """
    rows, numbers = bytearray(), bytearray()
    for some, reasons in stated_parts(manifest, rejected, columns):
        rows += some
        numbers += reasons
        if len(numbers) > receipt.rows:
            raise BadProof("the manifest has more rows than the receipt")
    return bytes(rows), bytes(numbers)


def stated_parts(
    manifest: Manifest, rejected: Path | None, columns: Columns | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the same in parts; a row that is not among the rejected rows is `granted`.

    Raises:
        BadManifest: The manifest has no rows, or the rejected rows are not its own.
    """
    columns = columns or Columns()
    refused = _rejected(rejected, columns) if rejected else {}
    # Rows without hashes were judged as such, or no receipt was given.
    dialect = replace(columns.dialect, reject_bad=True)
    source, first = open_source(manifest, replace(columns, dialect=dialect)), 0
    for batch in source.batches(RECEIPT_BATCH_ROWS):
        numbers = np.full(len(batch), Reason.GRANTED.number, np.uint8)
        if refused:
            for at, place in enumerate(source.places(batch, first)):
                if place in refused:
                    numbers[at] = _taken(refused, place, batch.rows, at)
        first += len(batch)
        yield batch.rows, numbers.tobytes()
    if not first:
        raise BadManifest(f"{str(source.path)!r} has no rows")
    if refused:
        raise BadManifest(f"{str(rejected)!r} names a line that is not a row: {min(refused)}")


def granted_rows(
    manifest: Manifest, rejected: Path | None, columns: Columns | None = None
) -> Iterator[NDArray[np.uint8]]:
    """Yield the rows that are not rejected, shape (n, 64); raises as stated_parts."""
    for rows, numbers in stated_parts(manifest, rejected, columns):
        is_granted = np.frombuffer(numbers, np.uint8) == Reason.GRANTED.number
        yield np.frombuffer(rows, np.uint8).reshape(-1, ROW_BYTES)[is_granted]


def _rejected(path: Path, columns: Columns) -> Rejected:
    refused: Rejected = {}
    source = JsonLines(path, columns)
    for batch in source.batches(RECEIPT_BATCH_ROWS):
        for at, (number, raw) in enumerate(zip(*batch.content, strict=True)):
            fields = source.fields(number, raw)
            place = fields.get("line", fields.get("row"))
            reason = fields.get("reason")
            if type(place) is not int or place in refused or reason not in REFUSING_REASONS:
                raise BadManifest(f"{str(path)!r}, line {number}: not a rejected row")
            row = batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]
            refused[place] = (row, Reason(reason).number)
    return refused


def _taken(refused: Rejected, place: int, rows: bytes, at: int) -> int:
    """Remove a row from the rejected rows, and return the number of its reason."""
    row, number = refused.pop(place)
    if row != rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]:
        raise BadManifest(f"line {place} of the manifest differs from the rejected row")
    return number
