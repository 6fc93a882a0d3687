"""The record of a run: the question, the sources, the answers and their evidence.

Rows are judged in parts. For each part, the record holds every node's receipt and reasons, from which
its own reasons follow, and the root over the rows with these reasons (rule 9.2); it also holds the sums.
`sayso receipt verify` verifies it offline with the manifest, the rejected rows and the network file.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sayso.gate.judges.base import PART_ROWS, Evidence, Judged, add_counts
from sayso.gate.judges.verdicts import GRANTED
from sayso.gate.records.reasons import reasons_to_text
from sayso_protocol.encoding.row_tree import results_root
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.json_values import (
    Address,
    Count,
    Hash,
    HeedJson,
    Json,
    NetworkJson,
    heed_texts,
    typed,
)
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import Receipt, Signed, count_reasons
from sayso_protocol.receipts.text import ReceiptJson, plain, receipt_json, receipt_of
from sayso_protocol.verdicts.verdict import Reason

RECORD_TYPE: Final = "sayso-run-1"
NODES: Final = "nodes"
SNAPSHOTS: Final = "snapshots"


class AnswerJson(Struct):
    """AnswerJson is a node's answer about a part: its reasons (reasons.py) and its receipt."""

    reasons: str
    receipt: ReceiptJson


class PartJson(Struct, omit_defaults=True):
    """PartJson holds the result of rows that were judged at once.

    Attributes:
        rows: The number of rows.
        results_root: The root over the rows with their reasons.
        answers: The nodes' answers for exactly these rows; none if they were judged offline.
        chain: The reasons of the rows that all nodes call granted, by the chain (reasons.py).
        time: The second for which the rows were judged, if they were judged offline.
        until: The least time until which a granted row may be relied on, if they were judged offline.
    """

    rows: Annotated[int, Meta(ge=1, le=PART_ROWS)]
    results_root: Hash
    answers: list[AnswerJson]
    chain: str | UnsetType = UNSET
    time: Count | UnsetType = UNSET
    until: Count | UnsetType = UNSET


class ManifestJson(Struct):
    """ManifestJson says which manifest was judged: its name, its format and its number of rows."""

    name: str
    format: str
    rows: Count


class RecordJson(Struct):
    """RecordJson is a record as JSON; docs/reference/record.md describes it."""

    type: Literal["sayso-run-1"]
    judges: Literal["nodes", "snapshots"]
    network: NetworkJson
    grantee: Address
    purpose: str
    max_age_s: Count
    run_id: str
    run_until: Count
    time: Count
    until: Count
    manifest: ManifestJson
    counts: dict[str, Count]
    differing: Count
    overruled: Count
    sources: list[dict[str, Any]]
    parts: list[PartJson]
    heed: HeedJson | UnsetType = UNSET  # offline only: receipts state whose disputes counted


@dataclass
class Record:
    """Record holds the results of a run; parts are added as they are judged.

    Attributes:
        network: The network of the licenses.
        question: The question about every row.
        manifest: The name of the manifest.
        format: The format of the manifest.
        time: The earliest time of an answer, seconds since the epoch, or 0 without one.
        untils: Until when the granted rows of each receipt, or of each offline part, may be relied on.
        rows: The number of judged rows.
        differing: The number of rows about which the nodes disagree.
        overruled: The number of rows that all nodes call granted and the chain has as revoked.
        notes: What the reader of the manifest left out, and what its writer could not keep.
    """

    network: Network
    question: Question
    manifest: str
    format: str
    parts: list[PartJson] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    time: int = 0
    untils: list[int] = field(default_factory=list)
    rows: int = 0
    differing: int = 0
    overruled: int = 0
    evidence: Evidence = field(default_factory=Evidence)
    notes: list[str] = field(default_factory=list)

    @property
    def clear(self) -> int:
        """Return the number of rows that may be used."""
        return self.counts.get(Reason.GRANTED.value, 0)

    @property
    def until(self) -> int:
        """Return until when every clear row may be relied on (rule 8.16), or 0 without a clear row."""
        return min(self.untils, default=0) if self.clear else 0

    @property
    def is_offline(self) -> bool:
        """Return whether the run used snapshots instead of nodes."""
        return any(one["kind"] == "snapshot" for one in self.evidence.sources)

    def add(self, rows: bytes, judged: Judged) -> None:
        """Add a part."""
        self.add_rooted(results_root(rows, judged.numbers), judged)

    def add_rooted(self, root: bytes, judged: Judged) -> None:
        """Add a part by the root of its results."""
        add_counts(self.counts, count_reasons(judged.numbers))
        self.rows += len(judged.numbers)
        answers = [
            AnswerJson(reasons_to_text(one.numbers), receipt_json(one.receipt)) for one in judged.answers
        ]
        chain = UNSET if judged.chain is None else reasons_to_text(judged.chain)
        time = UNSET if judged.time is None else judged.time
        times = [one.receipt.statement.time for one in judged.answers] if time is UNSET else [time]
        self.time = min([*times, self.time] if self.parts else times)
        receipts = [one.receipt.statement for one in judged.answers]
        self.untils += [one.until for one in receipts if one.clear]
        until = UNSET if judged.until is None else judged.until
        if until is not UNSET and GRANTED in judged.numbers:
            self.untils.append(until)
        self.parts.append(PartJson(len(judged.numbers), hex_text(root), answers, chain, time, until))
        self.differing += judged.differing
        self.overruled += judged.overruled

    def single_receipt(self) -> Signed[Receipt] | None:
        """Return the receipt that alone proves the run, or None."""
        if len(self.parts) != 1 or len(self.parts[0].answers) != 1 or self.overruled:
            return None
        kinds = [one["kind"] for one in self.evidence.sources]
        (answer,) = self.parts[0].answers
        return receipt_of(answer.receipt) if kinds == ["node"] else None

    def to_json(self) -> Json:
        """Return the record as a JSON object."""
        question = self.question
        return plain(
            RecordJson(
                RECORD_TYPE,
                SNAPSHOTS if self.is_offline else NODES,
                NetworkJson.of(self.network),
                address_text(question.query.grantee),
                question.query.purpose,
                question.max_age_s,
                question.run_id,
                question.run_until,
                self.time,
                self.until,
                # A file's name may be no text (PEP 383).
                ManifestJson(self.manifest.encode(errors="replace").decode(), self.format, self.rows),
                dict(sorted(self.counts.items())),
                self.differing,
                self.overruled,
                self.evidence.sources,
                self.parts,
                heed_texts(question.query.heed or ()) if self.is_offline else UNSET,
            )
        )


def record_from_json(value: Any) -> RecordJson:
    """Read a record without verifying it; raises Malformed."""
    return typed(value, RecordJson)
