"""The offline judge, which uses signed consents and signed snapshots, and discloses no rows.

A forged, incomplete, expired or too old snapshot raises an error before the first row. If a snapshot
becomes too old during a long run, the remaining rows are `stale`.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sayso.errors import FileUnreadable
from sayso.files import reading
from sayso.gate.judges.base import Evidence, Judge, Judged
from sayso.gate.licenses import LicenseBundle
from sayso_protocol.errors import TooLarge
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots, read_snapshot
from sayso_protocol.verdicts.license_table import Ints

SNAPSHOT_BYTES: Final = 256 * 1024 * 1024  # of a snapshot and its deltas
# Called with rows, the numbers of their reasons, and for each row its license and item in the bundle.
Note = Callable[[bytes, bytes, NDArray[np.int32], NDArray[np.uint16]], None]


class OfflineJudge(Judge):
    """OfflineJudge judges with the union of several operators' snapshots.

    Attributes:
        snapshots: The snapshots.
        note: Called with each part; None by default.

    Raises:
        FileUnreadable: A file cannot be read.
        SnapshotExpired, SnapshotTampered, MissingDelta: A snapshot is not valid now.
        WrongNetwork, UnknownSigner, BadSignature: No trusted operator signed it. See load_licenses.
    """

    def __init__(
        self,
        snapshots: Sequence[Path],
        licenses: Callable[[], LicenseBundle],
        trusted: NetworkFile,
        question: Question,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self.snapshots = read_snapshots(snapshots, trusted, clock(), question.max_age_s)
        self._licenses = licenses()
        held = HeldLicenses(self._licenses.rows(), self._licenses.sublicenses.values())
        self._table = held.table
        self.note: Note | None = None
        self._run_until = question.run_until
        self._gate = OfflineGate(held, self.snapshots, question.query, max_age_s=question.max_age_s)

    def judge(self, rows: bytes) -> Judged:
        """Return a reason for every row."""
        now = int(self._clock())  # whole seconds, so that the record can name the time for a repetition
        judged = self._gate.judge(rows, now, self._run_until)
        numbers = judged.reasons.tobytes()
        self._note(rows, numbers, judged.entries)
        return Judged(numbers, time=now, until=judged.until)

    def recall(self, rows: bytes, judged: Judged) -> None:
        """Note the rows only, because the evidence is of files."""
        if self.note:
            self._note(rows, judged.numbers, self._table.find(rows))

    def _note(self, rows: bytes, numbers: bytes, entries: Ints) -> None:
        if self.note:
            self.note(rows, numbers, *self._table.places(entries))

    def evidence(self) -> Evidence:
        """Return the snapshots and the bundle."""
        return evidence_of(self.snapshots, bundle_source(self._licenses))


def read_snapshots(
    paths: Sequence[Path], trusted: NetworkFile, now: float, max_age_s: float
) -> Snapshots:
    """Read snapshots that are valid now; raises as OfflineJudge."""
    read = [load_snapshot(path, trusted) for path in paths]
    for one in read:
        one.check_fresh(now, max_age_s)
    return Snapshots(read)


def evidence_of(snapshots: Snapshots, bundle: dict[str, Any]) -> Evidence:
    """Return snapshots and a bundle as evidence."""
    signers = [one.operator.name for one in snapshots.all]
    return Evidence([*map(_source, snapshots.all), bundle], signers)


def bundle_source(licenses: LicenseBundle) -> dict[str, Any]:
    """Return a bundle as a source."""
    return {
        "kind": "bundle",
        "licenses": len(licenses.held),
        "sublicenses": len(licenses.sublicenses),
        "unverified": licenses.unverified,
        "digest": licenses.digest.hex(),
    }


def load_snapshot(path: Path, trusted: NetworkFile) -> Snapshot:
    """Read and verify a file; raises FileUnreadable, TooLarge and the errors of read_snapshot."""
    with reading(path):
        found = path.stat()
        if not S_ISREG(found.st_mode):  # a pipe would make us wait, and a device never ends
            raise FileUnreadable(f"{str(path)!r} is not a regular file")
        if found.st_size > SNAPSHOT_BYTES:
            raise TooLarge(f"{str(path)!r} is larger than {SNAPSHOT_BYTES:,} bytes")
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
