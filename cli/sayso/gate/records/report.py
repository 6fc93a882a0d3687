"""A run as one HTML page for people who answer for it: nothing in it is loaded from elsewhere.

It says what was checked, for whom and what for, against which block and state, how many rows passed and
why the others did not, who signed, and what the check does not prove.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from sayso.gate.records.record import Record
from sayso_protocol.primitives import ANYONE, address_text, hex_text
from sayso_protocol.verdicts.verdict import Reason

MEANING: Final = {
    "granted": "A consent allows this use, and nobody whose word counts has taken it back.",
    "revoked": "Somebody whose consent is needed has taken it back.",
    "expired": "The consent has ended.",
    "not-yet-valid": "The consent has not begun.",
    "purpose-not-granted": "The item was licensed, but not for this purpose.",
    "other-grantee": "The item was licensed to somebody else.",
    "incomplete": "Somebody else who is in it has not consented.",
    "unknown": "No such license is known, or it does not name the item.",
    "stale": "Nobody could speak for this moment.",
}
PROVEN: Final = "It proves that this check was made and what was answered."
UNPROVEN: Final = (
    "Nobody else signed for it. With the snapshots and the consents it can be done again, and checked."
)
LIMITS: Final = (
    "It does not prove which rows a model was trained on, nor what a model remembers.",
    "It speaks of this moment. Whoever trains again checks again.",
    "Silence proves nothing: a revocation that reached none of those who were asked is not in it.",
)
# What a source of the record is called for people, and what stands before its fields.
KINDS: Final = {
    "node": "Node of {operator}",
    "snapshot": "Snapshot of {operator}",
    "bundle": "Signed consents at hand",
    "chain": "The chain itself",
}
REASON_LABELS: Final = {
    "url": "asked at",
    "node_key": "signed with the key",
    "id": "name of the snapshot",
    "block": "chain read up to block",
    "block_hash": "hash of that block",
    "state": "digest of all revocations it knew",
    "time": "on",
    "expires": "good until",
    "keys": "revoked keys in it",
    "licenses": "how many",
    "unverified": "left out: only a chain could verify them",
    "digest": "digest over their names",
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
    """The page, in UTF-8."""
    body = [
        "<h1>Check of a data set before use</h1>",
        _verdict(record),
        "<h2>What was asked</h2>",
        _table(_question(record)),
        "<h2>What was answered</h2>",
        _reasons(record),
        "<h2>Who answered</h2>",
        _signers(record),
        *map(_source, record.evidence.sources),
        _disagreement(record),
        "<h2>How to check this page</h2>",
        "<p>Keep it with the receipt, the manifest, the refused rows and the network file, and run:</p>",
        f"<p><code>{_command(record)}</code></p>",
        "<p>The receipt binds these roots over the rows and what was answered about each:</p>",
        _table((f"part {at}, {_rows(part.rows)}", part.root) for at, part in enumerate(record.parts, 1)),
        "<h2>What it proves, and what it does not</h2>",
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
    text = f"{_rows(record.rows)} {were} checked. {record.clear:,} may be used. {refused:,} may not."
    return f'<p class="verdict {kind}">{text}</p>'


def _question(record: Record) -> Iterable[tuple[str, object]]:
    question = record.question
    grantee = question.query.grantee
    yield "data set", f"{record.manifest} ({record.format})"
    yield "who wants to use it", "anyone" if grantee == ANYONE else address_text(grantee)
    yield "what for", question.query.purpose
    yield "run", question.run_id
    yield "when", moment(record.time)
    yield "oldest view accepted", f"{question.max_age_s:,} seconds"
    yield "network", f"chain {record.network.chain_id}, registry {address_text(record.network.registry)}"


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
        return f"<p>Nobody was asked. It was looked up in what was signed before by: {escape(who)}.</p>"
    return f"<p>Signed for exactly these rows by: {escape(who)}.</p>"


def _source(source: dict[str, Any]) -> str:
    """A heading and a table; what a field is called for people stands in LABELS."""
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
    command = "sayso receipt verify RECEIPT --manifest MANIFEST --rejected REFUSED"
    return f"{command} --offline SNAPSHOT --bundle CONSENTS" if record.is_offline else command


def _disagreement(record: Record) -> str:
    told = []
    if record.differing:
        told.append(
            f"Those who were asked disagreed about {_rows(record.differing)}: the strictest counts."
        )
    if record.overruled:
        told.append(
            f"Nodes called {_rows(record.overruled)} granted that the chain has as revoked: refused."
        )
    return "".join(f"<p><strong>{escape(one)}</strong></p>" for one in told)


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
    """A time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
