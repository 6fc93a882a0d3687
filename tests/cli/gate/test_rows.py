"""Rows that are kept are kept byte for byte, whatever else they hold."""

import asyncio
import json
import os
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.gate.formats.base import Columns
from sayso.gate.formats.json_lines import JsonLines
from sayso.gate.formats.json_rows import granted_lines, parse_fields, row_line, salt_lines
from sayso.gate.judges.base import Evidence, Judge, Judged
from sayso.gate.judges.nodes import ask
from sayso.gate.names import ITEM_NAMES, LICENSE_NAMES
from sayso.gate.records.receipts import read_receipt, verify_receipt
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles, _behind, run
from sayso.node_client.answers import CheckAnswer
from sayso_protocol.primitives import ANYONE, hex_text
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.fake_node import FakeNode
from support.receipt_values import number_reasons
from support.waiting import DEADLINE_S

hashes = st.binary(min_size=32, max_size=32)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
extras = st.dictionaries(
    st.text().filter(lambda name: name not in {*LICENSE_NAMES, *ITEM_NAMES}), plain, max_size=4
)
ends = st.sampled_from([b"\n", b"\r\n", b"  \n", b"\n\n", b"\n \t\n"])
escapes = st.booleans()


@st.composite
def lines(draw: st.DrawFn) -> tuple[Row, bytes]:
    """A row and one way to write it."""
    row = Row(draw(hashes), draw(hashes))
    fields: list[tuple[str, Any]] = list(draw(extras).items())
    fields += [("license", hex_text(row.license)), ("item", hex_text(row.item))]
    ordered = dict(draw(st.permutations(fields)))
    space = draw(st.sampled_from(["", " ", "\t"]))
    text = json.dumps(ordered, ensure_ascii=draw(escapes), separators=("," + space, ":" + space))
    return row, space.encode() + text.encode("utf-8", "replace") + draw(ends)


manifests = st.lists(lines(), min_size=1, max_size=12)
QUESTION = Question(Query(ANYONE, "train-ai"), 60, "run")


class FixedJudge(Judge):
    """A judge whose reasons are given, signed for by a node."""

    def __init__(self, rows: list[Row], reasons: list[Reason]) -> None:
        self.rows, self.answer = rows, answered(rows, reasons)

    def judge(self, rows: bytes) -> Judged:
        assert rows == join_rows(self.rows)
        return Judged(self.answer.numbers, (self.answer,))

    def evidence(self) -> Evidence:
        return Evidence([{"kind": "node"}], ["fake"])


def answered(rows: list[Row], reasons: list[Reason]) -> CheckAnswer:
    node = FakeNode()
    body = {"max_age_s": 60, "run_id": QUESTION.run_id, "run_until": 0, "nonce": b""}
    receipt = node.receipt_for(body, QUESTION.query, rows, reasons)
    return CheckAnswer(number_reasons(reasons), receipt_from_json(receipt), node.trusted.operators[0])


@given(manifests, st.data(), st.booleans())
def test_split_and_verified(rows: list[tuple[Row, bytes]], data: st.DataObject, cut: bool) -> None:
    """Any manifest, any reasons: kept bytes are the manifest's; the files prove the receipt."""
    reasons = [data.draw(st.sampled_from(list(Reason))) for _ in rows]
    raw = b"".join(line for _, line in rows)
    raw = raw.rstrip() if cut else raw
    trusted = FakeNode().trusted
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "manifest.jsonl"
        path.write_bytes(raw)
        files = GateFiles(folder / "kept", folder / "why", folder / "receipt")
        judge = FixedJudge([row for row, _ in rows], reasons)
        record = Record(trusted.network, QUESTION, str(path), "jsonl")
        run(JsonLines(path, Columns()), judge, record, files, {})
        read = read_lines(path)
        granted = [raw for (_, raw), why in zip(read, reasons, strict=True) if why == "granted"]
        assert (folder / "kept").read_bytes() == b"".join(granted)
        check_rejected(folder, read, reasons)
        verify_receipt(read_receipt(folder / "receipt"), trusted, path, folder / "why")


def read_lines(path: Path) -> list[tuple[int, bytes]]:
    """The line and the bytes of each row."""
    batches = JsonLines(path, Columns()).batches(1 << 20)
    return [one for batch in batches for one in zip(*batch.content, strict=True)]


def check_rejected(folder: Path, rows: list[tuple[int, bytes]], reasons: list[Reason]) -> None:
    """Every other row is there with all its fields, its reason and its line."""
    rejected = [json.loads(line) for line in (folder / "why").read_bytes().splitlines()]
    pairs = [(one, why) for one, why in zip(rows, reasons, strict=True) if why != "granted"]
    told = [json.loads(raw) | {"reason": why, "line": number} for (number, raw), why in pairs]
    assert rejected == told


@given(st.dictionaries(st.text(st.characters(codec=None)), plain))
def test_our_own_rows_are_one_ascii_line(fields: dict[str, Any]) -> None:
    line = row_line(fields)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line) == fields


@given(st.binary(min_size=1), hashes, hashes)
def test_rows_of_files_with_any_name_are_read_again(name: bytes, item: bytes, other: bytes) -> None:
    file = os.fsdecode(name)
    (granted,), (salted,) = granted_lines([(file, item, other)]), salt_lines([(file, item, other)])
    for line, field in ((granted, "license"), (salted, "salt")):
        fields = parse_fields(Path("rows.jsonl"), 1, line)
        assert (fields["item"], fields[field]) == (hex_text(item), hex_text(other))
        assert fields["file"] == name.decode(errors="backslashreplace")


def test_a_caller_goes_on_while_few_batches_are_unwritten() -> None:
    go, done = threading.Event(), list[int]()
    with _behind(3) as write:
        write(lambda: expect(go))
        for number in range(2):
            write(partial(done.append, number))
        assert done == []
        go.set()
    assert done == [0, 1]


def expect(event: threading.Event) -> None:
    assert event.wait(DEADLINE_S)


def test_what_could_not_be_written_ends_the_run() -> None:
    with pytest.raises(ValueError, match="first"):
        write_two()


def write_two() -> None:
    with _behind(3) as write:
        write(partial(fail, "first"))
        write(partial(fail, "second"))


def fail(why: str) -> None:
    raise ValueError(why)


def test_asking_is_repeated_only_while_stale_and_in_time() -> None:
    row = Row(bytes(32), bytes(32))

    class Slow:
        now, asked = 0.0, 0

        async def check(self, question: Question, rows: bytes) -> CheckAnswer:
            assert (question, rows) == (QUESTION, join_rows([row]))
            self.asked += 1
            return answered([row], [Reason.STALE])

        async def sleep(self, seconds: float) -> None:
            self.now += seconds

    node = Slow()
    answer = asyncio.run(ask(node, QUESTION, join_rows([row]), 7, lambda: node.now, node.sleep))
    assert answer.reasons == (Reason.STALE,)
    assert (node.asked, node.now) == (5, 7.0)
