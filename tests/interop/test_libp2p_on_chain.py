"""What a peer in JavaScript made, with viem's signatures, lands on a real chain by one of our nodes.

A node pays for what it vouches for (consents that came to its own door, rule 7.3) and for what it
promised (revocations that it acknowledged, rule 9.4). What the chain has is read from the contract.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.javascript_peer import JavaScriptPeer
from node.api.process import NodeProcess, node_process
from node.chain.anvil_world import FINALITY, Registry
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text
from support.anvil import RICH_KEY, anvil
from support.waiting import until


class World:
    """A chain with the registry, and a node that pays there."""

    def __init__(self, registry: Registry, node: NodeProcess) -> None:
        self.registry, self.node = registry, node
        self.url = node.url
        self.about: dict[str, Any] = node.get("/v1/node")[1]
        self.payer = registry.w3.eth.accounts[0]

    @property
    def address(self) -> str:
        address: str = self.about["listen"][0]
        return address

    def anchor_of(self, digest: str) -> list[Any]:
        """Submitter, block and time of the batch that is this one license of the node's (10.1)."""
        batch = Batch(bytes.fromhex(self.about["node_key"]), (bytes.fromhex(digest[2:]),))
        return list(self.registry.contract.functions.anchorOf(batch.root).call())

    def bits(self, contributor: str, word: int) -> list[int]:
        """The word, and the one after it."""
        return self.registry.bits(address_from_text(contributor), [word, word + 1])

    def license(self, digest: str) -> Any:
        """What the node says of a license; None if it has none."""
        status, body = self.node.get(f"/v1/licenses/{digest}")
        return body if status == 200 else None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with anvil(options=("--block-time", "1")) as url:
        registry = Registry(url)
        (tmp_path / "node").mkdir()
        (tmp_path / "node" / "anchor.key").touch(0o600)
        (tmp_path / "node" / "anchor.key").write_text(RICH_KEY)
        settings = {"rpc": url, "anchor_key": "anchor.key", "anchor_wait_s": 0.0, "relay_wait_s": 0.0}
        quick = {"sync_interval_s": 0.5, "chain_interval_s": 0.2, "disabled": ("snapshots",)}
        trusted = NetworkFile(registry.network, 1, FINALITY)
        with node_process(tmp_path, trusted=trusted, **settings, **quick) as node:
            yield World(registry, node)


async def test_what_a_peer_in_javascript_signed_lands_on_chain(world: World) -> None:
    place = world.registry.network
    async with JavaScriptPeer.running(place, world.address) as peer:
        await peer.hears("ready")

        # A consent at the node's door: vouched for, told to the peers, anchored.
        given = await peer.do("consented", "consent", name="alice", url=world.url)
        consent = given["digest"]
        assert (given["http"], given["status"]) == (200, "stored")
        await until(lambda: told(peer, consent))
        await until(lambda: world.anchor_of(consent)[0] == world.payer)

        # A revocation among peers: it counts at once. What the node promises, it relays.
        made = await peer.do("revoked", "revoke", name="alice")
        word = int(made["word"], 16)
        await until(lambda: world.license(consent)["revoked_permissions"] == 1)
        assert world.node.get("/v1/node")[1]["counters"]["acknowledgements"] == 0
        assert world.bits(made["contributor"], word) == [0, 0]
        promised = await peer.do("promised", "promise", name="alice", url=world.url)
        assert (promised["http"], promised["digest"]) == (200, made["digest"])
        assert promised["acknowledgement"]
        await until(lambda: world.bits(made["contributor"], word) == [1, 0])


def told(peer: JavaScriptPeer, digest: str) -> bool:
    """Whether the node has told a peer of a message: by gossip, or by sync if nobody listened yet."""
    return any(peer.said(event, digest=digest) for event in ("heard", "offered"))
