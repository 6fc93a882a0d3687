"""`sayso trace`: where a license went, as a tree of holders, each with its history."""

import click
import msgspec
from rich.console import Console

from sayso.commands.contributor.trace_picture import picture
from sayso.commands.contributor.trace_tree import heading, tree
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import json_option
from sayso.commands.text import example, say, say_json
from sayso_protocol.primitives import hash_from_text


@click.command(name="trace", epilog=example("sayso trace 0x5f0c...", "sayso trace 0x5f0c... --picture"))
@click.argument("license_hash", metavar="LICENSE", type=hash_from_text)
@node_options
@click.option("--picture", "as_picture", is_flag=True, help="Draw the holders over a timeline.")
@json_option
def command(license_hash: bytes, asked: AskedNode, *, as_picture: bool, as_json: bool) -> None:
    """Show where a license went: passed on to whom, used in which run, disputed, and what was removed.

    The tree shows what holders stated, and dates from the chain. What they do not state, nobody knows. A
    confirmed removal says that somebody signed so; it does not say that a model forgot.
    """
    found = asked.ask(lambda node: node.trace(license_hash))
    if as_json:
        say_json(msgspec.to_builtins(found))
        return
    say(*heading(found, asked.url))
    if as_picture:
        Console(highlight=False).print(picture(found))
        return
    say(*tree(found))
