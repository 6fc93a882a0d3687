"""The offline judge, which uses signed consents and signed snapshots, and discloses no rows.

A forged, incomplete, expired or too old snapshot raises an error before the first row. If a snapshot
becomes too old during a long run, the remaining rows are `stale`.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sayso.gate.formats.base import reading
from sayso.gate.judges.base import PART_ROWS, Evidence, Judged
from sayso.gate.licenses import LicenseBundle
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots, read_snapshot


class OfflineJudge:
    """OfflineJudge judges with the union of several operators' snapshots.

    Raises:
        FileUnreadable: A file cannot be read.
        SnapshotExpired, SnapshotTampered, MissingDelta: A snapshot is not valid now.
        WrongNetwork, UnknownSigner, BadSignature: No trusted operator signed it. See load_licenses.
    """

    part_rows = PART_ROWS

    def __init__(
        self,
        snapshots: Sequence[Path],
        licenses: Callable[[], LicenseBundle],
        trusted: NetworkFile,
        question: Question,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._read = [_read(path, trusted) for path in snapshots]
        for one in self._read:
            one.check_fresh(clock(), question.max_age_s)
        self._licenses = licenses()
        held = HeldLicenses(self._licenses.rows(), self._licenses.sublicenses.values())
        together = Snapshots(self._read)
        self._run_until = question.run_until
        self._gate = OfflineGate(held, together, question.query, max_age_s=question.max_age_s)

    def judge(self, rows: bytes) -> Judged:
        """Return a reason for every row."""
        now = int(self._clock())  # whole seconds, so that the record can name the time for a repetition
        judged = self._gate.judge(rows, now, self._run_until)
        return Judged(judged.reasons.tobytes(), time=now, until=judged.until)

    def evidence(self) -> Evidence:
        """Return the snapshots and the bundle."""
        bundle = {
            "kind": "bundle",
            "licenses": len(self._licenses.held),
            "sublicenses": len(self._licenses.sublicenses),
            "unverified": self._licenses.unverified,
            "digest": self._licenses.digest.hex(),
        }
        sources = [*map(_source, self._read), bundle]
        return Evidence(sources, [one.operator.name for one in self._read])

    def close(self) -> None:
        """Do nothing, because nothing is open."""


def _read(path: Path, trusted: NetworkFile) -> Snapshot:
    with reading(path):
        data = path.read_bytes()
    return read_snapshot(data, trusted)


def _source(snapshot: Snapshot) -> dict[str, Any]:
    head = snapshot.head
    moment = head.moment
    return {
        "kind": "snapshot",
        "operator": snapshot.operator.name,
        "node_key": head.node_key.hex(),
        "id": head.id.hex(),
        "block": moment.block.number,
        "block_hash": moment.block.hash.hex(),
        "state": moment.state.hex(),
        "time": moment.as_of,
        "expires": moment.expires_at,
        "keys": snapshot.keys,
    }
