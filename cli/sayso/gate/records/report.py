"""The report of a run: one HTML page for the people responsible, which loads no other files.

It shows the data set, the grantee, the purpose, the block and state, the number of rows that passed, the
reasons of the others, the signers, and what the check does not prove.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from sayso.gate.records.record import Record
from sayso_protocol.primitives import ANYONE, address_text, hex_text
from sayso_protocol.verdicts.query import Heed
from sayso_protocol.verdicts.verdict import Reason

MEANING: Final = {
    "granted": "A consent allows this use, and nobody entitled to revoke it has revoked it.",
    "revoked": "A person whose consent is needed has revoked it.",
    "expired": "The consent has expired.",
    "not-yet-valid": "The consent is not valid yet.",
    "purpose-not-granted": "The item was licensed, but not for this purpose.",
    "other-grantee": "The item was licensed to another grantee.",
    "incomplete": "Another person whose consent the item needs has not consented.",
    "unknown": "No such license is known, or it does not name the item.",
    "stale": "No source knew enough about this moment, or the answer does not last until the run ends.",
    "disputed": "Somebody whom the source heeds disputes the item or a contributor.",
    "withdrawn": "The item was passed on to the grantee, but no sublicense for this use is in force.",
}
PROVEN: Final = "The receipt proves that this check was made and what its result was."
UNPROVEN: Final = (
    "No node signed this result. With the snapshots and the consents, anybody can repeat the check."
)
LIMITS: Final = (
    "The check does not prove which rows a model was trained on, or what a model remembers.",
    "The check is valid for this moment. Check again before you train again.",
    "The check cannot contain a revocation that reached none of its sources.",
)
# The headings of the sources, and the labels of their fields.
KINDS: Final = {
    "node": "Node of {operator}",
    "snapshot": "Snapshot of {operator}",
    "bundle": "License bundle",
    "chain": "The chain, read directly",
}
REASON_LABELS: Final = {
    "url": "address",
    "node_key": "signed with the key",
    "id": "id of the snapshot",
    "block": "chain read up to block",
    "block_hash": "hash of that block",
    "state": "state digest, over all known revocations",
    "time": "on",
    "expires": "valid until",
    "keys": "keys of revoked bits",
    "licenses": "number of consents",
    "sublicenses": "number of sublicenses",
    "unverified": "left out, because only the chain can verify them",
    "digest": "digest over all hashes",
}
_HEX: Final = re.compile("(0x)?[0-9a-f]{40,}")
_POLICY: Final = (
    '<meta http-equiv="Content-Security-Policy"'
    " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#111}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem;margin:1.2rem 0 0}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ddd}
.fields th{width:13rem;font-weight:500}.fields td{overflow-wrap:anywhere}
td.n{text-align:right;font-variant-numeric:tabular-nums}
code{font-size:.8em;overflow-wrap:anywhere}
.verdict{padding:.8rem 1rem;border:2px solid;border-radius:.4rem;font-weight:600}
.clear{border-color:#17682f}.some{border-color:#9a4a00}
@media print{body{margin:0;max-width:none;font-size:11pt}
h2,h3{break-after:avoid}section,tr,.verdict{break-inside:avoid}}
"""


def html(record: Record) -> bytes:
    """Render a record as an HTML page, in UTF-8."""
    body = [
        "<h1>Check of a data set before use</h1>",
        _verdict(record),
        "<h2>Question</h2>",
        _table(_question(record)),
        "<h2>Result</h2>",
        _reasons(record),
        "<h2>Sources</h2>",
        _signers(record),
        *map(_source, record.evidence.sources),
        _disagreement(record),
        "<h2>How to verify this report</h2>",
        "<p>Keep it with the receipt, the manifest, the rejected rows and the network file; run:</p>",
        f"<p><code>{_command(record)}</code></p>",
        "<p>The receipt contains these roots over the rows and their reasons:</p>",
        _table(
            (f"part {at}, {_rows(part.rows)}", part.results_root)
            for at, part in enumerate(record.parts, 1)
        ),
        "<h2>What the check proves, and what it does not prove</h2>",
        _limits(UNPROVEN if record.is_offline else PROVEN, *LIMITS),
    ]
    title = escape(f"Check of {record.manifest}, run {record.question.run_id}")
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    page = f"<head>{_POLICY}{head}</head><body>{''.join(body)}</body>"
    return f'<!doctype html><html lang="en">{page}</html>\n'.encode("utf-8", "replace")


