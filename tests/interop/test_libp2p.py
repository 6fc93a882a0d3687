"""A peer in JavaScript, written from docs/protocol.md alone, is a peer like any other."""

import time
from pathlib import Path
from typing import Any

import pytest

from interop.javascript_peer import JavaScriptPeer
from node.gossip.victims import TRANSPORTS
from sayso_protocol.messages.envelope import Envelope
from support.gossiping import GossipingNode
from support.node_rig import consent, revocation
from support.protocol_strategies import NETWORK
from support.waiting import until


async def _arrives(node: GossipingNode, peer: JavaScriptPeer, message: Envelope) -> None:
    """The first time, perhaps nobody has subscribed yet; gossip does not repair that."""

    async def heard() -> bool:
        await node.publish(message)
        return peer.said("heard", digest="0x" + message.digest.hex()) is not None

    await until(heard)


async def _is_a_peer_like_any_other(node: GossipingNode, peer: JavaScriptPeer) -> None:
    name = (await peer.hears("ready"))["peer"]

    # Gossip, ours to it: checked there, signatures and all.
    now = int(time.time())
    dates: dict[str, Any] = {"issued_at": now - 60, "expires_at": now + 86_400}
    ours = consent(1, count=3, **dates)
    taken_back = revocation("everything for resale")
    for one in (ours, taken_back):
        await node.hand_in(one)
        await _arrives(node, peer, one)

    # Gossip, its to us: signed by viem, sponsored by its own key.
    made = await peer.do("made", "make", name="alice", publish=True)
    for digest in (made["consent"], made["revocation"]):
        await until(lambda digest=digest: node.holds(digest))  # type: ignore[misc]

    # Sync, both ways: what neither published.
    hidden = await peer.do("made", "make", name="bob", publish=False)
    kept = consent(2, **dates)
    await node.hand_in(kept, publish=False)
    assert (await peer.do("compared", "compare"))["equal"] is False
    assert await node.rounds.round(name)
    assert node.holds(hidden["consent"])
    assert node.holds(hidden["revocation"])
    await peer.hears("offered", digest="0x" + kept.digest.hex())
    assert (await peer.do("compared", "compare"))["equal"] is True

    # And it is told of peers: of the one that it asks, among others.
    (where,) = await node.network.listen_addresses()
    assert where in (await peer.do("peers", "peers"))["told"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_peer_in_javascript_dials_us(tmp_path: Path, transport: str) -> None:
    async with GossipingNode.running(tmp_path, listen=TRANSPORTS[transport]) as node:
        (address,) = await node.network.listen_addresses()
        async with JavaScriptPeer.running(node.place, address) as peer:
            await _is_a_peer_like_any_other(node, peer)


@pytest.mark.parametrize("transport", [pytest.param("tcp", marks=pytest.mark.long), "websocket"])
async def test_we_dial_a_peer_in_javascript(tmp_path: Path, transport: str) -> None:
    async with JavaScriptPeer.running(NETWORK, listen=TRANSPORTS[transport]) as peer:
        address = (await peer.hears("listening"))["address"]
        async with GossipingNode.running(tmp_path, peers=(address,)) as node:
            await _is_a_peer_like_any_other(node, peer)
