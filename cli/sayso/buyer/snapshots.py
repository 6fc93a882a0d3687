"""Snapshots on a buyer's disk, fetched from a node and verified before they get their name.

One file holds a snapshot and its deltas. A pull fetches only the parts that the local file lacks, and
continues a broken download, because a node's file never changes. An invalid or older snapshot never
replaces the local file.

    async with Transport(url) as node:
        snapshot = await pull(node, path, trusted)
"""

import glob
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sayso.errors import BadAnswer, NoSnapshot, OutputFailed
from sayso.files import opening
from sayso.gate.judges.offline import SNAPSHOT_BYTES, load_snapshot
from sayso.node_client.reading import bad_answers
from sayso.node_client.transport import Transport
from sayso.outputs import output_errors, write_file
from sayso_node.api.schema.values import Snapshots
from sayso_protocol.errors import SaysoError
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_text, hash_from_text, hex_text
from sayso_protocol.snapshots.part import MAGIC, Part, read_parts
from sayso_protocol.snapshots.snapshot import Snapshot

Progress = Callable[[int, int], None]  # bytes received, bytes in total
_ID: Final = 16 * "[0-9a-f]"  # as in the name of a partial file


@dataclass(frozen=True)
class Offered:
    """Offered is a file that a node offers.

    Attributes:
        name: The file's name below /v1/snapshots/.
        id: SHA-256 of the file's head, 32 bytes.
        size: Size in bytes.
    """

    name: str
    id: bytes
    size: int


async def pull(
    node: Transport,
    path: Path,
    trusted: NetworkFile,
    progress: Progress = lambda _received, _total: None,
) -> Snapshot:
    """Fetch the parts that the file at `path` lacks, and replace the file atomically.

    Raises:
        NoSnapshot: The node has no snapshot, or only older ones than the file.
        BadAnswer: The node's data differ from its list; the data are removed.
        NodeUnreachable: The download broke off; the next pull continues it.
        OutputFailed: The file cannot be written, or is not a snapshot. See read_snapshot for the
            other errors.
    """
    _refuse_other(path)
    offered = read_index(await node.get("/v1/snapshots", Snapshots))
    if not offered:
        raise NoSnapshot(
            "the node has no snapshot yet; it first reads the chain and syncs with its peers"
        )
    kept = _kept(path, offered)
    size, at_hand = sum(one.size for one in offered), sum(len(part.data) for part in kept)
    for one in offered[len(kept) :]:
        done = at_hand
        part = await _fetch(node, one, path, lambda got, done=done: progress(done + got, size))  # type: ignore[misc]
        kept.append(part)
        at_hand += one.size
    try:
        snapshot = Snapshot(kept, trusted)
        _refuse_older(path, snapshot, trusted)
        write_file(path, b"".join(part.data for part in kept))
    finally:  # also remove the partial files of abandoned downloads
        for partial in path.parent.glob(glob.escape(f".{path.name[:100]}.") + _ID + ".part"):
            partial.unlink(missing_ok=True)
    return snapshot


def read_index(answer: Snapshots) -> list[Offered]:
    """Parse the list of /v1/snapshots; raises BadAnswer."""
    found = []
    for one in answer.files:
        name = one.name
        if not name.isascii() or not name.replace("-", "").replace(".", "").isalnum():
            raise BadAnswer("the node lists a file with an invalid name")
        with bad_answers():
            found.append(Offered(name, hash_from_text(one.id), one.bytes))
    if sum(one.size for one in found) > SNAPSHOT_BYTES:
        raise BadAnswer("the node's snapshot is too large")
    return found


def _refuse_other(path: Path) -> None:
    """Raise OutputFailed for a file that is not a snapshot, so that it is not replaced."""
    if not path.exists():
        return
    with opening(path, OutputFailed) as file:
        begun = file.read(len(MAGIC))
        if not MAGIC.startswith(begun):
            raise OutputFailed(f"{str(path)!r} is not a snapshot; name another file or move it away")


def _kept(path: Path, offered: list[Offered]) -> list[Part]:
    """Return the parts of the local file that match the beginning of the node's list."""
    try:
        parts = list(read_parts(path.read_bytes()))
    except (OSError, SaysoError):
        return []  # an invalid file is fetched anew
    same = [part.head.id == one.id for part, one in zip(parts, offered, strict=False)]
    return parts[: same.index(False) if False in same else len(same)]


async def _fetch(node: Transport, one: Offered, path: Path, progress: Callable[[int], None]) -> Part:
    """Fetch one file, continuing a broken download."""
    partial = _partial(path, one)
    with output_errors(partial), partial.open("ab") as file:
        got = file.tell()
        if got > one.size:
            file.truncate(got := 0)
        if got < one.size:
            async for chunk in node.stream(f"/v1/snapshots/{one.name}", got):
                got += len(chunk)
                if got > one.size:
                    break
                file.write(chunk)
                progress(got)
        file.flush()
        os.fsync(file.fileno())
    return _part_of(partial, one, got)


def _part_of(partial: Path, one: Offered, got: int) -> Part:
    """Return the fetched part if it matches the list; otherwise remove it and raise BadAnswer."""
    try:
        (part,) = read_parts(partial.read_bytes())
        if got != one.size or part.head.id != one.id:
            raise BadAnswer("the snapshot has another id or size")
    except (SaysoError, ValueError) as error:
        partial.unlink()
        raise BadAnswer(f"the node's snapshot does not match its list: {error}") from error
    return part


def _partial(path: Path, one: Offered) -> Path:
    return path.with_name(f".{path.name[:100]}.{one.id[:8].hex()}.part")


def _refuse_older(path: Path, snapshot: Snapshot, trusted: NetworkFile) -> None:
    """Raise NoSnapshot for an older snapshot, which would lack later revocations."""
    try:
        before = load_snapshot(path, trusted)
    except SaysoError:
        return  # there is no valid local file
    ours, theirs = before.head.moment.as_of, snapshot.head.moment.as_of
    if before.operator == snapshot.operator and theirs < ours:
        raise NoSnapshot(f"the node's snapshot ({theirs}) is older than the local file ({ours})")


def snapshot_json(snapshot: Snapshot, size: int) -> dict[str, object]:
    """Return the description of a snapshot as a JSON object."""
    head = snapshot.head
    return {
        "operator": snapshot.operator.name,
        "node_key": head.node_key.hex(),
        "id": hex_text(head.id),
        "as_of": head.moment.as_of,
        "time": head.moment.time,
        "expires_at": head.moment.expires_at,
        "block": {"number": head.moment.block.number, "hash": hex_text(head.moment.block.hash)},
        "state": hex_text(head.moment.state),
        "deltas": len(snapshot.heads) - 1,
        "heeds": [*map(address_text, head.heeded)],
        "keys": snapshot.keys,
        "named": snapshot.named,
        "bytes": size,
    }
