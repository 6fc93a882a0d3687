"""The book of peers survives restarts and disks that fail, and is bounded."""

from pathlib import Path

import pytest

from sayso_node.gossip.peers.address_manager import MOST_MET
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.gossip.peers.peer_store import PeerStore

WHERE = "/ip4/11.1.1.1/tcp/4001/p2p/"


def address(number: int) -> str:
    return WHERE + peer_id_of(number.to_bytes(32))


def opened(path: Path) -> PeerStore:
    book = PeerStore(path / "peers.json")
    book.open()
    return book


def test_what_was_met_is_there_after_a_restart_and_what_was_lost_is_not(tmp_path: Path) -> None:
    book = opened(tmp_path)
    for number in (3, 1, 2, 3):
        book.met(address(number))
    book.lost(address(2))
    book.met("nonsense")
    book.close()
    again = opened(tmp_path)
    assert again.addresses() == (address(3), address(1))
    again.close()
    assert again.addresses() == ()


@pytest.mark.parametrize("content", [b"no list", b"7", b"\xff", b'[1, {}, "/ip4/nowhere"]', b""])
def test_a_book_that_cannot_be_read_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "peers.json").write_bytes(content)
    book = opened(tmp_path)
    assert book.addresses() == ()
    book.met(address(1))
    book.close()
    assert opened(tmp_path).addresses() == (address(1),)


def test_a_disk_that_fails_costs_only_what_a_restart_would_find(tmp_path: Path) -> None:
    book = opened(tmp_path / "missing")
    book.met(address(1))
    book.lost(address(2))
    assert book.addresses() == (address(1),)


def test_a_full_book_loses_whom_it_met_longest_ago(tmp_path: Path) -> None:
    book = opened(tmp_path)
    for number in range(MOST_MET + 5):
        book.met(address(number))
    held = book.addresses()
    assert len(held) == MOST_MET
    assert address(4) not in held
    assert address(5) in held
    book.close()
    assert opened(tmp_path).addresses() == held
