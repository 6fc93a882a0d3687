"""Whether an earlier check serves for this one: the same question, bytes and licenses, later snapshots.

Every doubt is answered by a full check, with a sentence that says why.
"""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from sayso.gate.formats.base import Columns, Source
from sayso.gate.licenses import bundle_files
from sayso.gate.marks import index_of
from sayso.gate.since.index import Index, Meaning, Unfit, record_digest
from sayso.gate.since.keyed_marks import are_same
from sayso.gate.since.secret import existing_key
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text
from sayso_protocol.receipts.json_values import NetworkJson
from sayso_protocol.snapshots.offline_disputes import OfflineDisputes
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots
from sayso_protocol.verdicts.query import Query


def meaning_of(network: Network, query: Query, columns: Columns) -> Meaning:
    """Return what fixes the contents of an index."""
    reading = {"license": columns.license, "item": columns.item, **asdict(columns.dialect)}
    reading["labels"] = list(columns.dialect.labels)
    grantee = address_text(query.grantee)
    return Meaning(version("sayso"), NetworkJson.of(network), grantee, query.purpose, reading)


def ids_of(snapshots: Sequence[Snapshot]) -> list[list[str]]:
    """Return the ids of the parts of each snapshot."""
    return [[head.id.hex() for head in one.heads] for one in snapshots]


def fitting_index(
    record: Path, meaning: Meaning, source: Source, bundle: Path, snapshots: Snapshots, query: Query
) -> Index:
    """Return the index of an earlier check that serves for this one.

    Raises:
        Unfit: It does not serve; all rows must be judged.
        FileUnreadable: The record, or a file of manifest or bundle, cannot be read.
    """
    digest = record_digest(record)
    key = existing_key()
    index = Index(index_of(record), key)
    header = index.header
    if header.record != digest:
        raise Unfit("the record was changed since its index was written")
    if header.meaning.release != meaning.release:
        raise Unfit("another release of sayso made its index")
    if header.meaning != meaning:
        raise Unfit("it is for another network, grantee or purpose, or reads the manifest otherwise")
    if header.was_chosen:
        raise Unfit("its rows name no licenses, and the bundle may choose others now")
    _check_chain(header.snapshots, ids_of(snapshots.all))
    if key is None or not are_same(bundle_files(bundle), header.bundle, key):
        raise Unfit("the license bundle has changed")
    if not are_same(source.files, header.manifest, key):
        raise Unfit("the manifest has changed")
    heed = sorted(snapshots.heeded) if query.heed is None else query.heed
    if OfflineDisputes(heed, snapshots):
        raise Unfit("somebody who is heeded disputes something, which may be any row")
    return index


def _check_chain(before: list[list[str]], now: list[list[str]]) -> None:
    """Raise Unfit unless each snapshot of now begins with the parts of the same one before."""
    if len(before) != len(now) or any(
        new[: len(old)] != old for old, new in zip(before, now, strict=True)
    ):
        raise Unfit("the snapshots are not those of before with further deltas")
