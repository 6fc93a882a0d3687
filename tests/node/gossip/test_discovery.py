"""Peers are found through peers, over real sockets, and found again after a restart."""

import re
from pathlib import Path
from typing import Any

import pytest

from node.gossip.harness import Network, Peer, meshed
from sayso_node.gossip.peers import address_manager, discovery
from sayso_node.gossip.peers.network_groups import MAX_ADDRESS_CHARS
from sayso_node.gossip.peers.peer_store import PeerStore
from sayso_protocol.encoding.packing import pack
from sayso_protocol.messages.wire import PEERS_PROTOCOL
from support.packed import unpack
from support.waiting import until

QUICK: dict[str, Any] = {"discover_every_s": 0.1, "ask_peers_every_s": 0.3, "discovered_redial_s": 0.1}
PROTOCOL = (Path(__file__).parents[3] / "docs/protocol.md").read_text()


async def test_a_third_learns_of_the_second_through_the_first(network: Network, tmp_path: Path) -> None:
    first = await network.peer(1, network="net", **QUICK)
    second = await network.peer(2, first, network="net", **QUICK)
    book = PeerStore(tmp_path / "peers.json")
    third = await network.peer(3, first, peer_store=book, network="net", **QUICK)
    await until(lambda: third.sees(second))
    await meshed(third, second)
    # Either may have been quicker to connect to the other; each meets the other in any case.
    await until(lambda: any(one.gossip.counters()["peers_discovered"] for one in (second, third)))
    (address,) = await second.gossip.listen_addresses()
    await until(lambda: address in book.addresses())
    # Without the first, the book is enough.
    await third.gossip.stop()
    await first.gossip.stop()
    again = await network.peer(3, peer_store=book, network="net", **QUICK)
    await until(lambda: again.sees(second))


@pytest.mark.long
async def test_what_is_told_was_proved_and_other_networks_are_told_nothing(network: Network) -> None:
    first = await network.peer(1, network="net", **QUICK)
    other = await network.peer(4, first, network="another", **QUICK)
    liar = await network.peer(5, first, network="net", discovered_peers=0)
    (where,) = await first.gossip.listen_addresses()
    port = where.split("/")[4]
    # At the first's port sits the first, and not the liar; at the other address sits nobody.
    own = [f"/ip4/127.0.0.1/tcp/{port}/p2p/{liar.id}"]
    elsewhere = [f"/ip4/127.0.0.1/tcp/1/p2p/{other.id}"]
    question = pack(["net", own + elsewhere])
    answer = await liar.gossip.request(first.id, PEERS_PROTOCOL, question, 30.0)
    assert unpack(answer) == [where]
    await until(lambda: first.gossip.counters()["addresses_refuted"])
    assert unpack(await liar.gossip.request(first.id, PEERS_PROTOCOL, question, 30.0)) == [where]
    assert first.gossip.counters()["addresses_verified"] == 0
    assert await other.sees(first)
    assert other.gossip.counters()["peers_discovered"] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("question_bytes", discovery.MAX_QUESTION_BYTES),
        ("answer_bytes", discovery.MAX_ANSWER_BYTES),
        ("own_addresses", discovery.MAX_OWN),
        ("told_addresses", discovery.MAX_TOLD),
        ("address_chars", MAX_ADDRESS_CHARS),
        ("heard", address_manager.MOST_HEARD),
        ("heard_of_source", address_manager.MOST_HEARD_OF_SOURCE),
        ("heard_in_group", address_manager.MOST_HEARD_IN_GROUP),
        ("met", address_manager.MOST_MET),
        ("met_in_group", address_manager.MOST_MET_IN_GROUP),
        ("chosen_in_group", address_manager.MOST_CHOSEN_IN_GROUP),
        ("failures", address_manager.MOST_FAILURES),
        ("redial_s", int(address_manager.MOST_REDIAL_S)),
        ("told_s", int(address_manager.TOLD_S)),
    ],
)
def test_the_limits_are_in_the_document(name: str, value: int) -> None:
    section = PROTOCOL.split("\n## 14. ")[1].split("\n## ")[0]
    assert re.search(rf"^\| {name} \| {value:,} \| ", section, re.MULTILINE)
    assert PEERS_PROTOCOL in section


@pytest.mark.long
async def test_a_slot_comes_back_when_its_peer_is_gone(network: Network) -> None:
    first = await network.peer(1, network="net", **QUICK)
    third = await network.peer(3, first, network="net", discovered_peers=1, **QUICK)
    for seed in (6, 7):
        found = await network.peer(seed, first, network="net", discovered_peers=1, **QUICK)
        await _sees(third, found)
        await found.gossip.stop()
        await _sees(third, found, connected=False)


async def _sees(one: Peer, other: Peer, *, connected: bool = True) -> None:
    async def so() -> bool:
        return await one.sees(other) is connected

    await until(so)
