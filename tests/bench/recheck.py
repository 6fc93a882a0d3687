"""A check since an earlier one beside a full check of the same rows: CPU time of both.

Every license has a hundred items. A thousandth of the licenses was revoked before; since then, one file
in ten thousand was: 1,000 of 10 million. Both checks write a record.
"""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from coincurve import PrivateKey
from nacl.signing import SigningKey

from bench.figure import Figure
from sayso.contributor.saved_messages import bundle_bytes
from sayso.gate.gate import Gate
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import ANYONE, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.fuse_filter import Keys
from sayso_protocol.snapshots.hash_list import license_key, person_key
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.keys import as_keys, bit_key, permissions_key, sorted_keys
from support.protocol_strategies import NETWORK, a_consent, address_of, sign_digest
from support.snapshot_making import Content, make_delta, make_snapshot

ROWS = int(os.environ.get("SAYSO_BENCH_RECHECK_ROWS", "10000000"))
ITEMS = 100  # of a license
REVOKED_EVERY = 1_000  # licenses
NEW_EVERY = 10_000  # rows
FILE_LICENSES = 10_000
GROUP_ROWS = 1_000_000
DAY_S = 86_400
KEY = SigningKey(sha256(b"bench recheck"))


class Place:
    """A folder with a bundle, a manifest and a snapshot; `learn` appends the delta."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, int(time.time())
        self.licenses: list[tuple[bytes, Consent]] = []
        (folder / "bundle").mkdir()
        with pq.ParquetWriter(folder / "rows.parquet", _schema()) as rows:
            for at in range(0, ROWS // ITEMS, FILE_LICENSES):
                some = [self._license(one) for one in range(at, min(at + FILE_LICENSES, ROWS // ITEMS))]
                for start in range(0, len(some), 1_000):
                    name = f"{at + start:09}.sayso"
                    (folder / "bundle" / name).write_bytes(bundle_bytes(some[start : start + 1_000]))
                rows.write_table(_table(some), row_group_size=GROUP_ROWS)
                self.licenses += [(one.digest, one.message) for one in some]  # type: ignore[misc]
        old = [(one, 0) for one in range(0, len(self.licenses), REVOKED_EVERY)]
        names = [license_key(name) for name, _ in self.licenses]
        names += [person_key(one.contributor) for _, one in self.licenses]
        content = Content(self._keys(old), names)
        salts = (sha256(b"salt %d" % one)[:16] for one in range(64))
        self.first = make_snapshot(KEY, NETWORK, self._moment(), content, salts)
        self.path = folder / "s.snapshot"
        self.path.write_bytes(self.first.data)

    def _license(self, number: int) -> Envelope:
        key = PrivateKey(sha256(b"bench %d" % number))
        who = address_of(key)
        items = tuple(sha256(b"%d/%d" % (number, index)) for index in range(ITEMS))
        times = {"issued_at": self.now - DAY_S, "expires_at": self.now + 30 * DAY_S}
        message = a_consent(items, contributor=who, parties=(who,), grantee=ANYONE, **times)
        return Envelope(message, NETWORK, sign_digest(key, digest(message, NETWORK)), items)

    def _keys(self, places: Iterable[tuple[int, int]]) -> Keys:
        return sorted_keys(as_keys(b"".join(self._joined(places))))

    def _joined(self, places: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        for number, item in places:
            _, consent = self.licenses[number]
            for word, mask in consent.masks([item], ["train-ai"]).items():
                yield permissions_key(consent.contributor)
                yield bit_key(consent.contributor, word, mask.bit_length() - 1)

    def _moment(self) -> SnapshotMoment:
        point = ChainPoint(1, sha256(b"block"))
        return SnapshotMoment(sha256(b"state"), point, self.now, self.now, self.now + DAY_S)

    def learn(self) -> int:
        """Append a delta of new revocations; returns their number."""
        count = ROWS // NEW_EVERY
        step = len(self.licenses) // count
        news = Content(self._keys((one * step + 1, 7) for one in range(count)))
        made = make_delta(
            KEY, NETWORK, self._moment(), news, sha256(b"d")[:16], self.first.head, self.first.head.salt
        )
        self.path.write_bytes(self.first.data + made.data)
        return count

    def check(
        self, receipt: str, since: str | None = None, *, index: bool = False
    ) -> tuple[float, Record]:
        """The CPU seconds of a check, and its record."""
        trusted = NetworkFile(NETWORK, 1, 0, (Operator("bench", bytes(KEY.verify_key)),))
        files = GateFiles(receipt=self.folder / receipt, with_index=index)
        begun = time.process_time()
        options = {"offline": [self.path], "bundle": self.folder / "bundle", "max_age_s": DAY_S}
        with Gate("anyone", "train-ai", network=trusted, run_id="bench", **options) as gate:  # type: ignore[arg-type]
            before = self.folder / since if since else None
            record = gate.check(self.folder / "rows.parquet", files, since=before)
        return time.process_time() - begun, record


def _schema() -> pa.Schema:
    return pa.schema({"license": pa.binary(32), "item": pa.binary(32), "caption": pa.string()})


def _table(some: list[Envelope]) -> pa.Table:
    names = [one.digest for one in some for _ in one.items]
    items = [item for one in some for item in one.items]
    captions = [f"somebody says number {item[:4].hex()} aloud" for item in items]
    columns = {"license": pa.array(names, pa.binary(32)), "item": pa.array(items, pa.binary(32))}
    return pa.table({**columns, "caption": pa.array(captions)}, schema=_schema())


def figures() -> list[Figure]:
    """gate.recheck_share"""
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_STATE_HOME"] = name
        place = Place(Path(name))
        place.check("before.json", index=True)
        count = place.learn()
        full_s, full = place.check("full.json")
        since_s, since = place.check("since.json", "before.json")
    if since.counts != full.counts or len(since.notes) != 1 or "since" not in since.notes[0]:
        raise AssertionError("another result, or a full check")
    limit = f"0.05; {ROWS:,} rows of Parquet, {count:,} files revoked since; {since.notes[0]}"
    peers = {"full check, CPU s": full_s, "check since, CPU s": since_s}
    return [Figure("gate.recheck_share", since_s / full_s, "x", "lower", peers, limit)]
