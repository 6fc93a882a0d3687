"""`sayso node verify-store`, `move-store`, `backup` and `restore`: a node's store."""

import os
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from sayso.commands.options import PATH, path_option, text_option
from sayso.commands.text import example, say
from sayso.errors import FileUnreadable, OutputFailed
from sayso.extras import extra
from sayso.files import opening
from sayso.networks import load_network
from sayso.outputs import output_errors


@click.command(epilog=example("sayso node verify-store ./node"))
@click.argument("folder", type=PATH)
def verify_store(folder: Path) -> None:
    """Recompute everything in the store of the node in FOLDER from its messages.

    It changes nothing in the store, and the node may run meanwhile. The exit status is 1 if something is
    damaged; the node is then silent from its next start on, until it has repaired that.
    """
    with extra("node"):
        from sayso_node.errors import StoreDamaged, StoreMissing  # noqa: PLC0415
        from sayso_node.folder.config import load_config  # noqa: PLC0415
        from sayso_node.store.integrity.verifying import AuditOrder, verify  # noqa: PLC0415
        from sayso_node.store.opening import damage_of, is_empty  # noqa: PLC0415

    config = load_config(folder)
    network, location = config.network_file.network, config.store_location
    if is_empty(location):
        raise StoreMissing(f"there is no store in {folder}")
    findings = verify(AuditOrder(location, network))
    for one in findings:
        say(f"{one.kind}: {one.text}")
    if findings:
        damage_of(location).report(findings[0].text)
        raise StoreDamaged(f"{len(findings)} findings in the store of {folder}")
    say(f"the store of {folder} is what the node wrote")


FILE: Final = "file"  # where a store is without PostgreSQL
_LOCATION_BYTES: Final = 4_096


@click.command(
    epilog=example(
        "sayso node move-store ./node --to @location.txt",
        "sayso node move-store ./node --to file",
    )
)
@click.argument("folder", type=PATH)
@text_option(
    "--to",
    "WHERE",
    "@FILE, whose one line is postgresql://USER:PASSWORD@HOST/DATABASE. That line itself is taken, "
    "too, if it has no password, because all users of this machine see a command line. Or: file, the "
    "one in FOLDER.",
    name="where",
    required=True,
    envvar="SAYSO_STORE",
    show_envvar=True,
)
@click.pass_context
def move_store(context: click.Context, folder: Path, where: str) -> None:
    """Move the store of the node in FOLDER to a PostgreSQL database, or back to the file. Stop it first.

    All rows are copied, read again and compared. Then the old store refuses to start, and node.toml
    names the new one. If that is interrupted, repeat it.
    """
    with extra("node"):
        from sayso_node.folder.moving import move_store as move  # noqa: PLC0415

    on_line = context.get_parameter_source("where") is ParameterSource.COMMANDLINE
    moved = move(folder, _location(where, on_line=on_line), os.urandom)
    if moved.rows is None or moved.digest is None:
        say(f"the move to {moved.name} is finished")
    else:
        say(f"moved to {moved.name}: {moved.rows:,} rows, compared; digest 0x{moved.digest.hex()}")
    say(f"start the node with: sayso node run {folder}")


def _location(where: str, *, on_line: bool) -> str:
    """Return the location that the option states; empty for the file."""
    if where == FILE:
        return ""
    if where.startswith("@"):
        with opening(Path(where[1:]), forward=True) as file:
            return file.read(_LOCATION_BYTES).decode().strip()
    host = where.partition("://")[2].partition("/")[0]
    if on_line and (":" in host.rpartition("@")[0] or "password" in where):
        text = "all users of this machine see a command line: put the location into a file; use @FILE"
        raise click.BadParameter(text, param_hint="--to")
    return where


@click.command(epilog=example("sayso node backup ./node north.backup"))
@click.argument("folder", type=PATH)
@click.argument("target", type=PATH, metavar="FILE")
def backup(folder: Path, target: Path) -> None:
    """Write everything that the node in FOLDER cannot do without to FILE, while it runs.

    That is settings, network file, keys and store. FILE holds the node's key: encrypt it before it
    leaves this machine.
    """
    with extra("node"):
        from sayso_node.folder.backup import back_up  # noqa: PLC0415

    with output_errors(target):
        if target.exists():
            raise OutputFailed(f"{str(target)!r} exists; a backup replaces nothing")
        size = back_up(folder, target)
    say(f"backup {target}, {size:,} bytes; it holds the node's key")


@click.command(epilog=example("sayso node restore north.backup ./node"))
@click.argument("source", type=PATH, metavar="FILE")
@click.argument("folder", type=PATH)
@path_option("--network", "FILE", "Refuse a backup of another network.", name="network_path")
def restore(source: Path, folder: Path, network_path: Path | None) -> None:
    """Make the node's FOLDER from a backup. It must not exist, or be empty.

    Never run the node in two places. After a restore it gives no answer before it has compared with a
    peer what it gave since the backup.
    """
    with extra("node"):
        from sayso_node.folder.backup import restore as restore_backup  # noqa: PLC0415

    network = load_network(network_path).network if network_path else None
    with output_errors(folder):
        if not source.is_file():
            raise FileUnreadable(f"there is no backup {str(source)!r}")
        key = restore_backup(source, folder, network)
    say(f"node {key.hex()} restored in {folder}; start it with: sayso node run {folder}")
