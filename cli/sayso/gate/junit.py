"""A run as JUnit XML, for pipelines that show test results: a case a reason, failed if not clear."""

from xml.sax.saxutils import quoteattr

from sayso.gate.records import Record
from sayso_protocol.verdict import Reason


def junit(record: Record) -> bytes:
    """The document, in UTF-8."""
    refused = {name: rows for name, rows in record.counts.items() if name != Reason.GRANTED}
    cases = [_case(record, Reason.GRANTED.value, record.clear)]
    cases += [_case(record, name, rows) for name, rows in sorted(refused.items())]
    head = f"tests={quoteattr(str(len(cases)))} failures={quoteattr(str(len(refused)))}"
    name = quoteattr(f"sayso check {record.manifest}")
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name={name} {head}>\n'
    return (text + "".join(cases) + "</testsuite>\n").encode()


def _case(record: Record, reason: str, rows: int) -> str:
    where = quoteattr(f"{record.manifest} for {record.asked.query.purpose}")
    head = f"  <testcase classname={where} name={quoteattr(f'{reason}: {rows} rows')}"
    if reason == Reason.GRANTED:
        return head + "/>\n"
    message = quoteattr(f"{rows} of {record.rows} rows are not clear: {reason}")
    return f"{head}>\n    <failure type={quoteattr(reason)} message={message}/>\n  </testcase>\n"
