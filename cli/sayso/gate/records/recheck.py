"""Verification of the record of a run: contents bind contents, never sums alone.

It needs the network file of that time. In a record of nodes every part has receipts. With the manifest,
each is reproduced from the rows and its node's reasons; the record's reasons, sums and sources are
computed from these again. No node signs an offline record: it is the word of its maker, until its rows
are judged again for the same moment, with the snapshots and the consents.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET

from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import Manifest
from sayso.gate.judges.base import add_counts
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.licenses import load_licenses
from sayso.gate.records.answers import Answers
from sayso.gate.records.receipts import stated_parts
from sayso.gate.records.record import NODES, SNAPSHOTS, PartJson, RecordJson
from sayso_protocol.encoding.row_tree import ROW_BYTES, results_root
from sayso_protocol.errors import BadProof, WrongNetwork
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text, hash_from_text
from sayso_protocol.receipts.json_values import heed_of
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import count_reasons
from sayso_protocol.verdicts.query import Heed, Query
from sayso_protocol.verdicts.verdict import Reason

_REASONS: Final = {one.value for one in Reason}
Sources = list[dict[str, Any]]


@dataclass(frozen=True)
class Verified:
    """Verified holds what was verified of a record.

    Attributes:
        signers: The operators whose receipts the record holds; none if no node judged.
        sources: The sources, each with its verified fields only.
        heeds: Whose disputes counted, for each signer.
    """

    signers: list[str]
    sources: Sources
    heeds: list[Heed] = field(default_factory=list)


def question_of(record: RecordJson) -> Question:
    """Return the question of a record, without a list (8.17) if receipts state it.

    Raises:
        InvalidAddress, InvalidPurpose, Malformed: A field has not its form.
    """
    heed = None if record.heed is UNSET else heed_of(record.heed)
    query = Query(address_from_text(record.grantee), record.purpose, heed)
    return Question(query, record.max_age_s, record.run_id, run_until=record.run_until)


def verify_record(
    record: RecordJson,
    trusted: NetworkFile,
    manifest: Manifest | None = None,
    rejected: Path | None = None,
    columns: Columns | None = None,
    again: "Again | None" = None,
) -> Verified:
    """Verify a record against the given files.

    With `again`, the rows are judged again, which needs the manifest and the rejected rows.

    Raises:
        BadProof: Parts, sums, sources or roots contradict each other or the files.
        Malformed: The reasons of a part are not in their form.
        WrongNetwork, UnknownSigner, BadSignature: See Signed.check.
        BadManifest: The rejected rows are not rows of the manifest.
    """
    network = record.network.read()
    if network != trusted.network:
        raise WrongNetwork(f"the record is for {network}, not for {trusted.network}")
    if (record.heed is UNSET) is not (record.judges == NODES):
        raise BadProof("an offline record states whose disputes counted; of a node its receipts do")
    answers = Answers(question_of(record), trusted)
    counts: dict[str, int] = {}
    for part, stated in _with_files(record, manifest, rejected, columns):
        numbers: bytes | None = None
        if record.judges == SNAPSHOTS:
            _check_offline_form(part)
        else:
            numbers = answers.add(part, stated.rows if stated else None)
        if stated is not None:
            numbers = _numbers_of(part, stated, numbers, by_reason=rejected is not None)
            if again is not None:
                again.check(part, stated.rows, numbers)
        if numbers is not None:
            add_counts(counts, count_reasons(numbers))
    if record.judges == SNAPSHOTS:
        return _verified_offline(record, counts, again)
    return _verified_of_nodes(record, counts, answers)


@dataclass(frozen=True)
class _Stated:
    """_Stated holds the joined rows of a part, and the numbers of their reasons by the files."""

    rows: bytes
    numbers: bytes


def _with_files(
    record: RecordJson, manifest: Manifest | None, rejected: Path | None, columns: Columns | None
) -> Iterator[tuple[PartJson, _Stated | None]]:
    if manifest is None:
        yield from ((part, None) for part in record.parts)
        return
    stated = stated_parts(manifest, rejected, columns)
    yield from zip(record.parts, _regrouped(stated, [one.rows for one in record.parts]), strict=True)


def _regrouped(parts: Iterator[tuple[bytes, bytes]], sizes: list[int]) -> Iterator[_Stated]:
    """Split the rows into parts of these sizes; raises BadProof for another number of rows."""
    rows, numbers = bytearray(), bytearray()
    for size in sizes:
        while len(numbers) < size:
            batch = next(parts, None)
            if batch is None:
                raise BadProof("the record is for more rows than the manifest has")
            rows += batch[0]
            numbers += batch[1]
        yield _Stated(bytes(rows[: size * ROW_BYTES]), bytes(numbers[:size]))
        del rows[: size * ROW_BYTES], numbers[:size]
    if numbers or next(parts, None) is not None:
        raise BadProof("the manifest has more rows than the record")


def _check_offline_form(part: PartJson) -> None:
    if part.answers or part.chain is not UNSET or part.time is UNSET or part.until is UNSET:
        raise BadProof("an offline record has the times of judgement for each part, and no receipts")


def _numbers_of(part: PartJson, stated: _Stated, judged: bytes | None, *, by_reason: bool) -> bytes:
    """Return the numbers of a part; raises BadProof unless its root and the files have the same."""
    if judged is None and not by_reason:
        raise BadProof("no node signed this record; to verify it, the rejected rows are also needed")
    if judged is not None and by_reason and judged != stated.numbers:
        raise BadProof("the nodes' answers in the record give other results than the rejected rows")
    numbers = stated.numbers if judged is None else judged
    if results_root(stated.rows, numbers) != hash_from_text(part.results_root):
        raise BadProof("the record states other results for these rows")
    return numbers


def _verified_of_nodes(record: RecordJson, counts: dict[str, int], answers: Answers) -> Verified:
    expected, stated = answers.sources(), record.sources
    if stated and stated[-1].get("kind") == "chain":
        stated = stated[:-1]
    elif answers.has_chain:
        raise BadProof("the chain is not among the sources of the record, but judged rows")
    if not expected or not _same(expected, stated):
        raise BadProof("the sources of the record are not the nodes that signed its receipts")
    _check_sums(record, counts, answers.times, answers.untils, (answers.differing, answers.overruled))
    return Verified([one["operator"] for one in expected], expected, answers.heeds)


def _verified_offline(record: RecordJson, counts: dict[str, int], again: "Again | None") -> Verified:
    if not counts:  # without files no reason is known, and only names and sum can be verified
        if sum(record.counts.values()) != record.manifest.rows or not record.counts.keys() <= _REASONS:
            raise BadProof("the counts of the record do not add up to its rows")
        counts = record.counts
    times = [one.time for one in record.parts if one.time is not UNSET]
    untils = [one.until for one in record.parts if one.until]  # 0 for a part without granted rows
    _check_sums(record, counts, times, untils, (0, 0))
    return Verified([], again.sources if again else [])


def _check_sums(
    record: RecordJson,
    counts: dict[str, int],
    times: list[int],
    untils: list[int],
    disagreement: tuple[int, int],
) -> None:
    if not record.parts or record.manifest.rows != sum(part.rows for part in record.parts):
        raise BadProof("the parts of the record do not add up to its rows")
    if record.counts != counts:
        raise BadProof("the record states other counts than its rows have")
    if (record.differing, record.overruled) != disagreement:
        raise BadProof("the record states another number of rows about which its sources disagree")
    if record.time != min(times):
        raise BadProof("the record states another time than its earliest answer")
    until = min(untils, default=0) if counts.get(Reason.GRANTED.value) else 0
    if record.until != until:
        raise BadProof("the record states to be good until another time than its answers are")


def _same(expected: Sources, stated: Sources) -> bool:
    """Return whether sources have the same values in the fields that are expected."""
    if len(expected) != len(stated):
        return False
    pairs = zip(expected, stated, strict=True)
    # As JSON, in which `true` is not 1.
    found = [(one, {name: other.get(name) for name in one}) for one, other in pairs]
    return all(json.dumps(one) == json.dumps(other) for one, other in found)


class Again:
    """Again repeats an offline check with its snapshots, for the moment of the check.

    Attributes:
        sources: The snapshots and the set of consents.

    Raises:
        BadProof: The record relied on other snapshots or consents. See OfflineJudge for other errors.
    """

    def __init__(
        self, record: RecordJson, trusted: NetworkFile, snapshots: Sequence[Path], bundle: Path
    ) -> None:
        self._now = self._moment(record.parts[0]) if record.parts else 0
        self._judge = OfflineJudge(
            snapshots,
            lambda: load_licenses(bundle, trusted.network),
            trusted,
            question_of(record),
            lambda: self._now,
        )
        self.sources = sorted(self._judge.evidence().sources, key=_id)
        if not _same(self.sources, sorted(record.sources, key=_id)):
            raise BadProof("the record relies on other snapshots or other consents")

    def check(self, part: PartJson, rows: bytes, numbers: bytes) -> None:
        """Judge a part again, and raise BadProof for any other result."""
        self._now = self._moment(part)
        judged = self._judge.judge(rows)
        if (judged.numbers, judged.until) != (numbers, part.until):
            raise BadProof("the snapshots give another result for these rows than the record")

    @staticmethod
    def _moment(part: PartJson) -> int:
        if part.time is UNSET:
            raise BadProof("the record is not of an offline check, because it has no time of judgement")
        return part.time


def _id(source: dict[str, Any]) -> str:
    """Return the id of a snapshot or of a set of consents."""
    return str(source.get("id", source.get("digest")))
