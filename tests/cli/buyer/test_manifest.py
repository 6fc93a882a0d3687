"""Rows that are kept are kept byte for byte, whatever else they hold."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sayso.buyer.checking import CheckFiles, load_manifest, write_results
from sayso.buyer.manifest import read_manifest, row_line
from sayso.buyer.verifying import verify_receipt
from sayso.node_client.answers import CheckAnswer
from sayso_protocol.primitives import ANYONE, hex_text
from sayso_protocol.receipts.receipt import number_reasons
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.verdict import Query, Reason, Row
from support.fake_node import FakeNode

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
    st.text().filter(lambda name: name not in {"license", "item"}), plain, max_size=4
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


@given(manifests, st.data(), st.booleans())
def test_split_and_verified(rows: list[tuple[Row, bytes]], data: st.DataObject, cut: bool) -> None:
    """Any manifest, any reasons: kept bytes are the manifest's; the files prove the receipt."""
    reasons = [data.draw(st.sampled_from(list(Reason))) for _ in rows]
    raw = b"".join(line for _, line in rows)
    raw = raw.rstrip() if cut else raw
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "manifest.jsonl"
        path.write_bytes(raw)
        manifest = load_manifest(path)
        assert list(manifest.rows) == [row for row, _ in rows]
        answer = answered(manifest.rows, tuple(reasons))
        files = CheckFiles(folder / "kept", folder / "why", folder / "receipt")
        write_results(manifest, answer, files)
        kept = (folder / "kept").read_bytes()
        expected = [
            one.raw for one, why in zip(read_manifest(path), reasons, strict=True) if why == "granted"
        ]
        assert kept == b"".join(expected)
        check_rejected(folder, reasons)
        verify_receipt(answer.receipt, FakeNode().trusted, path, folder / "why")


def answered(rows: tuple[Row, ...], reasons: tuple[Reason, ...]) -> CheckAnswer:
    node = FakeNode()
    body = {"max_age_s": 60, "run_id": "run"}
    receipt = node.receipt_for(body, Query(ANYONE, "train-ai"), list(rows), list(reasons))
    return CheckAnswer(number_reasons(reasons), receipt_from_json(receipt), node.trusted.operators[0])


def check_rejected(folder: Path, reasons: list[Reason]) -> None:
    """Every other row is there with all its fields, its reason and its line."""
    said = [json.loads(line) for line in (folder / "why").read_bytes().splitlines()]
    rows = list(read_manifest(folder / "manifest.jsonl"))
    pairs = [(one, why) for one, why in zip(rows, reasons, strict=True) if why != "granted"]
    assert said == [one.fields | {"reason": why, "line": one.line} for one, why in pairs]


@given(st.dictionaries(st.text(st.characters(codec=None)), plain))
def test_our_own_rows_are_one_ascii_line(fields: dict[str, Any]) -> None:
    line = row_line(fields)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line) == fields


def test_asking_is_repeated_only_while_stale_and_in_time() -> None:
    from sayso.buyer.checking import ask
    from sayso.node_client.parsing import Question

    class Slow:
        now, asked = 0.0, 0

        async def check(self, question: Question) -> CheckAnswer:
            self.asked += 1
            return answered((Row(bytes(32), bytes(32)),), (Reason.STALE,))

        async def sleep(self, seconds: float) -> None:
            self.now += seconds

    node = Slow()
    question = Question(Query(ANYONE, "train-ai"), [Row(bytes(32), bytes(32))], 60, "run")
    answer = asyncio.run(ask(node, question, wait_s=7, clock=lambda: node.now, sleep=node.sleep))
    assert answer.reasons == (Reason.STALE,)
    assert (node.asked, node.now) == (5, 7.0)
