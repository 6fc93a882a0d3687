"""`sayso snapshot`: fetch and verify an operator's snapshot of revocations, for offline checks."""

import asyncio
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from sayso.buyer.snapshots import pull, snapshot_json
from sayso.commands.lazy import Group
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import PATH, json_option, network_option, path_option
from sayso.commands.text import example, moment, say, say_json, several
from sayso.commands.types import duration
from sayso.explain.sentences import listed
from sayso.gate.judges.offline import load_snapshot
from sayso.networks import load_network
from sayso.node_client.transport import Transport
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_text
from sayso_protocol.snapshots.snapshot import Snapshot

file_argument = click.argument("path", type=PATH, metavar="SNAPSHOT")
max_age_option = click.option(
    "--max-age", type=duration, metavar="SPAN", help="Refuse a snapshot older than this."
)


@click.group(cls=Group)
def snapshot() -> None:
    """Fetch and verify a snapshot: an operator's list of everything revoked, for offline checks."""


@snapshot.command(
    "pull",
    epilog=example(
        "sayso snapshot pull --out north.snapshot",
        "sayso check data.parquet --offline north.snapshot --grantee anyone --purpose train-ai",
    ),
)
@path_option(
    "--out",
    "SNAPSHOT",
    "The file to create or update.",
    name="path",
    default=Path("sayso.snapshot"),
    show_default=True,
)
@node_options
@json_option
def pull_(path: Path, asked: AskedNode, *, as_json: bool) -> None:
    """Fetch a snapshot and its deltas into one file, and verify them.

    The command fetches only the parts that the file lacks, and continues a broken download. It replaces
    the file only by a snapshot that an operator of your network file signed, and never by an older one.
    """
    got = asyncio.run(_pull(asked.url, path, asked.trusted))
    _tell(got, path, as_json=as_json)


async def _pull(url: str, path: Path, trusted: NetworkFile) -> Snapshot:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        async with Transport(url) as node:
            return await pull(
                node, path, trusted, lambda got, size: bar.update(task, completed=got, total=size)
            )


@snapshot.command(epilog=example("sayso snapshot verify north.snapshot --max-age 10m"))
@file_argument
@max_age_option
@network_option
@json_option
def verify(path: Path, max_age: int | None, network_path: Path, *, as_json: bool) -> None:
    """Verify who signed SNAPSHOT, that it is complete, and that it is valid now.

    Exit status: 0 it is valid; 1 it is not, and the error code gives the reason.
    """
    got = load_snapshot(path, load_network(network_path))
    moment_ = got.head.moment
    got.check_fresh(time.time(), moment_.expires_at - moment_.as_of if max_age is None else max_age)
    _tell(got, path, as_json=as_json)


@snapshot.command(epilog=example("sayso snapshot info north.snapshot"))
@file_argument
@network_option
@json_option
def info(path: Path, network_path: Path, *, as_json: bool) -> None:
    """Describe SNAPSHOT, even if it has expired, and verify its signatures."""
    _tell(load_snapshot(path, load_network(network_path)), path, as_json=as_json)


def _tell(got: Snapshot, path: Path, *, as_json: bool) -> None:
    if as_json:
        say_json(snapshot_json(got, path.stat().st_size))
        return
    head = got.head
    say(f"signed by {got.operator.name} ({head.node_key.hex()}) on {moment(head.moment.time)}")
    say(f"state of {moment(head.moment.as_of)}, valid until {moment(head.moment.expires_at)}")
    say(f"chain {head.network.chain_id} read up to block {head.moment.block.number}")
    say(f"whom it heeds: {listed([*map(address_text, head.heeded)]) if head.heeded else 'nobody'}")
    deltas = several(len(got.heads) - 1, "delta")
    say(f"{several(got.keys, 'key')} in a snapshot and {deltas}, {path.stat().st_size:,} bytes")
    say(f"names {got.named:,} people and licenses; a license that it does not name is stale")
