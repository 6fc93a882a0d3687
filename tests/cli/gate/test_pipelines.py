"""What a pipeline is told: JUnit XML, read by junitparser, and GitHub's workflow commands."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from junitparser import Failure, JUnitXml, Properties, TestSuite

from cli.conftest import QUERY, World
from cli.gate.conftest import Buyer
from sayso.gate.judges.base import Evidence
from sayso.gate.records.junit import junit
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles
from sayso_protocol.primitives import ANYONE
from sayso_protocol.receipts.question import Question
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason
from support.fake_node import NETWORK

TestSuite.__test__ = False  # pytest takes the name for ours
AWKWARD = os.fsdecode(b"a&<b>\"'`,:%|\x01\n\xc3\xa9\xff.jsonl")


def suite_of(path: Path) -> TestSuite:
    """The one suite of a document, as a server of pipelines adds it up."""
    found = JUnitXml.fromfile(str(path))
    (suite,) = list(found)
    found.update_statistics()  # type: ignore[no-untyped-call]
    assert (found.tests, found.failures) == (suite.tests, suite.failures)
    return suite


def cases_of(suite: TestSuite) -> dict[str, list[str]]:
    """Name of each case -> the types of its failures."""
    cases = list(suite)
    assert len(cases) == suite.tests
    assert all(type(one) is Failure for case in cases for one in case.result)
    assert sum(case.is_failure for case in cases) == suite.failures
    assert (suite.errors, suite.skipped) == (0, 0)
    return {case.name: [one.type for one in case.result] for case in cases}


def properties_of(suite: TestSuite) -> dict[str, str]:
    found = suite.child(Properties)  # type: ignore[no-untyped-call]
    return {one.name: one.value for one in found}


def test_junit_of_what_is_not_all_clear(buyer: Buyer) -> None:
    buyer.revoke()
    buyer.check("m.jsonl", "--run-id", "run 7", "--junit", "sayso.xml", status=3)
    suite = suite_of(buyer.folder / "sayso.xml")
    assert suite.name == "sayso check m.jsonl"
    assert cases_of(suite) == {"granted: 3 rows": [], "revoked: 1 rows": ["revoked"]}
    (failure,) = [one for case in suite for one in case.result]
    assert failure.message == "1 of 4 rows are not clear: revoked"
    told = {"grantee": "anyone", "purpose": "train-ai", "run_id": "run 7", "rows": "4"}
    assert properties_of(suite) == told | {"signed_by": "Fake"}


def test_junit_of_what_is_all_clear(buyer: Buyer) -> None:
    with buyer.gate() as gate:
        gate.check("m.jsonl", GateFiles(junit=Path("sayso.xml")))
    assert cases_of(suite_of(buyer.folder / "sayso.xml")) == {"granted: 4 rows": []}


def test_junit_of_every_reason(tmp_path: Path) -> None:
    question = Question(Query(ANYONE, "train-ai"), 60, AWKWARD)
    record = Record(NETWORK, question, AWKWARD, "jsonl", evidence=Evidence([], [AWKWARD]))
    record.counts = {one.value: one.number for one in Reason}
    path = tmp_path / "sayso.xml"
    path.write_bytes(junit(record))
    suite = suite_of(path)
    assert len(suite) == len(Reason)
    failed = [kind for kinds in cases_of(suite).values() for kind in kinds]
    assert sorted(failed) == sorted(one.value for one in Reason if one is not Reason.GRANTED)
    shown = AWKWARD.replace("\x01", "\N{REPLACEMENT CHARACTER}")
    shown = shown.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    assert suite.name == f"sayso check {shown}"


def test_where_there_is_no_result_there_is_no_file(buyer: Buyer) -> None:
    buyer.world.write("sayso.xml", b"<testsuites/>")
    nobody = ("--node", "http://127.0.0.1:1")
    buyer.world.fails("node-unreachable", "check", "m.jsonl", *QUERY, *nobody, "--junit", "sayso.xml")
    assert "sayso.xml" not in buyer.world.left()


class Annotation(NamedTuple):
    command: str
    fields: dict[str, str]
    message: str


def annotations(text: str) -> Iterator[Annotation]:
    """Workflow commands in a log, by the grammar of the runner (`::name key=value,...::message`)."""
    for line in text.splitlines():
        head, found, message = line.strip().removeprefix("::").partition("::")
        if line.strip().startswith("::") and found:
            name, _, fields = head.partition(" ")
            pairs = (one.split("=", 1) for one in fields.split(",") if one)
            yield Annotation(name, {key: unescaped(value) for key, value in pairs}, unescaped(message))


def unescaped(text: str) -> str:
    for code, character in {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}.items():
        text = text.replace(code, character)
    return text


@pytest.fixture
def summary(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As on a runner: what earlier steps said stays on the page."""
    path = buyer.world.write("summary.md", b"# Before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_annotations_and_the_summary(buyer: Buyer, summary: Path) -> None:
    assert not list(annotations(buyer.check("m.jsonl").stderr))
    buyer.revoke()
    said = buyer.check("m.jsonl", "--json", status=3)
    (one,) = annotations(said.stderr)
    assert one.command == "error"
    assert one.fields == {"file": "m.jsonl", "title": "sayso check"}
    assert one.message == "1 of 4 rows are not clear: revoked"
    assert json.loads(said.stdout)["clear"] == 3  # for programs, and not mixed with the commands
    page = summary.read_text()
    assert page.startswith("# Before\n### sayso check: `m.jsonl` for train-ai\n\n| rows | reason |\n")
    assert page.endswith("| 3 | granted |\n| 1 | revoked |\n\nSigned by Fake.\n")


def test_annotations_of_an_error(buyer: Buyer, summary: Path) -> None:
    said = buyer.world.fails("bad-manifest", "check", summary, *QUERY, "--out", "kept.jsonl").stderr
    (one,) = annotations(said)
    assert one.fields["file"] == str(summary)
    assert one.message.startswith("error [bad-manifest]: ")
    assert summary.read_text() == "# Before\n"


def test_nobody_else_is_annotated_to(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    buyer.revoke()
    assert "::" not in buyer.check("m.jsonl", status=3).stderr
    assert "::" not in buyer.world.fails("file-unreadable", "check", "missing", *QUERY).stderr


def test_a_name_that_would_break_every_format(buyer: Buyer, summary: Path) -> None:
    buyer.revoke()
    Path("m.jsonl").rename(AWKWARD)
    told = ("--junit", "sayso.xml", "--report", "report.html", "--receipt", "receipt.json")
    said = buyer.check(AWKWARD, *told, "--out", "kept.jsonl", status=3)
    (one,) = annotations(said.stderr)
    assert one.message == "1 of 4 rows are not clear: revoked"
    assert one.fields["file"] == AWKWARD.encode("utf-8", "replace").decode()
    assert suite_of(buyer.folder / "sayso.xml").failures == 1
    assert "| 1 | revoked |" in summary.read_text()


def test_a_summary_that_cannot_be_written_changes_no_result(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grant("a.jpg")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(world.folder / "no" / "summary.md"))
    world.run("check", "m.jsonl", *QUERY, "--out", "kept.jsonl")
    assert "kept.jsonl" in world.left()
