"""A whole node as node.py wires it, behind a real HTTP server, with peers and chain in memory.

async with running_node(folder) as node:
    status, body = await node.get("/v1/node")
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
from eth_account import Account

from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.api.schema import openapi
from sayso_node.api.schema.operations import Operation
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.folder.config import NodeConfig
from sayso_node.folder.settings import Settings
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.peers.addresses import peer_id_of_seed
from sayso_node.gossip.peers.peer_store import PeerStore
from sayso_node.node import Node
from sayso_node.web.page import read_site
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network_file import NetworkFile, Operator
from support.fake_account import FakeAccount
from support.fake_chain import FakeChain
from support.fake_network import FakeNetwork, Switchboard
from support.node_rig import ManualClock, node_key
from support.protocol_strategies import NETWORK

MSGPACK = {"Content-Type": "application/msgpack"}

# Four fifths of a node's start, by processor time, are its document and its compressed site, which are
# the same for all nodes of a process.
_site = cache(read_site)
_documents: dict[frozenset[tuple[str, str]], openapi.Document] = {}


def _document(version: str, operations: Sequence[Operation]) -> openapi.Document:
    routes = frozenset((one.method, one.path) for one in operations)
    if routes not in _documents:
        _documents[routes] = openapi.document(version, operations)
    return _documents[routes]


class RunningNode:
    """The node, the world around it, and a client of its HTTP API."""

    def __init__(
        self,
        node: Node,
        url: str,
        http: aiohttp.ClientSession,
        chain: FakeChain,
        board: Switchboard,
        account: FakeAccount,
    ) -> None:
        self.node, self.url, self.http = node, url, http
        self.chain, self.board, self.account = chain, board, account

    async def ask(self, method: str, path: str, **arguments: Any) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        async with self.http.request(method, self.url + path, **arguments) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return response.status, json.loads(text) if is_json else text

    async def get(self, path: str) -> tuple[int, Any]:
        return await self.ask("GET", path)

    async def submit(self, *envelopes: Envelope) -> tuple[int, Any]:
        """Hand in messages."""
        body = encode_bundle([encode(one) for one in envelopes])
        return await self.ask("POST", "/v1/messages", data=body, headers=MSGPACK)

    def stored(self) -> dict[str, int]:
        """How many rows each table has."""
        tables = ("messages", "items", "people", "bits", "acknowledgements", "anchor_queue", "numbers")
        with self.node._store.read() as db:
            counts = {
                table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
            }
            # The chain alone sets these, whatever comes in.
            query = (
                "SELECT count(*) FROM numbers"
                " WHERE name IN ('chain-first', 'standing-block', 'final-block', 'final-block-time')"
            )
            counts["numbers"] -= db.execute(query).fetchone()[0]
            return counts


def config(
    folder: Path, *, name: str, operators: Iterable[Operator] = (), **settings: Any
) -> NodeConfig:
    """A node that anchors, does everything soon, and has these operators beside it."""
    key = node_key(name)
    values: dict[str, Any] = {
        "name": name,
        "network": "network.toml",
        "http": f"{LOOPBACK}:{free_ports(1)[0]}",
        "listen": ("/ip4/127.0.0.1/tcp/4600",),
        "rpc": "http://127.0.0.1:1",
        "sync_interval_s": 0.01,
        "chain_interval_s": 0.01,
        "anchor_wait_s": 0.0,
        "disabled": ("snapshots",),  # a process of its own: only where it is the subject
    }
    me = Operator(name, bytes(key.verify_key), url=f"http://{values['http']}")
    trusted = NetworkFile(NETWORK, 1, 2, (me, *operators))
    return NodeConfig(
        folder, Settings(**(values | settings)), key, trusted, Account.from_key(b"\7" * 32)
    )


@asynccontextmanager
async def running_node(
    folder: Path,
    *,
    name: str = "rig",
    chain: FakeChain | None = None,
    board: Switchboard | None = None,
    clock: ManualClock | None = None,
    **settings: Any,
) -> AsyncIterator[RunningNode]:
    """Start a node, stop it at the end."""
    chosen = config(folder, name=name, **settings)
    chain, board, clock = chain or FakeChain(), board or Switchboard(), clock or ManualClock()

    account, opened = FakeAccount(chain), list[JsonRpc]()

    def endpoints(chains: Sequence[Web3Chain], *_shared: object, **_named: object) -> FakeChain:
        chain.links = tuple(one.link for one in chains)
        opened.extend(chain.links)
        return chain

    def network(gossip: GossipConfig, _book: PeerStore) -> FakeNetwork:
        return FakeNetwork(board, peer_id_of_seed(gossip.seed))

    with (
        mock.patch("sayso_node.api.routes.document.document", _document),
        mock.patch("sayso_node.web.page.read_site", _site),
        mock.patch("sayso_node.node.GossipProcess", network),
        mock.patch("sayso_node.chain.side.Endpoints", endpoints),
        mock.patch("sayso_node.chain.side.Web3Account", return_value=account),
        mock.patch("sayso_node.chain.paying.payer.INTERVAL_S", 0.01),
        mock.patch("sayso_node.batches.fetcher.INTERVAL_S", 0.01),
    ):
        node = Node(chosen, clock)
        try:
            await node.start()
            async with aiohttp.ClientSession() as http:
                yield RunningNode(node, f"http://{chosen.settings.http}", http, chain, board, account)
        finally:
            await node.stop()
            for link in opened:  # the chain in their place has nothing to close
                await link.close()
