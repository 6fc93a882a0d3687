"""`sayso node export` and `import`: every message that a node holds, as files of messages (rule 6.4)."""

import tempfile
from collections import Counter
from pathlib import Path

import click

from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import PATH
from sayso.commands.text import example, say, several
from sayso.contributor.saved_messages import load_bundle
from sayso.errors import BadAnswer, NodeUnreachable, NotKept, OutputFailed
from sayso.extras import extra
from sayso.gate.licenses import ENDING, bundle_files
from sayso.node_client.client import NodeClient
from sayso.outputs import output_errors
from sayso_protocol.errors import SaysoError
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.wire import encode_bundle


@click.command(name="export", epilog=example("sayso node export ./node ./messages"))
@click.argument("folder", type=PATH)
@click.argument("target", type=PATH, metavar="TARGET")
def export_log(folder: Path, target: Path) -> None:
    """Write every message that the node in FOLDER holds to files in the new folder TARGET.

    The node may run. Anybody can submit the files to any node of the network (sayso node import, sayso
    submit). They have no keys, promises or settings: a backup has those (sayso node backup).
    """
    with extra("node"):
        from sayso_node.errors import StoreMissing  # noqa: PLC0415
        from sayso_node.folder.config import load_config  # noqa: PLC0415
        from sayso_node.store.log_pages import log_pages  # noqa: PLC0415
        from sayso_node.store.opening import is_empty, snapshot_at  # noqa: PLC0415

    location = load_config(folder).store_location
    if is_empty(location):
        raise StoreMissing(f"there is no store in {folder}")
    if target.exists():
        raise OutputFailed(f"{str(target)!r} exists; an export replaces nothing")
    count = 0
    with (
        output_errors(target),
        tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as held,
        snapshot_at(location, old=True) as db,
    ):
        made = Path(held) / "messages"
        made.mkdir()
        for number, page in enumerate(log_pages(db, LIMITS.items)):
            (made / f"{number:05}{ENDING}").write_bytes(encode_bundle(page))
            count += len(page)
        made.rename(target)
    say(f"{several(count, 'message')} in {target}")


@click.command(
    name="import", epilog=example("sayso node import ./messages --node http://127.0.0.1:8600")
)
@click.argument("source", type=PATH, metavar="SOURCE")
@node_options
def import_log(source: Path, asked: AskedNode) -> None:
    """Submit an export to a running node, which verifies every message as if it came from a stranger.

    What it holds already changes nothing, so the command may be repeated. The exit status is 1 if the
    node refused something or does not keep it.
    """
    counts: Counter[str] = Counter()

    async def submit(node: NodeClient) -> None:
        for file in bundle_files(source):
            counts.update(await _submit(node, load_bundle(file, asked.trusted.network)))

    try:
        asked.ask(submit)
    finally:
        if counts:
            found = sorted(counts.items())
            say(", ".join(f"{several(count, 'message')} {what}" for what, count in found))
    lost = sum(count for what, count in counts.items() if what not in {"new", "known"})
    if lost:
        raise NotKept(f"the node does not keep {several(lost, 'message')}")


async def _submit(node: NodeClient, envelopes: list[Envelope]) -> Counter[str]:
    """Submit some messages; after a refusal, one by one, so that each has its own answer."""
    counts: Counter[str] = Counter()
    try:
        results = await node.submit(envelopes)
    except (NodeUnreachable, BadAnswer):
        raise  # it says nothing about the messages, and the next ones would meet the same
    except SaysoError as error:
        if len(envelopes) == 1:
            return Counter([f"refused ({error.code})"])
        for one in envelopes:
            counts.update(await _submit(node, [one]))
        return counts
    for result in results:
        counts["pending" if result.pending else "new" if result.new else "known"] += 1
    return counts
