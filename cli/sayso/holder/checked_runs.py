"""The record of a check as the source of a use: what was asked, and which rows were granted."""

from pathlib import Path
from typing import Final

from sayso.errors import BadManifest
from sayso.gate.formats.base import Columns
from sayso.gate.records.receipts import read_json, verify_receipt
from sayso.gate.records.recheck import question_of, verify_record
from sayso.gate.records.record import RECORD_TYPE, record_from_json
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason

RECORD_BYTES: Final = 1 << 30  # of a run of a billion rows


def read_run(
    path: Path,
    trusted: NetworkFile,
    manifest: Path | None,
    rejected: Path | None,
    columns: Columns,
) -> Query:
    """Verify a record or receipt, with the manifest if that is given; returns what it asked.

    Raises:
        BadProof: It is for other rows or results. See verify_record and verify_receipt for other errors.
        BadManifest: It refuses rows of the manifest, and the rejected rows are not given.
    """
    value = read_json(path, RECORD_BYTES)
    if isinstance(value, dict) and value.get("type") == RECORD_TYPE:
        record = record_from_json(value)
        verify_record(record, trusted, manifest, rejected, columns)
        query, counts = question_of(record).query, record.counts
    else:
        signed = receipt_from_json(value)
        verify_receipt(signed, trusted, manifest, rejected, columns)
        query, counts = signed.statement.question.query, dict(signed.statement.counts)
    if manifest and not rejected and counts.keys() - {Reason.GRANTED.value}:
        raise BadManifest("the record refuses rows of the manifest; name them with --rejected")
    return query
