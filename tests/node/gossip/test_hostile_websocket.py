"""A WebSocket port is no weaker than one of bare TCP: what test_hostile.py asks of both, and its own."""

import asyncio
import contextlib
import functools
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest
import pytest_asyncio

from node.gossip import hostile, hostile_websocket
from node.gossip.harness import Network, Peer
from node.gossip.hostile_websocket import HEADERS, UPGRADES, hung_up_on, upgraded
from node.gossip.victims import (
    MOST_MEGABYTES,
    TRANSPORTS,
    address_of,
    megabytes,
    port_of,
    victim_and_honest,
    works,
)
from sayso_node.gossip.peers.addresses import peer_id_of_seed
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
WEBSOCKET = (TRANSPORTS["websocket"],)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[tuple[Peer, Peer]]:
    # Whatever is hung up on here is hung up on for what it is, not because time was up.
    async with victim_and_honest("websocket", upgrade_s=60.0) as two:
        yield two


def _strike(port: int, parts: list[bytes], *, upgrade: bool) -> bool:
    """Send it, and tell whether it was hung up on."""
    with upgraded(port) if upgrade else hostile.tcp(port) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except TimeoutError:
            return False
        except OSError:
            return True
        return hung_up_on(connection)


async def _all_hung_up_on(port: int, cases: dict[str, list[bytes]], *, upgrade: bool) -> None:
    names = [*cases]
    strikes = [asyncio.to_thread(_strike, port, cases[name], upgrade=upgrade) for name in names]
    ended = dict(zip(names, await asyncio.gather(*strikes), strict=True))
    assert all(ended.values()), ended


@pytest.mark.parametrize(
    ("cases", "upgrade"),
    [(UPGRADES, False), (hostile_websocket.FRAMES, True)],
    ids=["before the upgrade", "after it"],
)
async def test_what_is_no_websocket_is_hung_up_on(
    pair: tuple[Peer, Peer], cases: dict[str, list[bytes]], upgrade: bool
) -> None:
    victim, honest = pair
    pid, before = victim.pid, victim.gossip.counters()["upgrades_refused"]
    await _all_hung_up_on(await port_of(victim), cases, upgrade=upgrade)
    refused = 0 if upgrade else len(cases)
    await until(lambda: victim.gossip.counters()["upgrades_refused"] == before + refused)
    await works(victim, honest)
    assert victim.pid == pid
    assert megabytes(pid) < MOST_MEGABYTES
    assert victim.gossip.counters()["restarts"] == 0


@pytest.mark.parametrize(
    ("attack", "counter"),
    [(hostile.garbage, "streams_malformed"), (hostile.many_streams, "streams_refused")],
)
async def test_an_attack_over_websocket(
    pair: tuple[Peer, Peer], attack: hostile.Attack, counter: str
) -> None:
    """Two of those of test_hostile.py, where all of them are run over both."""
    victim, honest = pair
    pid, before = victim.pid, victim.gossip.counters()[counter]
    async with hostile.attacking(await address_of(victim), attack):
        await works(victim, honest)
        await until(lambda: victim.gossip.counters()[counter] > before)
    assert victim.pid == pid


async def test_who_says_nothing_or_too_slowly_leaves_its_slot() -> None:
    network = Network()
    try:
        victim = await network.peer(1, listen=WEBSOCKET, upgrade_s=1.0, max_connections=32)
        port = await port_of(victim)
        for _ in range(2):  # more of them than there are slots
            await _all_hung_up_on(port, hostile_websocket.SLOW_UPGRADES, upgrade=False)
            await _all_hung_up_on(port, hostile_websocket.SLOW_FRAMES, upgrade=True)
        await works(victim, await network.peer(2, victim))
        assert victim.gossip.counters()["restarts"] == 0
    finally:
        await network.close()


async def test_a_request_that_dribbles_in_has_no_longer() -> None:
    """Each byte comes in time, all of them do not."""
    network = Network()
    try:
        victim = await network.peer(1, listen=WEBSOCKET, upgrade_s=1.0)
        with hostile.tcp(await port_of(victim)) as connection:

            async def ended() -> bool:
                try:
                    connection.sendall(b"A")
                except OSError:
                    return True
                return False

            await until(ended)
    finally:
        await network.close()


