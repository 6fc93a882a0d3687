"""`sayso node`: run a node, and see how one is."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from sayso.commands.lazy import Group
from sayso.commands.operator.node_doctor import doctor
from sayso.commands.operator.node_erase import erase
from sayso.commands.operator.node_folder import (
    ANCHOR_FILE,
    NETWORK_FILE,
    adopt,
    is_there,
    keep_file,
    read_file,
)
from sayso.commands.operator.node_log import export_log, import_log
from sayso.commands.operator.node_status import status
from sayso.commands.operator.node_store import backup, move_store, restore, verify_store
from sayso.commands.options import PATH, network_option, path_option, rpc_option, text_option
from sayso.commands.text import example, say, warn
from sayso.extras import extra
from sayso.outputs import output_errors


@click.group(cls=Group)
def node() -> None:
    """Run a node, or ask one how it is."""


@node.command(
    epilog=example(
        'sayso node init ./node --name "Ours" --rpc http://127.0.0.1:8545',
        "sayso network add --from-node ./node",
    )
)
@click.argument("folder", type=PATH)
@click.option("--name", required=True, help="For people and logs.")
@text_option("--http", "HOST:PORT", "HTTP API.", default="127.0.0.1:8600", show_default=True)
@text_option(
    "--listen",
    "MULTIADDR",
    "Where peers reach it.",
    multiple=True,
    default=("/ip4/0.0.0.0/tcp/4600",),
    show_default=True,
)
@text_option(
    "--announce",
    "MULTIADDR",
    "An address that peers on other machines can dial.  [default: this machine's own]",
    multiple=True,
)
@text_option("--public-url", "URL", "Where users reach the HTTP API from other machines.", default="")
@text_option("--peer", "MULTIADDR", "Dial this peer, too.", name="peers", multiple=True)
@path_option(
    "--anchor-key",
    "FILE",
    "The key that pays for anchors, in hexadecimal or as a keystore; it is copied into FOLDER.",
)
@rpc_option
@network_option
def init(
    folder: Path,
    name: str,
    http: str,
    listen: tuple[str, ...],
    announce: tuple[str, ...],
    public_url: str,
    peers: tuple[str, ...],
    anchor_key: Path | None,
    rpc_url: str,
    network_path: Path,
) -> None:
    """Make a node's FOLDER: its settings (node.toml), its identity, and copies of what they name.

    Shows the node's entry for network files; others need it before they believe this node. Everything in
    node.toml is relative to the folder, so that it can be moved.
    """
    with extra("node"):
        from sayso_node.folder.addresses import announced, check_addresses, unreached  # noqa: PLC0415
        from sayso_node.folder.config import init_node  # noqa: PLC0415
        from sayso_node.folder.settings import Settings  # noqa: PLC0415

    settings = Settings(
        name=name,
        network=NETWORK_FILE,
        http=http,
        public_url=public_url,
        listen=listen,
        announce=announce,
        rpc=rpc_url,
        peers=peers,
        anchor_key=ANCHOR_FILE if anchor_key else "",
    )
    check_addresses(settings)
    if not announce:
        settings = replace(settings, announce=tuple(announced(listen)))
    key = read_file(anchor_key) if anchor_key else b""
    is_there(network_path)  # a named file that does not exist is an error before anything is made
    with output_errors(folder):
        operator = init_node(folder, settings, os.urandom)
        if key:
            keep_file(folder / ANCHOR_FILE, key)
        adopt(folder, network_path)
    for one in unreached(settings):
        warn(f"{one.text}: name an address with --{one.setting.replace('_', '-')}")
    say(f"key   {operator.key.hex()}")
    say(f"peer  {operator.peer}")
    say(f"url   {operator.url}")


@node.command(epilog=example("sayso node run ./node"))
@click.argument("folder", type=PATH)
@network_option
@click.option(
    "--api-only",
    is_flag=True,
    help="Only answer the API, beside a running node and on its PostgreSQL database.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log more than what goes wrong.")
@click.option(
    "--log",
    "log_form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    envvar="SAYSO_LOG",
    help="The form of the log on standard error.",
)
def run(folder: Path, network_path: Path, *, api_only: bool, verbose: bool, log_form: str) -> None:
    """Run the node in FOLDER until SIGTERM or Ctrl-C.

    It uses the network file in the folder. If --network exists and is for the same network, that is
    copied into the folder first. SIGHUP reads the limits in node.toml again.

    With --api-only it is one of several processes that answer for a node (sayso node move-store).
    """
    with extra("node"):
        from sayso_node.app import run_node  # noqa: PLC0415
        from sayso_node.folder.config import load_config  # noqa: PLC0415
        from sayso_node.supervision.logs import set_up_log  # noqa: PLC0415

    if adopt(folder, network_path):
        click.echo(f"network file {network_path} copied into {folder}", err=True)
    config = load_config(folder)
    set_up_log(verbose=verbose, form=log_form)
    run_node(config, lambda: _ready(config.settings.http), api_only=api_only)


def _ready(http: str) -> None:
    """Say where the node answers; raises OSError for an output that is full or closed."""
    try:
        say(f"ready: http://{http}")
    except OSError:  # what is buffered would fail again at the exit, and turn its status to 120
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise


for _one in (
    *(status, verify_store, doctor, backup, move_store, restore, erase),
    *(export_log, import_log),
):
    node.add_command(_one)
