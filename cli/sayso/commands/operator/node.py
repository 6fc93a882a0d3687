"""`sayso node`: run a node, and see how one is."""

import os
from pathlib import Path

import click

from sayso.commands.operator.node_status import status
from sayso.commands.operator.node_store import verify_store
from sayso.commands.options import PATH, network_option, rpc_option
from sayso.commands.text import example, say
from sayso.extras import extra
from sayso.outputs import output_errors


@click.group()
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
@click.option(
    "--http", default="127.0.0.1:8600", show_default=True, metavar="HOST:PORT", help="HTTP API."
)
@click.option(
    "--listen",
    multiple=True,
    default=("/ip4/0.0.0.0/tcp/4600",),
    show_default=True,
    metavar="MULTIADDR",
    help="Where peers reach it.",
)
@click.option("--peer", "peers", multiple=True, metavar="MULTIADDR", help="Dial this peer, too.")
@click.option(
    "--anchor-key", type=PATH, metavar="FILE", help="Private key (hexadecimal) that pays for anchors."
)
@rpc_option
@network_option
def init(
    folder: Path,
    name: str,
    http: str,
    listen: tuple[str, ...],
    peers: tuple[str, ...],
    anchor_key: Path | None,
    rpc_url: str,
    network_path: Path,
) -> None:
    """Make a node's FOLDER: its settings (node.toml) and its identity.

    Shows the node's entry for network files; others need it before they believe this node.
    """
    with extra("node"):
        from sayso_node.config import Settings, init_node  # noqa: PLC0415

    settings = Settings(
        name=name,
        network=os.path.relpath(network_path, folder),
        http=http,
        listen=listen,
        rpc=rpc_url,
        peers=peers,
        anchor_key=os.path.relpath(anchor_key, folder) if anchor_key else "",
    )
    with output_errors(folder):
        operator = init_node(folder, settings, os.urandom)
    say(f"key   {operator.key.hex()}")
    say(f"peer  {operator.peer}")
    say(f"url   {operator.url}")


@node.command(epilog=example("sayso node run ./node"))
@click.argument("folder", type=PATH)
@click.option("--verbose", "-v", is_flag=True, help="Log more than what goes wrong.")
def run(folder: Path, *, verbose: bool) -> None:
    """Run the node in FOLDER until SIGTERM or Ctrl-C."""
    with extra("node"):
        from sayso_node.app import run_node  # noqa: PLC0415
        from sayso_node.config import load_config  # noqa: PLC0415
        from sayso_node.supervision.logs import set_up_log  # noqa: PLC0415

    config = load_config(folder)
    set_up_log(verbose=verbose)
    run_node(config, lambda: say(f"ready: http://{config.settings.http}"))


node.add_command(status)
node.add_command(verify_store)
