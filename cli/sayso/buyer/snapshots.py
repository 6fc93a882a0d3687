"""Snapshots on a buyer's disk: fetched from a node, verified before they get their name.

One file holds a snapshot and its deltas. What a file at hand has already is not fetched again; what
broke off is gone on with, because a file of a node never changes. Nothing that fails a check replaces
what was there, and neither does something older.

    async with Transport(url) as node:
        snapshot = await pull(node, path, trusted)
"""

import glob
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sayso.errors import BadAnswer, FileUnreadable, NoSnapshot, OutputFailed
from sayso.node_client.reading import bad_answers
from sayso.node_client.transport import NODE_ANSWER_BYTES, Transport
from sayso.outputs import output_errors, write_file
from sayso_node.api.schema.values import Snapshots
from sayso_protocol.errors import SaysoError
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.snapshots.snapshot import MAGIC, Part, Snapshot, read_parts, read_snapshot

Told = Callable[[int, int], None]  # bytes at hand, bytes in all
_ID: Final = 16 * "[0-9a-f]"  # as it stands in the name of a part


@dataclass(frozen=True)
class Offered:
    """A file that a node has.

    Attributes:
        name: Below /v1/snapshots/.
        id: SHA-256 of its head, 32 bytes.
        size: Bytes.
    """

    name: str
    id: bytes
    size: int


def load_snapshot(path: Path, trusted: NetworkFile) -> Snapshot:
    """Read and verify a file; raises FileUnreadable and what read_snapshot raises."""
    return read_snapshot(_read(path), trusted)


async def pull(
    node: Transport, path: Path, trusted: NetworkFile, told: Told = lambda _at_hand, _all: None
) -> Snapshot:
    """Fetch what a node offers and the file at `path` lacks; the file is replaced at once.

    Raises:
        NoSnapshot: The node has none, or none but older ones than the file.
        BadAnswer: The node sends something else than it listed. What it sent is removed.
        NodeUnreachable: It broke off; what came is kept, and gone on with next time.
        OutputFailed: It could not be written, or what is there was never a snapshot. See read_snapshot
            for the others.
    """
    _refuse_other(path)
    offered = read_index(await node.get("/v1/snapshots", Snapshots))
    if not offered:
        raise NoSnapshot("the node has no snapshot yet: it reads the chain and asks its peers first")
    kept = _kept(path, offered)
    size, at_hand = sum(one.size for one in offered), sum(len(part.data) for part in kept)
    for one in offered[len(kept) :]:
        done = at_hand
        part = await _fetch(node, one, path, lambda got, done=done: told(done + got, size))  # type: ignore[misc]
        kept.append(part)
        at_hand += one.size
    try:
        snapshot = Snapshot(kept, trusted)
        _refuse_older(path, snapshot, trusted)
        write_file(path, b"".join(part.data for part in kept))
    finally:  # of a download that was given up before, too
        for partial in path.parent.glob(glob.escape(f".{path.name[:100]}.") + _ID + ".part"):
            partial.unlink(missing_ok=True)
    return snapshot


def read_index(answer: Snapshots) -> list[Offered]:
    """What /v1/snapshots lists; raises BadAnswer."""
    found = []
    for one in answer.files:
        name = one.name
        if not name.isascii() or not name.replace("-", "").replace(".", "").isalnum():
            raise BadAnswer("the node lists a file whose name is none")
        with bad_answers():
            found.append(Offered(name, hash_from_text(one.id), one.bytes))
    if sum(one.size for one in found) > NODE_ANSWER_BYTES:
        raise BadAnswer("the node's snapshot is too long")
    return found


def _refuse_other(path: Path) -> None:
    """Raise OutputFailed for a file that is something else: it is not ours to replace."""
    with output_errors(path), suppress(FileNotFoundError), path.open("rb") as file:
        begun = file.read(len(MAGIC))
        if not MAGIC.startswith(begun):
            raise OutputFailed(f"{str(path)!r} is no snapshot; name another file or move it away")


def _kept(path: Path, offered: list[Offered]) -> list[Part]:
    """The parts of the file at hand with which the node's list begins."""
    try:
        parts = list(read_parts(path.read_bytes()))
    except (OSError, SaysoError):
        return []  # whatever is there: it is made anew
    same = [part.head.id == one.id for part, one in zip(parts, offered, strict=False)]
    return parts[: same.index(False) if False in same else len(same)]


async def _fetch(node: Transport, one: Offered, path: Path, told: Callable[[int], None]) -> Part:
    """One file, from where it broke off."""
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
                told(got)
        file.flush()
        os.fsync(file.fileno())
    return _part_of(partial, one, got)


def _part_of(partial: Path, one: Offered, got: int) -> Part:
    """What was fetched, if it is what was listed; else it is removed, to be fetched anew."""
    try:
        (part,) = read_parts(partial.read_bytes())
        if got != one.size or part.head.id != one.id:
            raise BadAnswer("the node sends another snapshot than it lists")
    except (SaysoError, ValueError) as error:
        partial.unlink()
        raise BadAnswer(f"the node does not send the snapshot that it lists: {error}") from error
    return part


def _partial(path: Path, one: Offered) -> Path:
    return path.with_name(f".{path.name[:100]}.{one.id[:8].hex()}.part")


def _refuse_older(path: Path, snapshot: Snapshot, trusted: NetworkFile) -> None:
    """A node that goes back in time would bring back what was revoked since."""
    try:
        before = load_snapshot(path, trusted)
    except SaysoError:
        return  # there is none, or none that is worth keeping
    ours, theirs = before.head.moment.as_of, snapshot.head.moment.as_of
    if before.operator == snapshot.operator and theirs < ours:
        raise NoSnapshot(f"the node's snapshot is of {theirs}, older than the file at hand: {ours}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"cannot read {str(path)!r}: {error.strerror}") from error


def snapshot_json(snapshot: Snapshot, size: int) -> dict[str, object]:
    """What a file says, for scripts."""
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
        "keys": snapshot.keys,
        "addresses": head.counts.addresses,
        "doubted": head.counts.doubted,
        "bytes": size,
    }
