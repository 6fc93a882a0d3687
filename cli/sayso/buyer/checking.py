"""Checking a manifest: ask a node about every row, keep what is clear, say why the rest is not.

Default deny: a row is kept for one reason only, `granted`, stated by a node of the network file in a
signed receipt that binds exactly these rows and reasons. On any error nothing is written.

    manifest = load_manifest(Path("manifest.jsonl"))
    question = Question(Query(grantee, "train-ai"), manifest.rows, max_age_s=60, run_id="run 7")
    async with NodeClient(url, trusted) as node:
        answer = await ask(node, question)
    write_results(manifest, answer, CheckFiles(kept=Path("kept.jsonl")))
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sayso.buyer.manifest import ManifestRow, parse_row, raw_rows, read_manifest, row_line
from sayso.errors import ManifestChanged
from sayso.node_client.answers import CheckAnswer
from sayso.node_client.parsing import Question
from sayso.outputs import Outputs
from sayso_protocol.receipts.text import receipt_to_json
from sayso_protocol.verdicts.verdict import Reason, Row

POLL_S: Final = 2.0  # between repeats while a node confirms


class Checker(Protocol):
    """Checker answers a question; NodeClient does."""

    async def check(self, question: Question) -> CheckAnswer:
        """A verified answer."""
        ...


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was read: its rows in order, and the SHA-256 of its bytes."""

    path: Path
    rows: tuple[Row, ...]
    digest: bytes


@dataclass(frozen=True)
class CheckFiles:
    """Where results go; None leaves one out.

    Attributes:
        kept: The clear rows, byte for byte.
        rejected: The other rows, each with its `reason` and its `line` in the manifest.
        receipt: The signed receipt, as JSON.
    """

    kept: Path | None = None
    rejected: Path | None = None
    receipt: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """Those that are wanted."""
        return [path for path in (self.kept, self.rejected, self.receipt) if path is not None]


def load_manifest(path: Path) -> Manifest:
    """Read the rows; raises FileUnreadable and BadManifest."""
    sha = hashlib.sha256()
    rows = tuple(one.row for one in read_manifest(path, sha.update))
    return Manifest(path, rows, sha.digest())


async def ask(
    checker: Checker,
    question: Question,
    *,
    wait_s: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> CheckAnswer:
    """Ask until no row is `stale` or `wait_s` seconds are over; raises what NodeClient.check raises."""
    deadline = clock() + wait_s
    while True:
        answer = await checker.check(question)
        left = deadline - clock()
        if left <= 0 or Reason.STALE not in answer.reasons:
            return answer
        await sleep(min(POLL_S, left))


def write_results(manifest: Manifest, answer: CheckAnswer, files: CheckFiles) -> None:
    """Write the files, all or none of them; what stood under their names is replaced.

    Raises:
        ManifestChanged: The manifest is no longer what was checked.
        OutputFailed: A file cannot be written.
    """
    with Outputs() as outputs:
        # Moved into place in this order: the kept rows, that a training run looks for, come last.
        receipt, rejected, kept = (
            outputs.open(path) if path else None for path in (files.receipt, files.rejected, files.kept)
        )
        if receipt:
            text = json.dumps(receipt_to_json(answer.receipt), indent=2)
            receipt.write(text.encode() + b"\n")
        sha = hashlib.sha256()
        # Not strict: a manifest that grew or shrank is told by its digest, before anything is moved.
        lines = zip(raw_rows(manifest.path, sha.update), answer.reasons, strict=False)
        for (line, raw), reason in lines:
            if reason is Reason.GRANTED:
                if kept:
                    kept.write(raw)
            elif rejected:
                rejected.write(_rejected_line(parse_row(manifest.path, line, raw), reason))
        if sha.digest() != manifest.digest:
            raise ManifestChanged(f"{str(manifest.path)!r} changed while it was checked")
        outputs.commit()


def _rejected_line(row: ManifestRow, reason: Reason) -> bytes:
    return row_line({**row.fields, "reason": reason.value, "line": row.line})
