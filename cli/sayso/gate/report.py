"""A run as one HTML page for people who answer for it: nothing in it is loaded from elsewhere.

It says what was checked, for whom and what for, against which block and state, how many rows passed and
why the others did not, who signed, and what the check does not prove.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from sayso.gate.records import Record
from sayso_protocol.primitives import ANYONE, address_text, hex_text
from sayso_protocol.verdict import Reason

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
LIMITS: Final = (
    "It proves that this check was made and what was answered.",
    "It does not prove which rows a model was trained on, nor what a model remembers.",
    "It speaks of this moment. Whoever trains again checks again.",
    "Silence proves nothing: a revocation that reached none of those who were asked is not in it.",
)
_POLICY: Final = (
    '<meta http-equiv="Content-Security-Policy"'
    " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#111}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ddd}
td.n{text-align:right;font-variant-numeric:tabular-nums}
code{font-size:.85em;overflow-wrap:anywhere}
.verdict{padding:.8rem 1rem;border:2px solid;border-radius:.4rem;font-weight:600}
.clear{border-color:#17682f}.some{border-color:#9a4a00}
@media print{body{margin:0;max-width:none;font-size:11pt}h2,tr{break-inside:avoid}}
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
        *(_table(_source(one)) for one in record.evidence.sources),
        _disagreement(record),
        "<h2>How to check this page</h2>",
        "<p>Keep it with the receipt, the manifest, the refused rows and the network file, and run:</p>",
        "<p><code>sayso receipt verify RECEIPT --manifest MANIFEST --rejected REFUSED</code></p>",
        _table((f"part {at}, {part.rows:,} rows", part.root) for at, part in enumerate(record.parts, 1)),
        "<h2>What it does not prove</h2>",
        "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in LIMITS) + "</ul>",
    ]
    title = escape(f"Check of {record.manifest}, run {record.asked.run_id}")
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    page = f"<head>{_POLICY}{head}</head><body>{''.join(body)}</body>"
    return f'<!doctype html><html lang="en">{page}</html>\n'.encode("utf-8", "replace")


def _verdict(record: Record) -> str:
    refused = record.rows - record.clear
    kind = "some" if refused else "clear"
    text = f"{record.rows:,} rows were checked. {record.clear:,} may be used. {refused:,} may not."
    return f'<p class="verdict {kind}">{text}</p>'


def _question(record: Record) -> Iterable[tuple[str, object]]:
    asked = record.asked
    grantee = asked.query.grantee
    yield "data set", f"{record.manifest} ({record.format})"
    yield "who wants to use it", "anyone" if grantee == ANYONE else address_text(grantee)
    yield "what for", asked.query.purpose
    yield "run", asked.run_id
    yield "when", moment(record.time)
    yield "oldest view accepted", f"{asked.max_age_s:,} seconds"
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


def _source(source: dict[str, Any]) -> Iterable[tuple[str, object]]:
    for name, value in source.items():
        if name == "counts":
            yield "answered", ", ".join(f"{rows:,} {reason}" for reason, rows in sorted(value.items()))
        elif name in {"time", "expires"}:
            yield name, moment(value)
        else:
            yield name.replace("_", " "), value


def _disagreement(record: Record) -> str:
    told = []
    if record.differing:
        told.append(
            f"Those who were asked disagreed about {record.differing:,} rows: the strictest counts."
        )
    if record.overruled:
        told.append(
            f"Nodes called {record.overruled:,} rows granted that the chain has as revoked: refused."
        )
    return "".join(f"<p><strong>{escape(one)}</strong></p>" for one in told)


def _table(rows: Iterable[tuple[str, object]]) -> str:
    return "<table>" + "".join(map(_row, rows)) + "</table>"


def _row(row: tuple[str, object]) -> str:
    name, value = row
    shown = f"<code>{hex_text(value)}</code>" if isinstance(value, bytes) else escape(str(value))
    return f"<tr><th>{escape(name)}</th><td>{shown}</td></tr>"


def moment(seconds: float) -> str:
    """A time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
