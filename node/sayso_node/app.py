"""Runs a node as a process: handles signals, reports when the node is ready.

SIGTERM and SIGINT stop the node in order. SIGHUP reads the limits in node.toml again, and ends nothing.
`ready` is called once the node answers requests; that nobody can read it ends nothing either.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop

from sayso_node.clock import SystemClock
from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.config import NodeConfig
from sayso_node.folder.settings import load_settings
from sayso_node.node import Node
from sayso_node.serving.api_node import ApiNode
from sayso_node.supervision.logs import logger
from sayso_node.supervision.systemd import ServiceManager
from sayso_protocol.redaction import reason_of

log = logger(__name__)


def run_node(
    config: NodeConfig,
    ready: Callable[[], None],
    *,
    end_with: int | None = None,
    api_only: bool = False,
) -> None:
    """Run a node until a signal arrives, or until the pipe `end_with` closes, held by the parent alone.

    With `api_only`, it is a process beside a node, on the node's database. The event loop is uvloop
    (docs/adr/0016). Raises InvalidNodeConfig when an address is in use, and PartFailed when a part of
    the node failed for good.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there are limits to change
    uvloop.run(_run(ApiNode if api_only else Node, config, ready, end_with))


async def _run(
    make: type[Node | ApiNode], config: NodeConfig, ready: Callable[[], None], end_with: int | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if end_with is not None:
        # Nobody writes to this pipe, so it becomes readable only when it is closed.
        loop.add_reader(end_with, stop.set)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    node, manager = make(config, SystemClock()), ServiceManager()
    loop.add_signal_handler(signal.SIGHUP, partial(_reload, node, config.folder, manager))
    try:
        try:
            await node.start()
        except OSError as error:
            raise InvalidNodeConfig(
                f"cannot listen on {config.settings.http}: {reason_of(error)}"
            ) from error
        log.info("node-started", name=config.settings.name, http=config.settings.http)
        manager.tell("READY=1")
        watching = asyncio.create_task(manager.watch(node.status))
        try:
            ready()
        except OSError as error:  # a full disk, or a closed pipe
            log.warning("ready-unwritten", error=error)
        await _until(stop, node)
        watching.cancel()
    finally:
        log.info("node-stopping")
        manager.tell("STOPPING=1")
        with contextlib.suppress(asyncio.CancelledError):
            await node.stop()


def _reload(node: Node | ApiNode, folder: Path, manager: ServiceManager) -> None:
    manager.reloading()
    try:
        node.reload(load_settings(folder))
    except InvalidNodeConfig as error:
        log.warning("settings-unread", error=error)
    manager.tell("READY=1")


async def _until(stop: asyncio.Event, node: Node | ApiNode) -> None:
    """Wait for `stop`; raises PartFailed if the node fails before."""
    stopped, failed = asyncio.create_task(stop.wait()), asyncio.create_task(node.failure())
    await asyncio.wait({stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if failed.done():
        failed.result()
    failed.cancel()
