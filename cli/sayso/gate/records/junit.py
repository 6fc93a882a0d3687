"""JUnit XML for pipelines that show test results: a test case for each reason, failed if not clear.

The file exists only if there is a result. A check that ends with an error writes none.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import quoteattr

from sayso.gate.records.record import Record
from sayso_protocol.primitives import ANYONE, address_text
from sayso_protocol.verdicts.verdict import Reason

# Characters that XML 1.0 cannot express: control characters and halves of surrogate pairs.
_NO_CHARACTER: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(record: Record) -> bytes:
    """Render a record as a JUnit document, in UTF-8."""
    refused = {name: rows for name, rows in record.counts.items() if name != Reason.GRANTED}
    cases = [_case(record, Reason.GRANTED.value, record.clear)]
    cases += [_case(record, name, rows) for name, rows in sorted(refused.items())]
    suite = {
        "name": f"sayso check {record.manifest}",
        "tests": len(cases),
        "failures": len(refused),
        "errors": 0,
        "skipped": 0,
        "timestamp": datetime.fromtimestamp(record.time, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    body = "".join([_properties(_facts(record)), *cases])
    text = f"<testsuites>\n<testsuite{_attributes(suite)}>\n{body}</testsuite>\n</testsuites>\n"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the properties."""
    query = record.question.query
    yield "grantee", "anyone" if query.grantee == ANYONE else address_text(query.grantee)
    yield "purpose", query.purpose
    yield "run_id", record.question.run_id
    yield "rows", str(record.rows)
    for name in record.evidence.signers:
        yield "signed_by", name


def _properties(facts: Iterable[tuple[str, str]]) -> str:
    lines = (f"  <property{_attributes({'name': name, 'value': value})}/>\n" for name, value in facts)
    return f"<properties>\n{''.join(lines)}</properties>\n"


def _case(record: Record, reason: str, rows: int) -> str:
    where = f"{record.manifest} for {record.question.query.purpose}"
    head = f"  <testcase{_attributes({'classname': where, 'name': f'{reason}: {rows} rows'})}"
    if reason == Reason.GRANTED:
        return head + "/>\n"
    message = f"{rows} of {record.rows} rows are not clear: {reason}"
    return f"{head}>\n    <failure{_attributes({'type': reason, 'message': message})}/>\n  </testcase>\n"


def _attributes(named: dict[str, object]) -> str:
    return "".join(f" {name}={quoteattr(_text(value))}" for name, value in named.items())


def _text(value: object) -> str:
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", str(value))
