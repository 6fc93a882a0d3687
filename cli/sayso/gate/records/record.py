"""The record of a run: the question, the sources, the answers and their evidence.

Rows are judged in parts. For each part, the record holds the root over its rows with their reasons (rule
9.2) and the nodes' receipts; it also holds the sums. `sayso receipt verify` verifies a record offline
with the manifest, the rejected rows and the network file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sayso.gate.judges.base import Evidence, Judged
from sayso.gate.judges.verdicts import Verdicts
from sayso_protocol.encoding.row_tree import results_root
from sayso_protocol.errors import Malformed
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import Receipt, Signed
from sayso_protocol.receipts.text import Json, receipt_from_json, receipt_to_json
from sayso_protocol.verdicts.verdict import Reason

RECORD_TYPE: Final = "sayso-run-1"
NOT_A_RECORD: Final = f"this is not a {RECORD_TYPE}"


@dataclass(frozen=True)
class Part:
    """Part holds the result of rows that were judged at once.

    Attributes:
        rows: The number of rows.
        root: The root over the rows with their reasons, 32 bytes.
        receipts: The nodes' receipts for exactly these rows.
        time: The second for which the rows were judged, if no node signed.
    """

    rows: int
    root: bytes
    receipts: tuple[Signed[Receipt], ...]
    time: int | None = None


@dataclass
class Record:
    """Record holds the results of a run; parts are added as they are judged.

    Attributes:
        network: The network of the licenses.
        question: The question about every row.
        manifest: The name of the manifest.
        format: The format of the manifest.
        time: The start of the run, seconds since the epoch, by the gate's clock.
        differing: The number of rows about which the nodes disagree.
        overruled: The number of rows that all nodes call granted and the chain has as revoked.
    """

    network: Network
    question: Question
    manifest: str
    format: str
    time: int
    parts: list[Part] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    differing: int = 0
    overruled: int = 0
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def rows(self) -> int:
        """Return the number of judged rows."""
        return sum(part.rows for part in self.parts)

    @property
    def clear(self) -> int:
        """Return the number of rows that may be used."""
        return self.counts.get(Reason.GRANTED.value, 0)

    @property
    def is_offline(self) -> bool:
        """Return whether the run used snapshots instead of nodes."""
        return any(one["kind"] == "snapshot" for one in self.evidence.sources)

    def add(self, rows: bytes, judged: Judged) -> None:
        """Add a part."""
        for reason, count in Verdicts(judged.numbers).counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + count
        root = results_root(rows, judged.numbers)
        self.parts.append(Part(len(judged.numbers), root, judged.receipts, judged.time))
        self.differing += judged.differing
        self.overruled += judged.overruled

    def single_receipt(self) -> Signed[Receipt] | None:
        """Return the receipt that alone proves the run, or None."""
        if len(self.parts) != 1 or len(self.parts[0].receipts) != 1 or self.overruled:
            return None
        kinds = [one["kind"] for one in self.evidence.sources]
        (receipt,) = self.parts[0].receipts
        return receipt if kinds == ["node"] else None

    def to_json(self) -> Json:
        """Return the record as a JSON object."""
        question = self.question
        return {
            "type": RECORD_TYPE,
            "network": {
                "chain_id": self.network.chain_id,
                "registry": address_text(self.network.registry),
            },
            "grantee": address_text(question.query.grantee),
            "purpose": question.query.purpose,
            "max_age_s": question.max_age_s,
            "run_id": question.run_id,
            "time": self.time,
            "manifest": {"name": self.manifest, "format": self.format, "rows": self.rows},
            "counts": dict(sorted(self.counts.items())),
            "differing": self.differing,
            "overruled": self.overruled,
            "sources": self.evidence.sources,
            "parts": [_part_json(one) for one in self.parts],
        }


def _part_json(part: Part) -> Json:
    return {
        "rows": part.rows,
        "results_root": hex_text(part.root),
        "receipts": [receipt_to_json(one) for one in part.receipts],
        **({} if part.time is None else {"time": part.time}),
    }


@dataclass(frozen=True)
class ReadRecord:
    """ReadRecord is a record from a file, not yet verified."""

    value: Mapping[str, Any]
    network: Network
    grantee: bytes
    purpose: str
    run_id: str
    max_age_s: int
    time: int
    counts: dict[str, int]
    parts: tuple[Part, ...]


def record_from_json(value: Any) -> ReadRecord:
    """Read a record; raises Malformed."""
    if not isinstance(value, Mapping) or value.get("type") != RECORD_TYPE:
        raise Malformed(NOT_A_RECORD)
    try:
        place = value["network"]
        counts = {Reason(name).value: _count(rows) for name, rows in value["counts"].items()}
        return ReadRecord(
            value,
            Network(_count(place["chain_id"]), address_from_text(place["registry"])),
            address_from_text(value["grantee"]),
            value["purpose"],
            value["run_id"],
            _count(value["max_age_s"]),
            _count(value["time"]),
            counts,
            tuple(_read_part(one) for one in value["parts"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{NOT_A_RECORD}: {error}") from error


def _read_part(value: Any) -> Part:
    receipts = tuple(receipt_from_json(one) for one in value["receipts"])
    time = _count(value["time"]) if "time" in value else None
    return Part(_count(value["rows"]), hash_from_text(value["results_root"]), receipts, time)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Malformed(f"{NOT_A_RECORD}: {value!r} is not a number")
    return value
