"""Judgement of indexed rows: in columns where nobody touched the license, and else by the offline gate.

Rows of a license that belongs to one person, needs no sublicense, and whose people have revoked
nothing all have one reason, which its terms and the names in the snapshots give. All other rows are
judged one by one, except those that were revoked before: a file that only grew has them still.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso.errors import ManifestChanged
from sayso.files import opening
from sayso.gate.judges.base import Evidence, Judge, Judged
from sayso.gate.judges.verdicts import GRANTED
from sayso.gate.licenses import bundle_files
from sayso.gate.since.index import Block, Index, IndexWriter
from sayso_protocol.encoding.row_tree import (
    NODE_ROWS,
    ROW_BYTES,
    results_nodes,
    results_root,
    results_root_of,
)
from sayso_protocol.errors import BadProof
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.receipts.question import Question
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.offline_chains import HeldSublicense
from sayso_protocol.snapshots.snapshot import Snapshots
from sayso_protocol.verdicts.chains import Hop
from sayso_protocol.verdicts.license_table import ABSENT, Ints
from sayso_protocol.verdicts.verdict import Reason

_REVOKED = Reason.REVOKED.number
_ITEM_BITS = 16
_REMEMBERED = 1 << 22  # items whose reasons are remembered, 9 bytes each


class Rechecked(NamedTuple):
    """Rechecked is a part of the manifest, judged for now.

    Attributes:
        block: Its rows with the reasons of now.
        root: The root of its results.
        until: Until when its granted rows may be relied on; 0 without one.
        changed: The number of rows with another reason than before.
        judged: The number of rows that were judged row by row.
    """

    block: Block
    root: bytes
    until: int
    changed: int
    judged: int


class Recheck:
    """Recheck judges the rows of an index for one second."""

    def __init__(
        self,
        index: Index,
        bundle: Path,
        network: Network,
        snapshots: Snapshots,
        question: Question,
        now: int,
    ) -> None:
        self.now, self._index, self._snapshots = now, index, snapshots
        self._question, self._query = question, question.query
        self._messages = _Messages(index, bundle, network)
        some = index.tables.licenses
        self._is_quiet = some["is_alone"] & ~index.tables.touched(snapshots)
        reasons, self._until = self._by_license()
        # The last place is of rows without a license, whose number is ABSENT.
        self._reasons = np.append(reasons, np.uint8(Reason.UNKNOWN.number))
        self._left = np.append(~self._is_quiet, False)
        self._carried = np.append(some["is_alone"], False)
        # Items of licenses of one person that were judged, ascending, and the reasons of each.
        self._pairs, self._found = np.array([-1], np.int64), np.zeros(1, np.uint8)

    def _by_license(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return the reason of each quiet license, and until when it may be relied on (13.10.3)."""
        some, tables, now = self._index.tables.licenses, self._index.tables, self.now
        table = tables.terms(self._query)
        reasons = table.terms(self._query, now, np.arange(len(some)))
        as_of = self._snapshots.as_of
        recheck = table.licenses["recheck"]
        until = np.minimum(table.licenses["expires"], as_of + recheck).astype(np.float64)
        unsure = ~tables.named(self._snapshots) | (some["issued"] > as_of)
        unsure |= ~(until >= max(now, self._question.run_until))
        if not self._snapshots.is_fresh(now, self._question.max_age_s) or not self._is_sure:
            unsure[:] = True
        reasons[(reasons == GRANTED) & unsure] = Reason.STALE.number
        return reasons, until

    @property
    def _is_sure(self) -> bool:
        """Return whether every file heeds all addresses of the query (rule 13.10.6)."""
        return self._snapshots.heeded.issuperset(self._query.heed or ())

    def parts(self) -> Iterator[Rechecked]:
        """Yield the parts in order; raises Unfit if the index changes meanwhile."""
        for number in range(len(self._index.header.blocks)):
            yield self._part(self._index.block(number))

    def _left_of(self, block: Block) -> Ints:
        """Return the rows that must be judged row by row."""
        left = self._left[block.owner]
        left &= ~(self._carried[block.owner] & (block.numbers == _REVOKED))
        return np.flatnonzero(left)

    @cached_property
    def _gate(self) -> OfflineGate:
        """Return a gate over the licenses of all such rows, and over those that their reasons need."""
        used = np.zeros(len(self._left), bool)
        for number in range(len(self._index.header.blocks)):
            block = self._index.block(number)
            used[block.owner[self._left_of(block)]] = True
        used[:-1] |= ~self._index.tables.licenses["is_alone"]
        held = HeldLicenses(
            map(self._messages.license, np.flatnonzero(used[:-1]).tolist()),
            self._messages.sublicenses(),
        )
        return OfflineGate(held, self._snapshots, self._query, max_age_s=self._question.max_age_s)

    def _part(self, block: Block) -> Rechecked:
        numbers, left = self._reasons[block.owner], self._left_of(block)
        carried = self._left[block.owner]
        carried[left] = False
        numbers[carried] = _REVOKED
        quiet = block.owner[(numbers == GRANTED) & ~self._left[block.owner]]
        untils = [int(self._until[quiet].min())] if len(quiet) else []
        if len(left):
            pairs = (block.owner[left].astype(np.int64) << _ITEM_BITS) | block.position[left]
            distinct, back = np.unique(pairs, return_inverse=True)
            found, until = self._judged(distinct)
            numbers[left] = found[back]
            untils += [until] * bool(until)
        changed = np.flatnonzero(numbers != block.numbers)
        nodes = self._nodes(block, numbers, changed)
        new = block._replace(numbers=numbers, nodes=nodes)
        until = min(untils, default=0)
        return Rechecked(new, results_root_of(nodes), until, len(changed), len(left))

    def _judged(self, pairs: NDArray[np.int64]) -> tuple[NDArray[np.uint8], int]:
        """Return the reasons of items, and until when granted ones may be relied on."""
        at = np.searchsorted(self._pairs, pairs)
        at[at == len(self._pairs)] = 0
        new = self._pairs[at] != pairs
        reasons = self._found[at]
        again = pairs[~new & (reasons == GRANTED)] >> _ITEM_BITS
        untils = [int(self._until[again].min())] if len(again) else []
        if new.any():
            owner = pairs[new] >> _ITEM_BITS
            rows = self._messages.rows(owner, pairs[new] & ((1 << _ITEM_BITS) - 1))
            judged = self._gate.judge(rows.tobytes(), self.now, self._question.run_until)
            reasons[new] = judged.reasons
            untils += [judged.until] * bool(judged.until)
            # Others depend on further licenses, which say until when they may be relied on.
            alone = new & self._index.tables.licenses["is_alone"][pairs >> _ITEM_BITS]
            self._remember(pairs[alone], reasons[alone])
        return reasons, min(untils, default=0)

    def _remember(self, pairs: NDArray[np.int64], reasons: NDArray[np.uint8]) -> None:
        if len(self._pairs) + len(pairs) > _REMEMBERED:
            return
        joined = np.concatenate([self._pairs, pairs])
        order = np.argsort(joined, kind="stable")
        self._pairs, self._found = joined[order], np.concatenate([self._found, reasons])[order]

    def _nodes(self, block: Block, numbers: NDArray[np.uint8], changed: Ints) -> bytes:
        """Return the lowest nodes of the results tree, of which only those of changed rows are new."""
        if not len(changed):
            return block.nodes
        groups = np.unique(changed // NODE_ROWS)
        at = (groups[:, None] * NODE_ROWS + np.arange(NODE_ROWS)).ravel()
        at = at[at < len(numbers)]  # only the last group is shorter
        rows = np.empty((len(at), ROW_BYTES), np.uint8)
        absent = block.owner[at] == ABSENT
        which = np.searchsorted(np.flatnonzero(block.owner == ABSENT), at[absent])
        rows[absent] = np.frombuffer(block.unknown, np.uint8).reshape(-1, ROW_BYTES)[which]
        held = at[~absent]
        rows[~absent] = self._messages.rows(block.owner[held], block.position[held])
        nodes = np.frombuffer(block.nodes, np.uint8).reshape(-1, HASH_BYTES).copy()
        new = results_nodes(rows.tobytes(), numbers[at].tobytes())
        nodes[groups] = np.frombuffer(new, np.uint8).reshape(-1, HASH_BYTES)
        return nodes.tobytes()


class _Messages:
    """_Messages reads messages of a verified bundle again, each by its place and its digest."""

    def __init__(self, index: Index, bundle: Path, network: Network) -> None:
        self._tables, self._network = index.tables, network
        self._files = bundle_files(bundle)
        self._read: dict[int, tuple[bytes, Consent, tuple[bytes, ...]]] = {}

    def _message(self, row: Any) -> Envelope:
        path = self._files[int(row["file"])]
        with opening(path) as file:
            file.seek(int(row["start"]))
            envelope = decode(file.read(int(row["size"])), self._network)
        if envelope.digest != row["name"].tobytes():
            raise BadProof(f"{str(path)!r} has another message than when it was checked")
        return envelope

    def license(self, number: int) -> tuple[bytes, Consent, tuple[bytes, ...]]:
        """Return name, consent and items of a license; its signature was verified for the index."""
        if number not in self._read:
            envelope = self._message(self._tables.licenses[number])
            consent = as_kind(envelope.message, Consent)
            self._read[number] = (envelope.digest, consent, envelope.items)
        return self._read[number]

    def sublicenses(self) -> list[HeldSublicense]:
        """Return all sublicenses of the bundle."""
        found = map(self._message, self._tables.sublicenses)
        return [
            HeldSublicense(Hop(one.digest, as_kind(one.message, Sublicense)), one.items) for one in found
        ]

    def rows(self, owner: NDArray[Any], position: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the rows of items of licenses, shape (n, 64)."""
        rows = np.empty((len(owner), ROW_BYTES), np.uint8)
        order = np.argsort(owner, kind="stable")
        used, starts = np.unique(owner[order], return_index=True)
        for number, some in zip(used.tolist(), np.split(order, starts[1:]), strict=True):
            name, _, items = self.license(number)
            hashes = np.frombuffer(b"".join(items), np.uint8).reshape(-1, HASH_BYTES)
            rows[some, :HASH_BYTES] = np.frombuffer(name, np.uint8)
            rows[some, HASH_BYTES:] = hashes[position[some]]
        return rows


class SinceJudge(Judge):
    """SinceJudge gives the reasons of a recheck to rows that are read again for the outputs."""

    def __init__(self, recheck: Recheck, evidence: Evidence, index: IndexWriter | None) -> None:
        self._parts, self._now = recheck.parts(), recheck.now
        self._evidence, self._index = evidence, index
        self.changed = self.judged = 0

    def next(self) -> Rechecked | None:
        """Return the next part, and keep it for the next index; None at the end."""
        found = next(self._parts, None)
        if found and self._index:
            self._index.add(found.block)
        self.changed += found.changed if found else 0
        self.judged += found.judged if found else 0
        return found

    def judge(self, rows: bytes) -> Judged:
        """Return the reasons of the next part; raises ManifestChanged for other rows."""
        found = self.next()
        numbers = found.block.numbers.tobytes() if found else b""
        if (
            not found
            or len(rows) != len(numbers) * ROW_BYTES
            or results_root(rows, numbers) != found.root
        ):
            raise ManifestChanged("the manifest has other rows than when it was checked before")
        return Judged(numbers, time=self._now, until=found.until)

    def evidence(self) -> Evidence:
        """Return the snapshots and the bundle."""
        return self._evidence
