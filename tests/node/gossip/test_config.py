"""Peers are named and settings checked without libp2p; libp2p agrees about the names."""

import subprocess
import sys

import pytest
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from node.gossip.harness import CONSENTS, configuration, multiaddr_for
from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.peers.addresses import peer_id_of, peer_id_of_seed, split_multiaddr

SOMEBODY = peer_id_of_seed(bytes(32))


@pytest.mark.parametrize("byte", [0, 1, 127, 255])
def test_peer_ids_are_those_of_libp2p(byte: int) -> None:
    seed = bytes([byte]) * 32
    keys = create_new_key_pair(seed)
    assert peer_id_of_seed(seed) == ID.from_pubkey(keys.public_key).to_base58()
    assert peer_id_of(keys.public_key.to_bytes()) == peer_id_of_seed(seed)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_keys_of_another_length_are_refused(wrong: bytes) -> None:
    with pytest.raises(InvalidNodeConfig):
        peer_id_of(wrong)
    with pytest.raises(InvalidNodeConfig):
        peer_id_of_seed(wrong)


@pytest.mark.parametrize(
    ("host", "kind"), [("127.0.0.1", "ip4"), ("::1", "ip6"), ("node.example", "dns")]
)
def test_multiaddrs_are_those_of_libp2p(host: str, kind: str) -> None:
    peer = peer_id_of_seed(bytes(32))
    address = multiaddr_for(host, 4001, peer)
    assert Multiaddr(address).value_for_protocol(kind) == host
    assert split_multiaddr(address) == (multiaddr_for(host, 4001), peer)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:4001",
        "/ip4/127.0.0.1/tcp/4001",
        "/ip4/127.0.0.1/tcp/4001/p2p/",
        "/ip4/127.0.0.1/tcp/4001/p2p/0OIl",
        f"/ip4/127.0.0.1/udp/4001/quic-v1/p2p/{SOMEBODY}",
        f"/ip4/127.0.0.999/tcp/4001/p2p/{SOMEBODY}",
        f"/ip6/127.0.0.1/tcp/4001/p2p/{SOMEBODY}",
        f"/ip4/127.0.0.1/tcp/65536/p2p/{SOMEBODY}",
        f"/dns//tcp/4001/p2p/{SOMEBODY}",
        f"/ip4/127.0.0.1/tcp/4001/ws/ws/p2p/{SOMEBODY}",
        f"/ip4/127.0.0.1/tcp/4001/tls/ws/p2p/{SOMEBODY}",
        f"/ip4/127.0.0.1/ws/p2p/{SOMEBODY}",
        f"/ip4/127.0.0.1/tcp/4001/ws//p2p/{SOMEBODY}",
        f"/ip4/127.0.0.1/tcp/4001/p2p/{SOMEBODY[:-1]}",
    ],
)
def test_what_cannot_be_dialled_is_refused(address: str) -> None:
    with pytest.raises(InvalidNodeConfig):
        configuration(1, [address])


def test_the_hashed_ids_of_other_keys_can_be_dialled() -> None:
    hashed = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"
    configuration(1, [multiaddr_for("127.0.0.1", 4001, hashed)])


@pytest.mark.parametrize(
    "where", ["/ip4/127.0.0.1/tcp/1/ws", "/dns4/node.example/tcp/443/wss", "/ip6/::1/tcp/443/wss"]
)
def test_websockets_can_be_dialled(where: str) -> None:
    assert configuration(1, [f"{where}/p2p/{SOMEBODY}"]).peers
    assert split_multiaddr(f"{where}/p2p/{SOMEBODY}") == (where, SOMEBODY)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/dns/localhost/tcp/1",
        "/ip4/0.0.0.0/udp/1",
        "/ip4/0.0.0.0/tcp/1/wss",
        "/dns/a/tcp/1/ws",
    ],
)
def test_where_nobody_can_listen_is_refused(address: str) -> None:
    with pytest.raises(InvalidNodeConfig):
        configuration(1, [], listen=(address,))


@pytest.mark.parametrize("proxy", ["", "localhost", "127.0.0.1:1", "10.0.0.1/8", "0.0.0.0/0", "::/0"])
def test_a_proxy_is_an_ip_or_a_network(proxy: str) -> None:
    with pytest.raises(InvalidNodeConfig):
        configuration(1, [], trusted_proxies=(proxy,))


def test_settings_that_contradict_are_refused() -> None:
    with pytest.raises(InvalidNodeConfig):
        configuration(1, [], judge_s=5.0)
    with pytest.raises(InvalidNodeConfig):
        configuration(1, [], topics=(CONSENTS,))
    with pytest.raises(InvalidNodeConfig):
        configuration(1, [], max_frame_bytes=1024 * 1024)
    with pytest.raises(InvalidNodeConfig):
        configuration(1, [], max_response_bytes=16 * 1024 * 1024)
    with pytest.raises(InvalidNodeConfig):
        GossipConfig(seed=b"short", listen=(), peers=(), topics=())


def test_a_configuration_survives_the_socket_and_hides_its_seed() -> None:
    config = configuration(0x5A, [multiaddr_for("::1", 1, peer_id_of_seed(bytes(32)))])
    assert GossipConfig.from_wire(config.to_wire()) == config
    assert "Z" * 8 not in repr(config)


def test_the_node_does_without_libp2p() -> None:
    program = (
        "import sys, sayso_node.gossip.process\n"
        "assert not {'libp2p', 'trio', 'multiaddr'} & {m.split('.')[0] for m in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
