"""Verification of the record of a run: every signature, every root and every sum in it.

It needs the network file of that time. With the manifest and the rejected rows, it verifies everything
that the record states about them. Nodes sign their results. An offline result is bound to the rows only
by its root, so it is computed again for the same moment, with the snapshots and the consents.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sayso.gate.formats.base import Columns
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.licenses import load_licenses
from sayso.gate.records.receipts import stated_parts
from sayso.gate.records.record import Part, ReadRecord
from sayso_protocol.encoding.row_tree import ROW_BYTES, manifest_root, results_root
from sayso_protocol.errors import BadProof, WrongNetwork
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import Receipt, Signed, count_reasons
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason


def verify_record(
    record: ReadRecord,
    trusted: NetworkFile,
    manifest: Path | None = None,
    rejected: Path | None = None,
    columns: Columns | None = None,
    again: "Again | None" = None,
) -> list[str]:
    """Verify a record against the given files, and return the operators who signed.

    With `again`, the rows are judged again, which needs the manifest and the rejected rows.

    Raises:
        BadProof: Parts, counts or roots contradict each other or the files.
        WrongNetwork, UnknownSigner, BadSignature: See Signed.check.
        BadManifest: The rejected rows are not rows of the manifest.
    """
    if record.network != trusted.network:
        raise WrongNetwork(f"the record is for {record.network}, not for {trusted.network}")
    signers = [name for part in record.parts for name in _signers(record, part, trusted)]
    rows = sum(part.rows for part in record.parts)
    if rows != sum(record.counts.values()) or not rows:
        raise BadProof("the counts of the record do not add up to its rows")
    signed_for = sum(min(map(_granted, part.receipts)) for part in record.parts if part.receipts)
    if signers and record.counts.get(Reason.GRANTED.value, 0) > signed_for:
        raise BadProof("the record calls more rows granted than the nodes do")
    if manifest is not None:
        _check_files(record, manifest, rejected, columns, again)
    return list(dict.fromkeys(signers))


def _signers(record: ReadRecord, part: Part, trusted: NetworkFile) -> Iterator[str]:
    """Return the signers of a part; every receipt must be for this question and these rows."""
    roots = {one.statement.manifest_root for one in part.receipts}
    if len(roots) > 1:
        raise BadProof("the receipts of a part are for different rows")
    for signed in part.receipts:
        yield signed.check(trusted).name
        receipt = signed.statement
        asked = (receipt.grantee, receipt.purpose, receipt.run_id, receipt.max_age_s)
        if asked != (record.grantee, record.purpose, record.run_id, record.max_age_s):
            raise BadProof("a receipt is for another question than the record")
        if sum(rows for _, rows in receipt.counts) != part.rows:
            raise BadProof("a receipt is for another number of rows than its part")


def _granted(signed: Signed[Receipt]) -> int:
    return dict(signed.statement.counts).get(Reason.GRANTED.value, 0)


class Again:
    """Again repeats an offline check with its snapshots, for the moment of the check.

    Raises:
        BadProof: The record relied on other snapshots or consents. See OfflineJudge for other errors.
    """

    def __init__(
        self, record: ReadRecord, trusted: NetworkFile, snapshots: Sequence[Path], bundle: Path
    ) -> None:
        self._now = self._moment(record.parts[0]) if record.parts else 0
        query = Query(record.grantee, record.purpose)
        self._judge = OfflineJudge(
            snapshots,
            lambda: load_licenses(bundle, trusted.network),
            trusted,
            Question(query, record.max_age_s, record.run_id),
            lambda: self._now,
        )
        if _relied_on(self._judge.evidence().sources) != _relied_on(record.value.get("sources", ())):
            raise BadProof("the record relies on other snapshots or other consents")

    def check(self, part: Part, rows: bytes, numbers: bytes) -> None:
        """Judge a part again, and raise BadProof for any other result."""
        self._now = self._moment(part)
        if self._judge.judge(rows).numbers != numbers:
            raise BadProof("the snapshots give another result for these rows than the record")

    @staticmethod
    def _moment(part: Part) -> int:
        if part.time is None:
            raise BadProof("the record is not of an offline check, because it has no time of judgement")
        return part.time


def _relied_on(sources: Sequence[dict[str, Any]]) -> list[str]:
    """Return the ids of the snapshots and of the set of consents."""
    return sorted(str(one.get("id", one.get("digest"))) for one in sources)


def _check_files(
    record: ReadRecord,
    manifest: Path,
    rejected: Path | None,
    columns: Columns | None,
    again: Again | None,
) -> None:
    counts: dict[str, int] = {}
    parts = _regrouped(stated_parts(manifest, rejected, columns), [one.rows for one in record.parts])
    for part, (rows, numbers) in zip(record.parts, parts, strict=True):
        for signed in part.receipts:
            _check_receipt(signed, rows, numbers, by_reason=rejected is not None)
        if again is not None:
            again.check(part, rows, numbers)
        # Without a receipt, only the root over rows and reasons binds the result.
        if (rejected is not None or not part.receipts) and results_root(rows, numbers) != part.root:
            without = "" if rejected else "; the rejected rows are also needed"
            raise BadProof(f"the record states other results for these rows{without}")
        for name, count in count_reasons(numbers):
            counts[name] = counts.get(name, 0) + count
    if rejected is not None and counts != record.counts:
        raise BadProof("the record states other counts than the rejected rows")


def _check_receipt(signed: Signed[Receipt], rows: bytes, numbers: bytes, *, by_reason: bool) -> None:
    if manifest_root(rows) != signed.statement.manifest_root:
        raise BadProof("a receipt is for other rows than those of the manifest")
    if by_reason and numbers.count(Reason.GRANTED.number) > _granted(signed):
        raise BadProof("the run kept more rows than a node called granted")


def _regrouped(parts: Iterator[tuple[bytes, bytes]], sizes: list[int]) -> Iterator[tuple[bytes, bytes]]:
    """Split the rows into parts of these sizes; raises BadProof for another number of rows."""
    rows, numbers = bytearray(), bytearray()
    for size in sizes:
        while len(numbers) < size:
            batch = next(parts, None)
            if batch is None:
                raise BadProof("the record is for more rows than the manifest has")
            rows += batch[0]
            numbers += batch[1]
        yield bytes(rows[: size * ROW_BYTES]), bytes(numbers[:size])
        del rows[: size * ROW_BYTES], numbers[:size]
    if numbers or next(parts, None) is not None:
        raise BadProof("the manifest has more rows than the record")
