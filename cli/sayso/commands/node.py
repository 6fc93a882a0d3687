"""The node that a command asks, and the network file by which its answers are verified."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sayso.commands.grouping import Command, gathering
from sayso.commands.options import network_option, node_option
from sayso.networks import first_url, load_network
from sayso.node_client.client import NodeClient
from sayso_protocol.network_file import NetworkFile

T = TypeVar("T")


class AskedNode:
    """AskedNode is the node of --node, or else the first of the network file."""

    def __init__(self, node_url: str | None, network_path: Path) -> None:
        self._node_url, self._network_path = node_url, network_path

    @cached_property
    def trusted(self) -> NetworkFile:
        """Return the network file, read on first use; raises InvalidNetworkFile."""
        return load_network(self._network_path)

    @property
    def url_if_any(self) -> str | None:
        """Return the URL of the node, or None if none is named."""
        return self._node_url or first_url(self.trusted)

    @property
    def url(self) -> str:
        """Return the URL of the node; raises a usage error if none is named."""
        if not (found := self.url_if_any):
            raise click.UsageError("name a node with --node URL: the network file lists none with a URL")
        return found

    def ask(self, question: Callable[[NodeClient], Awaitable[T]], **options: Any) -> T:
        """Return what a connected client answers to a question; `options` are those of NodeClient."""

        async def asked() -> T:
            async with NodeClient(self.url, self.trusted, **options) as node:
                return await question(node)

        return asyncio.run(asked())


NODE_OPTIONS: Final = (node_option, network_option)


def asked_node(options: dict[str, Any]) -> AskedNode:
    """Remove the values of NODE_OPTIONS from options, and return the node that they name."""
    return AskedNode(options.pop("node_url"), options.pop("network_path"))


def node_options(command: Command) -> Command:
    """Add --node and --network to a command, which receives them as `asked`."""
    return gathering(command, "asked", asked_node, NODE_OPTIONS)
