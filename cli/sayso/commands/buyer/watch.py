"""`sayso watch`: deliver a node's events to a program or a web server."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import click

from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import Once, path_option, text_option
from sayso.commands.text import example, say, warn
from sayso.delivery.dispatcher import Dispatcher
from sayso.delivery.journal import Journal
from sayso.delivery.signing import secret_at
from sayso.delivery.targets import Poster, Program
from sayso.node_client.following import FIRST, LISTENED, ROLES, follow
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import address_from_text, address_text

SILENT_S = 60.0  # between two warnings about a node
_WHOSE = {
    "contributor": "Who licensed something, or their guardian; several are possible.",
    "grantee": "Whom contributors licensed, such as a marketplace; several are possible.",
    "licensor": "Who passed licenses on; several are possible.",
    "holder": "Who holds licenses, from whomever; several are possible.",
}


def _whose(command: click.Command) -> click.Command:
    for role in reversed(ROLES):
        option = click.Option(
            [f"--{role}"], multiple=True, type=address_from_text, metavar="ADDRESS", help=_WHOSE[role]
        )
        command.params.insert(0, option)
    return command


@_whose
@click.command(
    name="watch",
    cls=Once,
    epilog=example(
        "sayso watch --grantee 0x2553... --post https://shop.example/hooks/sayso",
        "sayso watch --holder 0x9c8f... --exec ./stop-selling.sh --from-start",
    ),
)
@text_option("--exec", "COMMAND", "Run this with each event as its input.", name="command_line")
@text_option("--post", "URL", "Post each event to this URL, signed.", name="url")
@path_option(
    "--state",
    "DIR",
    "Where the watch keeps its place, dead letters and secret.",
    name="folder",
    default="sayso-watch",
    show_default=True,
)
@path_option(
    "--secret",
    "FILE",
    "The secret of the signature.  [default: webhook.secret in --state, made if missing]",
    name="secret_path",
)
@click.option("--allow-private", is_flag=True, help="Also post to private and local addresses, by http.")
@click.option("--from-start", is_flag=True, help="Begin with the node's first event, not with the next.")
@node_options
def command(
    *,
    command_line: str | None,
    url: str | None,
    folder: Path,
    secret_path: Path | None,
    allow_private: bool,
    from_start: bool,
    asked: AskedNode,
    **whose: tuple[bytes, ...],
) -> None:
    """Deliver a node's events: revocations, sublicenses, uses, removals, disputes, withdrawals.

    Each event is delivered at least once, in order; the receiver knows a repeated one by its id. A watch
    that is killed goes on where it was. With addresses, only what concerns one of them is delivered.

    --post signs as Standard Webhooks do. A target that cannot be reached is tried until it answers; an
    event that it refuses eight times is laid aside in dead-letters.jsonl.
    """
    if (command_line is None) == (url is None):
        raise click.UsageError("name either --exec COMMAND or --post URL")
    if sum(map(len, whose.values())) > LISTENED:
        raise click.UsageError(
            f"a watch takes at most {LISTENED} addresses; start another with its own --state"
        )
    node = asked.url
    of = {role: some for role, some in whose.items() if some}
    watched = {role: sorted(map(address_text, some)) for role, some in of.items()}
    with Journal(folder, {"node": [node], **watched}) as journal:
        if url is None:
            target: Poster | Program = Program(command_line or "")
        else:
            secret = secret_at(secret_path or journal.secret)
            target = Poster(url, secret, allow_private=allow_private)
        place = journal.place or (FIRST if from_start else None)
        say(f"watching {node} from {place or 'now'}")
        dispatcher = Dispatcher(journal, target, node, _failed)
        stream = follow(node, place, _once_a_minute(), of)
        asyncio.run(dispatcher.run(stream))


def _once_a_minute() -> Callable[[str], None]:
    """Return what warns of a node that cannot be heard, or may not speak, while that lasts."""
    said = -SILENT_S

    def lost(url: str) -> None:
        nonlocal said
        if time.monotonic() - said >= SILENT_S:
            said = time.monotonic()
            warn(f"{url} does not answer, or says that it is not ready; listening again")

    return lost


def _failed(error: SaysoError, name: str) -> None:
    warn(f"[{error.code}] event {name}: {error}")
