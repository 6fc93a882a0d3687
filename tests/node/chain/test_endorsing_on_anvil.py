"""A statement of a contract wallet with several owners, on a real chain, from endorsement to a peer."""

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import pytest
from eth_abi.abi import encode as abi_encode
from web3 import Web3

from node.chain.anvil_world import Registry
from node.chain.paying.test_deploying_on_anvil import CONTRACTS, compiled
from node.test_node import holds
from sayso.holder.endorsing import endorsing_calls
from sayso_node.clock import SystemClock
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.peers.addresses import peer_id_of_seed
from sayso_node.gossip.peers.peer_store import PeerStore
from sayso_node.node import Node
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text, address_text, hex_text
from support.anvil import anvil
from support.fake_account import FakeAccount
from support.fake_chain import FakeChain
from support.fake_network import FakeNetwork, Switchboard
from support.holders import END, LABS, ZERO, T
from support.protocol_strategies import ADA, WALLETS, a_consent, item_hashes, sign_digest
from support.running_node import RunningNode, config
from support.waiting import until

FINALITY = 2
DAN, *_ = LABS


class Company:
    """A wallet on the chain that carries out what two of its three owners want."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.owners = list(registry.w3.eth.accounts)[2:5]
        code = compiled("Wallets.sol", "SharedWallet")
        code += abi_encode(["address[]", "uint256"], [self.owners, 2])
        receipt = registry.send({"data": code})
        self.address: bytes = address_from_text(receipt["contractAddress"])

    def confirm(self, owner: int, call: dict[str, str]) -> None:
        data = abi_encode(["address", "bytes"], [call["to"], bytes.fromhex(call["data"][2:])])
        method = Web3.keccak(text="confirm(address,bytes)")[:4]
        to = Web3.to_checksum_address(self.address)
        sent = {"from": self.owners[owner], "to": to, "data": method + data}
        receipt = self.registry.w3.eth.wait_for_transaction_receipt(
            self.registry.w3.eth.send_transaction(sent)  # type: ignore[arg-type]
        )
        assert receipt["status"] == 1


@pytest.fixture
def registry() -> Iterator[Registry]:
    forge = CONTRACTS / "node_modules" / ".bin" / "forge"
    subprocess.run([forge, "build", "--quiet"], cwd=CONTRACTS, check=True)
    with anvil() as url:
        yield Registry(url)


@asynccontextmanager
async def node_on(
    registry: Registry, folder: Path, name: str, board: Switchboard
) -> AsyncIterator[RunningNode]:
    """A node that reads the real chain, and has peers in memory."""
    folder.mkdir()  # noqa: ASYNC240 - as everywhere in tests
    url = str(registry.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    made = config(folder, name=name, rpc=url, chain_interval_s=0.1, disabled=("gossip", "snapshots"))
    trusted = NetworkFile(registry.network, 1, FINALITY, made.network_file.operators)
    chosen = replace(made, network_file=trusted, anchor_account=None)

    def network(gossip: GossipConfig, _book: PeerStore) -> FakeNetwork:
        return FakeNetwork(board, peer_id_of_seed(gossip.seed))

    with mock.patch("sayso_node.node.GossipProcess", network):
        node = Node(chosen, SystemClock())
        try:
            await node.start()
            async with aiohttp.ClientSession() as http:
                base, unused = f"http://{chosen.settings.http}", FakeChain()
                yield RunningNode(node, base, http, unused, board, FakeAccount(unused))
        finally:
            await node.stop()


def _statement(company: Company) -> tuple[Envelope, Envelope]:
    """A consent to the company, and the sublicense that it endorses."""
    network = company.registry.network
    items = item_hashes(1)
    sold: Message = a_consent(items, grantee=company.address, purposes=("resale", "train-ai"))
    consent = Envelope(sold, network, sign_digest(WALLETS[ADA], digest(sold, network)), items)
    names = (consent.digest,)
    terms: dict[str, Any] = {"terms": ZERO, "terms_uri": "", "issued_at": T, "expires_at": END}
    passed = Sublicense(company.address, content_root(names), 1, NO_PARENT, DAN, ("train-ai",), **terms)
    return consent, Envelope(passed, network, b"", names)


async def test_two_owners_endorse_a_sublicense_and_a_peer_gets_it(
    registry: Registry, tmp_path: Path
) -> None:
    board, company = Switchboard(), Company(registry)
    consent, passed = _statement(company)
    async with node_on(registry, tmp_path / "a", "a", board) as a:
        _status, body = await a.submit(consent, passed)
        assert [one["status"] for one in body["results"]] == ["stored", "pending"], body
        (call,) = endorsing_calls([passed.digest], registry.network)
        assert call["to"] == address_text(registry.network.registry)
        company.confirm(0, call)
        registry.ask("anvil_mine", hex(FINALITY))
        await reads(a, registry)
        assert await kind_of(a, passed) == "pending"  # one owner is not enough
        company.confirm(1, call)
        await reads(a, registry)
        assert await kind_of(a, passed) == "pending"  # its block is not final
        registry.ask("anvil_mine", hex(FINALITY))
        await holds(a, passed)
        async with node_on(registry, tmp_path / "b", "b", board) as b:
            await holds(b, consent, passed)
            assert await kind_of(b, passed) == "stored"
            _, trace = await b.get(f"/v1/licenses/{hex_text(consent.digest)}/trace")
            assert [one["address"] for one in trace["holders"]] == sorted(
                (address_text(company.address), address_text(DAN)), key=str.lower
            )


async def reads(node: RunningNode, registry: Registry) -> None:
    """Until the node has read the newest block."""
    newest = registry.w3.eth.block_number
    await until(lambda: node.node._freshness.head.point.number >= newest)


async def kind_of(node: RunningNode, statement: Envelope) -> str:
    """Whether it is stored or pending."""
    status, body = await node.get(f"/v1/statements/{hex_text(statement.digest)}")
    assert status == 200, json.dumps(body)
    return str(body["status"])
