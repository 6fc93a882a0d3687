"""Records of runs, made as the gate makes them: of two nodes with the chain, and of an offline check."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from evidence.statements import CONSENT, ITEMS, NOW, NUMBERS, QUESTION, ROWS, Document, a_receipt
from sayso.gate.judges.base import Evidence, Judged, add_counts, node_source
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.judges.verdicts import strictest, with_chain
from sayso.gate.licenses import load_licenses
from sayso.gate.records.recheck import Again, question_of, verify_record
from sayso.gate.records.record import Record, record_from_json
from sayso.node_client.answers import CheckAnswer
from sayso_protocol.encoding.row_tree import roots
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.receipt import count_reasons, join_rows, sign_statement
from sayso_protocol.verdicts.verdict import REASONS, Reason
from support.protocol_strategies import ADA, NETWORK, NODE, a_consent
from support.snapshots import OTHER, TRUSTED, names_of_envelopes, parts_of


def _files(folder: Path, numbers: bytes) -> tuple[Path, Path]:
    """The manifest and the rejected rows of a run."""
    pairs: list[dict[str, Any]] = [
        {"license": hex_text(row.license), "item": hex_text(row.item)} for row in ROWS
    ]
    rejected = [
        one | {"line": at, "reason": REASONS[number].value}
        for at, (one, number) in enumerate(zip(pairs, numbers, strict=True), 1)
        if REASONS[number] is not Reason.GRANTED
    ]
    paths = folder / "m.jsonl", folder / "why.jsonl"
    for path, lines in zip(paths, (pairs, rejected), strict=True):
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return paths


def _verified(
    folder: Path, value: Any, numbers: bytes, again: tuple[list[Path], Path] | None = None
) -> Any:
    """What a reader takes from a verified record."""
    record, (manifest, rejected) = record_from_json(value), _files(folder, numbers)
    repeated = Again(record, TRUSTED, *again) if again else None
    verified = verify_record(record, TRUSTED, manifest, rejected, again=repeated)
    sums = record.counts, record.time, record.differing, record.overruled, record.manifest.rows
    question = question_of(record)
    asked = question if verified.signers else question.query  # the rest is the word of its maker
    return verified, record.judges, asked, sums, [(one.rows, one.results_root) for one in record.parts]


def _signed(key: SigningKey, rows: bytes, numbers: bytes, sequence: int) -> CheckAnswer:
    asked, answered = roots(rows, numbers)
    statement = a_receipt(key, NUMBERS, sequence).statement
    changes = {"manifest_root": asked, "results_root": answered, "counts": count_reasons(numbers)}
    signed = sign_statement(key, replace(statement, **changes))
    return CheckAnswer(numbers, signed, TRUSTED.operator_of(bytes(key.verify_key)))


def record_of_nodes(folder: Path, told: Callable[[bytes], bytes] = lambda numbers: numbers) -> Document:
    """The record of two nodes that differ, and of the chain, in two parts.

    If other numbers are told than the nodes signed, everything that nobody signs is made to fit them.
    """
    made = Record(NETWORK, QUESTION, "m.jsonl", "jsonl")
    sources: dict[str, Any] = {}
    whole, at = b"", 0
    for size in (4, 2):
        rows = join_rows(ROWS[at : at + size])
        given = [NUMBERS[at : at + size], bytes([1] * (size - 1) + [2])]
        pairs = zip((NODE, OTHER), given, strict=True)
        answers = [_signed(key, rows, one, 8 + at + number) for number, (key, one) in enumerate(pairs)]
        for one in answers:
            name, receipt = one.operator.name, one.receipt.statement
            counts = sources.get(name, {}).get("counts", {})
            add_counts(counts, receipt.counts)
            sources[name] = node_source(name, receipt, counts) | {"url": f"http://{name}.example"}
        answers = [replace(one, numbers=told(one.numbers)) for one in answers]
        merged, differing = strictest([one.numbers for one in answers])
        judged = Judged(merged, tuple(answers), differing)
        if not at:
            chain = bytes([2, *[1] * merged.count(1)])[: merged.count(1)]
            merged, overruled = with_chain(merged, chain)
            judged = replace(judged, numbers=merged, chain=chain, overruled=overruled)
        made.add(rows, judged)
        whole, at = whole + merged, at + size
    read = {"kind": "chain", "endpoint": "rpc.example", "block": 20, "block_hash": "ab" * 32}
    made.evidence = Evidence([*sources.values(), read | {"time": NOW}])
    return Document(made.to_json(), lambda value: _verified(folder, value, whole))


def offline_record(folder: Path) -> Document:
    """The record of a check with the snapshots of two operators, which is verified by repeating it."""
    bundle, paths = folder / "held.sayso", [folder / "north.snapshot", folder / "south.snapshot"]
    bundle.write_bytes(encode_bundle([encode(CONSENT)]))
    [bit] = a_consent(ITEMS).masks([2], ["train-ai"]).items()
    names = names_of_envelopes([CONSENT])
    states: list[Any] = [{ADA: {}}, {ADA: dict([bit])}]
    for path, key, state in zip(paths, (NODE, OTHER), states, strict=True):
        path.write_bytes(parts_of(state, named=names, key=key)[0].data)
    judge = OfflineJudge(paths, lambda: load_licenses(bundle, NETWORK), TRUSTED, QUESTION, lambda: NOW)
    made = Record(NETWORK, QUESTION, "m.jsonl", "jsonl")
    judged = judge.judge(join_rows(ROWS))
    made.add(join_rows(ROWS), judged)
    made.evidence = judge.evidence()
    again = paths, bundle
    return Document(made.to_json(), lambda value: _verified(folder, value, judged.numbers, again))
