"""Peers speak over WebSocket as they do over TCP, beside it, and through a proxy that ends TLS."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from node.gossip.harness import SYNC, Network, Peer, meshed
from node.gossip.tls_proxy import certificate, tls_proxy
from node.gossip.victims import TRANSPORTS, address_of, port_of
from sayso_node.errors import PeerUnreachable
from sayso_node.gossip.peers.addresses import split_multiaddr
from sayso_protocol.messages.envelope import Envelope
from support.gossiping import GossipingNode
from support.node_rig import consent, revocation
from support.waiting import until

WEBSOCKET, TCP = TRANSPORTS["websocket"], TRANSPORTS["tcp"]


async def _speak(one: Peer, other: Peer) -> None:
    """Gossip and requests, both ways."""
    for speaker, listener in ((one, other), (other, one)):
        listener.frames.clear()
        await meshed(speaker, listener)
        assert await speaker.gossip.request(listener.id, SYNC, b"abc", 30.0) == b"cba"


async def test_two_peers_over_websocket_alone_and_one_is_killed(network: Network) -> None:
    first = await network.peer(1, listen=(WEBSOCKET,))
    second = await network.peer(2, first, listen=(WEBSOCKET,))
    address = await address_of(first)
    assert split_multiaddr(address)[0].endswith("/ws")
    await _speak(first, second)
    large = os.urandom(3_000_000)
    assert await second.gossip.request(first.id, SYNC, large, 30.0) == large[::-1]
    pid = first.pid
    os.kill(pid, signal.SIGKILL)
    await until(lambda: first.gossip.pid not in (None, pid))
    await until(lambda: first.events == [(second.id, True), (second.id, False), (second.id, True)])
    assert await address_of(first) == address
    await _speak(first, second)


async def test_one_listens_on_both_and_joins_those_who_speak_one(network: Network) -> None:
    middle = await network.peer(1, listen=(TCP, WEBSOCKET))
    over_tcp, over_websocket = await middle.gossip.listen_addresses()
    assert "/ws" not in over_tcp
    left = await network.peer(2, dial=[over_tcp])
    right = await network.peer(3, dial=[over_websocket], listen=(WEBSOCKET,))
    await meshed(left, middle, right)
    await meshed(right, middle, left)
    assert not await left.sees(right)


@pytest.mark.long
@pytest.mark.parametrize("listen", ["/ip6/::1/tcp/0/ws", WEBSOCKET])
async def test_by_ipv6_and_by_name(network: Network, listen: str) -> None:
    first = await network.peer(1, listen=(listen,))
    address = (await address_of(first)).replace("/ip4/127.0.0.1/", "/dns4/localhost/")
    second = await network.peer(2, dial=[address])
    await _speak(first, second)


@pytest.mark.long
async def test_peers_are_told_of_websockets(network: Network) -> None:
    quick: dict[str, Any] = {"discover_every_s": 0.1, "ask_peers_every_s": 0.3, "network": "net"}
    first = await network.peer(1, listen=(WEBSOCKET,), **quick)
    second = await network.peer(2, first, listen=(WEBSOCKET,), **quick)
    third = await network.peer(3, first, listen=(WEBSOCKET,), **quick)
    await until(lambda: third.sees(second))
    await _speak(second, third)


async def test_what_gossip_missed_is_found_by_sync_over_websocket(tmp_path: Path) -> None:
    dates: dict[str, Any] = {"issued_at": int(time.time()) - 60, "expires_at": int(time.time()) + 86_400}
    theirs: list[Envelope] = [consent(1, **dates), revocation("everything for resale")]
    ours = consent(2, **dates)
    async with GossipingNode.running(tmp_path, "one", WEBSOCKET) as one:
        peers = tuple(await one.network.listen_addresses())
        async with GossipingNode.running(tmp_path, "other", WEBSOCKET, peers) as other:
            for envelope in theirs:
                await one.hand_in(envelope, publish=False)
            await other.hand_in(ours, publish=False)

            async def compared() -> bool:
                return await other.rounds.round(one.network.peer_id)

            await until(compared)
            assert all(other.holds("0x" + envelope.digest.hex()) for envelope in theirs)
            assert await one.rounds.round(other.network.peer_id)
            assert one.holds("0x" + ours.digest.hex())


async def test_tls_is_checked_by_name_and_ended_by_a_proxy(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = certificate(tmp_path, "localhost"), certificate(tmp_path, "another.example")
    bundle = tmp_path / "trusted.pem"
    bundle.write_bytes(right.read_bytes() + wrong.read_bytes())
    victim = await network.peer(1, listen=(WEBSOCKET,), trusted_proxies=("127.0.0.1",))
    port = await port_of(victim)
    async with tls_proxy(port, right) as good, tls_proxy(port, wrong) as bad:
        by_name = [f"/dns4/localhost/tcp/{one}/wss/p2p/{victim.id}" for one in (good, bad)]
        stranger = await network.peer(2, dial=by_name[:1])  # trusts no such authority
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        misled = await network.peer(3, dial=by_name[1:])  # is shown the certificate of another name
        friend = await network.peer(4, dial=by_name[:1])
        await _speak(victim, friend)
        for one in (stranger, misled):
            with pytest.raises(PeerUnreachable):
                await one.gossip.request(victim.id, SYNC, b"abc", 30.0)
        assert {peer for peer, _ in victim.events} == {friend.id}
