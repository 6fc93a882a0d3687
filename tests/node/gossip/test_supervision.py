"""The child dies and comes back; the node never notices more than a gap, and leaves nothing behind."""

import asyncio
import os
import signal
import socket
import sys
from itertools import count
from pathlib import Path

import pytest

from node.gossip.harness import CONSENTS, SYNC, Network, Peer, alive, configuration, meshed
from sayso_node.errors import GossipDown, GossipQueueFull, PeerUnreachable
from sayso_node.gossip.process import GossipProcess
from support.waiting import DEADLINE_S, until

LIBRARY_GRUDGE_S = 60.0  # for so long py-libp2p by itself refuses to dial after a failure


async def _restarted(peer: Peer, old: int) -> None:
    await until(lambda: peer.gossip.pid not in (None, old))
    assert not alive(old)


async def test_a_killed_child_is_restarted_and_the_mesh_returns(network: Network) -> None:
    first = await network.peer(1)
    second = await network.peer(2, first)
    await meshed(first, second)
    pid, addresses = first.pid, await first.gossip.listen_addresses()
    os.kill(pid, signal.SIGKILL)
    await _restarted(first, pid)
    assert await first.gossip.listen_addresses() == addresses
    assert first.gossip.counters()["restarts"] == 1
    await until(lambda: first.events == [(second.id, True), (second.id, False), (second.id, True)])
    second.frames.clear()
    await meshed(first, second)
    assert await second.gossip.request(first.id, SYNC, b"abc", 30.0) == b"cba"


async def test_a_child_that_no_longer_answers_is_restarted(network: Network) -> None:
    peer = await network.peer(1, probe_every_s=0.1, probe_s=3.0, stop_s=0.2)
    pid = peer.pid
    os.kill(pid, signal.SIGSTOP)
    await _restarted(peer, pid)


async def test_a_stopped_child_is_noticed_before_it_is_given_up(network: Network) -> None:
    """So that /readyz says it, while the child may still come back."""
    peer = await network.peer(1, probe_every_s=0.05, silent_s=0.2, probe_s=3600.0)
    assert not peer.gossip.is_silent
    pid = peer.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: peer.gossip.is_silent)
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(lambda: not peer.gossip.is_silent)
    assert peer.pid == pid
    os.kill(pid, signal.SIGKILL)
    await _restarted(peer, pid)
    await until(lambda: not peer.gossip.is_silent)


@pytest.mark.long
async def test_counters_outlive_the_child(network: Network) -> None:
    first = await network.peer(1)
    await first.gossip.publish(CONSENTS, b"x")
    await until(lambda: first.gossip.counters()["frames_published"] == 1)
    pid = first.pid
    os.kill(pid, signal.SIGKILL)
    await _restarted(first, pid)
    await first.gossip.publish(CONSENTS, b"y")
    await until(lambda: first.gossip.counters()["frames_published"] == 2)


async def test_what_fails_in_looking_after_it_is_raised_and_begun_anew(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_process: GossipProcess) -> None:
        raise RuntimeError("a fault of ours")

    peer = await network.peer(1)
    pid = peer.pid
    with monkeypatch.context() as faulty:
        faulty.setattr(GossipProcess, "_stop_child", fail)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="a fault of ours"):
            await peer.gossip.watch()
    watching = asyncio.create_task(peer.gossip.watch())
    await _restarted(peer, pid)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await peer.gossip.publish(CONSENTS, b"still here")


async def test_while_the_child_is_down_callers_are_told(network: Network) -> None:
    first = await network.peer(1, restart_min_s=3600.0, restart_max_s=3600.0)
    second = await network.peer(2, first)
    await meshed(first, second)
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: first.gossip.pid is None)
    with pytest.raises(GossipDown):
        await first.gossip.publish(CONSENTS, b"x")
    with pytest.raises(PeerUnreachable):
        await first.gossip.request(second.id, SYNC, b"x", 5.0)
    assert await first.gossip.peers() == []
    await until(lambda: second.sees(first, connected=False))