def _limits(*texts: str) -> str:
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in texts) + "</ul>"


def _verdict(record: Record) -> str:
    refused = record.rows - record.clear
    kind = "some" if refused else "clear"
    were = "was" if record.rows == 1 else "were"
    text = f"{_rows(record.rows)} {were} checked: {record.clear:,} may be used, {refused:,} may not."
    return f'<p class="verdict {kind}">{text}</p>'


def _question(record: Record) -> Iterable[tuple[str, object]]:
    question = record.question
    grantee = question.query.grantee
    yield "data set", f"{record.manifest} ({record.format})"
    yield "grantee", "anyone" if grantee == ANYONE else address_text(grantee)
    yield "purpose", question.query.purpose
    yield "run", question.run_id
    yield "when", moment(record.time)
    if question.run_until:
        yield "end of the run", moment(question.run_until)
    if record.until:
        yield "clear rows may be relied on until", moment(record.until)
    yield "disputes that count", _heeded(question.query.heed)
    yield "oldest view accepted", f"{question.max_age_s:,} seconds"
    yield "network", f"chain {record.network.chain_id}, registry {address_text(record.network.registry)}"


def _heeded(heed: Heed | None) -> str:
    if heed is None:
        return "of those whom each source heeds"
    return f"of {', '.join(map(address_text, heed))}" if heed else "none"


def _reasons(record: Record) -> str:
    head = "<tr><th>rows</th><th>reason</th><th>what it means</th></tr>"
    order = [one.value for one in Reason]
    rows = "".join(
        f'<tr><td class="n">{record.counts[name]:,}</td><td>{name}</td><td>{MEANING[name]}</td></tr>'
        for name in order
        if name in record.counts
    )
    return f"<table>{head}{rows}</table>"


def _signers(record: Record) -> str:
    who = ", ".join(record.evidence.signers)
    if record.is_offline:
        return f"<p>The check was offline, with snapshots signed by: {escape(who)}.</p>"
    return f"<p>Receipts for exactly these rows are signed by: {escape(who)}.</p>"


def _source(source: dict[str, Any]) -> str:
    """Render a heading and a table of a source, with the labels of LABELS."""
    kind = KINDS[source["kind"]].format_map({"operator": source.get("operator", "")})
    return f"<section><h3>{escape(kind)}</h3>{_table(_fields(source))}</section>"


def _fields(source: dict[str, Any]) -> Iterable[tuple[str, object]]:
    for name, value in source.items():
        if name == "counts":
            yield "answered", ", ".join(f"{rows:,} {reason}" for reason, rows in sorted(value.items()))
        elif name in {"time", "expires"}:
            yield REASON_LABELS[name], moment(value)
        elif name not in {"kind", "operator"}:
            is_count = isinstance(value, int) and name != "block"
            yield REASON_LABELS.get(name, name), f"{value:,}" if is_count else value


def _command(record: Record) -> str:
    command = "sayso receipt verify RECEIPT --manifest MANIFEST --rejected REJECTED"
    return f"{command} --offline SNAPSHOT --bundle CONSENTS" if record.is_offline else command


def _disagreement(record: Record) -> str:
    warnings = []
    if record.differing:
        warnings.append(
            f"The nodes disagree about {_rows(record.differing)}; the strictest answer counts."
        )
    if record.overruled:
        warnings.append(
            f"Refused, because the nodes call them granted but the chain has them as revoked:"
            f" {_rows(record.overruled)}."
        )
    return "".join(f"<p><strong>{escape(one)}</strong></p>" for one in warnings)


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _table(rows: Iterable[tuple[str, object]]) -> str:
    return '<table class="fields">' + "".join(map(_row, rows)) + "</table>"


def _row(row: tuple[str, object]) -> str:
    name, value = row
    text = hex_text(value) if isinstance(value, bytes) else str(value)
    shown = f"<code>{escape(text)}</code>" if _HEX.fullmatch(text) else escape(text)
    return f"<tr><th>{escape(name)}</th><td>{shown}</td></tr>"


def moment(seconds: float) -> str:
    """Format seconds since the epoch as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