async def test_idle_connections_of_one_address_leave_room_for_others(pair: tuple[Peer, Peer]) -> None:
    """Those that never ask for an upgrade are counted like those that had one."""
    victim, _ = pair
    port, network = await port_of(victim), Network()
    before = victim.gossip.counters()["connections_refused"]
    try:
        with ExitStack() as idle:
            for _ in range(16):
                idle.enter_context(upgraded(port, "127.0.0.2"))
            for _ in range(100):
                idle.enter_context(hostile.tcp(port, "127.0.0.2"))
            newcomer = await network.peer(3, victim)
            await works(victim, newcomer)
            await until(lambda: victim.gossip.counters()["connections_refused"] - before >= 80)
    finally:
        await network.close()


async def test_who_reads_nothing_and_pings_holds_up_nobody(pair: tuple[Peer, Peer]) -> None:
    """Its pings are answered with what fits into the socket, and none of them is kept."""
    victim, honest = pair
    pid = victim.pid
    ping = hostile_websocket.frame(b"x" * 125, 9) + hostile_websocket.frame(b"x" * 16_000)
    with upgraded(await port_of(victim)) as connection:
        connection.settimeout(1)
        try:
            while True:
                connection.sendall(ping)
        except OSError:
            pass  # full, or hung up on
        await works(victim, honest)
    assert victim.pid == pid
    assert megabytes(pid) < MOST_MEGABYTES


async def test_those_behind_a_proxy_are_told_apart() -> None:
    network = Network()
    try:
        victim = await network.peer(
            *(1,), listen=WEBSOCKET, trusted_proxies=("127.0.0.1",), max_connections_per_ip=2
        )
        port, counters = await port_of(victim), victim.gossip.counters
        with ExitStack() as held:
            for ip in ["11.1.1.1", "11.1.1.2", "::ffff:11.1.1.2", "2a00:1::1", "2a00:1::2", "11.1.1.1"]:
                headers = {"X_Forwarded_For": f"11.1.1.1, {ip}"}  # the first is what a peer made up
                held.enter_context(upgraded(port, **headers))
            assert counters()["connections_refused"] == 0
            for ip in ["11.1.1.1", "11.1.1.2", "2a00:1::3"]:
                connection = held.enter_context(upgraded(port, X_Forwarded_For=ip))
                assert await asyncio.to_thread(hung_up_on, connection)
            await until(lambda: counters()["connections_refused"] == 3)
            # Who is no proxy says what it likes.
            for n in range(2):
                held.enter_context(upgraded(port, "127.0.0.2", X_Forwarded_For=f"11.1.2.{n}"))
            with hostile.tcp(port, "127.0.0.2") as third:
                assert await asyncio.to_thread(hung_up_on, third)
            await until(lambda: counters()["connections_refused"] == 4)
    finally:
        await network.close()


_ANSWERS = {
    "nothing": b"",
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n",
    "elsewhere": b"HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1/\r\n\r\n",
    "a body without end": b"HTTP/1.1 200 OK\r\n\r\n" + bytes(100_000),
    "headers without end": b"HTTP/1.1 101 Switching\r\n" + b"A: b\r\n" * 20_000,
    "hints without end": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5000,
    "an answer to another question": b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    "random bytes": os.urandom(20_000),
}


@pytest.mark.long
async def test_who_answers_a_dialler_badly_costs_it_nothing() -> None:
    """And is dialled again."""
    network, asked = Network(), Counter[str]()

    async def answer(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked[name] += 1
        writer.write(_ANSWERS[name])
        with contextlib.suppress(OSError):
            await reader.read()  # until it hangs up
        writer.close()

    async with contextlib.AsyncExitStack() as servers:
        dial = []
        for seed, name in enumerate(_ANSWERS, 10):
            server = await asyncio.start_server(functools.partial(answer, name), "127.0.0.1", 0)
            await servers.enter_async_context(server)
            port, peer_id = server.sockets[0].getsockname()[1], peer_id_of_seed(bytes([seed]) * 32)
            dial.append(f"/ip4/127.0.0.1/tcp/{port}/ws/p2p/{peer_id}")
        try:
            victim = await network.peer(1, dial=dial, listen=WEBSOCKET, dial_s=1.0)
            await until(lambda: all(asked[name] >= 2 for name in _ANSWERS))
            await works(victim, await network.peer(2, victim))
            assert victim.gossip.counters()["restarts"] == 0
            assert megabytes(victim.pid) < MOST_MEGABYTES
        finally:
            await network.close()


async def test_compression_is_not_agreed_to(pair: tuple[Peer, Peer]) -> None:
    victim, _ = pair
    offer = "permessage-deflate; client_max_window_bits"
    with upgraded(await port_of(victim), Sec_WebSocket_Extensions=offer):
        pass  # `upgraded` looks for an answer to it
    assert "Sec-WebSocket-Extensions" not in HEADERS