@pytest.mark.long
async def test_a_peer_that_was_killed_and_returns_is_redialled(network: Network) -> None:
    listener = await network.peer(1)
    dialler = await network.peer(2, listener)
    await meshed(dialler, listener)
    addresses = await listener.gossip.listen_addresses()
    await listener.gossip.stop()
    await until(lambda: dialler.sees(listener, connected=False))
    where = tuple(address.rpartition("/p2p/")[0] for address in addresses)
    again = await network.peer(1, listen=where)
    await until(lambda: dialler.sees(again), LIBRARY_GRUDGE_S / 2)
    await meshed(dialler, again)


@pytest.mark.long
async def test_a_peer_that_stops_without_hanging_up_is_noticed(network: Network) -> None:
    frozen = await network.peer(1)
    watcher = await network.peer(2, frozen, ping_every_s=0.2, ping_s=2.0, dial_s=1.0)
    await meshed(watcher, frozen)
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        await until(lambda: watcher.sees(frozen, connected=False))
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    await until(lambda: watcher.sees(frozen))


async def _publish_for_ever(sender: Peer) -> None:
    for number in count():
        await sender.gossip.publish(CONSENTS, b"%08d" % number + bytes(60_000))


async def test_a_full_queue_is_said_and_holds_up_nobody_for_long(network: Network) -> None:
    frozen = await network.peer(1)
    sender = await network.peer(2, frozen, queue_frames=8, lag_s=3600.0)
    await meshed(sender, frozen)
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        with pytest.raises(GossipQueueFull):
            await _publish_for_ever(sender)
        await until(lambda: sender.gossip.counters()["frames_refused"] == 1)
    finally:
        os.kill(frozen.pid, signal.SIGCONT)

    async def room() -> bool:
        try:
            await sender.gossip.publish(CONSENTS, b"after")
        except GossipQueueFull:
            return False
        return True

    await until(room)
    await until(lambda: frozen.heard(b"after"))


async def test_stop_leaves_nothing_and_start_works_again(network: Network) -> None:
    peer = await network.peer(1)
    pid = peer.pid
    await peer.gossip.stop()
    assert not alive(pid)
    await peer.gossip.stop()
    await peer.start()
    assert alive(peer.pid)


@pytest.mark.long
async def test_a_taken_port_is_an_error_at_the_start(network: Network) -> None:
    first = await network.peer(1)
    (address,) = await first.gossip.listen_addresses()
    with pytest.raises(GossipDown, match="cannot listen"):
        await network.peer(2, listen=(address.rpartition("/p2p/")[0],))


def _given_to(pid: int) -> list[bytes]:
    return [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]


async def test_the_seed_is_in_no_argument_and_no_environment(network: Network) -> None:
    peer = await network.peer(0x5A)
    for text in _given_to(peer.pid):
        assert b"ZZZZZZZZ" not in text
        assert b"5a5a5a5a" not in text
    assert os.getsid(peer.pid) != os.getsid(0)


async def test_signals_for_the_node_do_not_end_the_child(network: Network) -> None:
    peer = await network.peer(1)
    pid = peer.pid
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    await peer.gossip.publish(CONSENTS, b"still here")
    assert peer.gossip.pid == pid
    assert peer.gossip.counters()["restarts"] == 0


_PARENT = """
import asyncio
from node.gossip.harness import configuration, Peer
from sayso_node.gossip.process import GossipProcess

async def main():
    peer = Peer(GossipProcess(configuration(1, [])))
    await peer.start()
    print(peer.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_parent_leaves_no_child() -> None:
    tests = str(Path(__file__).parents[2])
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PARENT),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": tests},
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert alive(child)
    parent.kill()
    await parent.wait()
    await until(lambda: not alive(child))


_STUCK = """
import sys, threading
from sayso_node.gossip import child
threading.Thread(target=child._die_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
print("ready", flush=True)
while True:
    pass
"""


@pytest.mark.long
async def test_a_child_whose_loop_is_stuck_dies_with_its_parent_too() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stuck = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _STUCK, str(theirs.fileno())),
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        )
        assert stuck.stdout is not None
        assert await stuck.stdout.readline() == b"ready\n"
    async with asyncio.timeout(DEADLINE_S):
        assert await stuck.wait() == 1


async def test_a_cancelled_start_leaves_nothing() -> None:
    peer = Peer(GossipProcess(configuration(1, [])))
    starting = asyncio.create_task(peer.start())
    await until(lambda: peer.gossip._child is not None)
    child = peer.gossip._child
    assert child is not None
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert not alive(child.pid)
