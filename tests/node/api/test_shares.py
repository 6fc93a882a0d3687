"""One pool for all, and a share for each source: who takes all that there is keeps nobody else out."""

import asyncio
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from node.api.process import parse
from sayso_node.api.http import bodies, connections, server
from sayso_node.api.http.shares import Seats, Turns
from sayso_node.api.routes import events
from sayso_node.errors import NodeBusy
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import encode_bundle
from support.node_rig import consent, revocation
from support.running_node import RunningNode, running_node
from support.waiting import until

STRANGER, ANOTHER, HERSELF = "127.0.0.2", "127.0.0.3", "127.0.0.4"
PROXY = "127.0.0.9"
MSGPACK = "application/msgpack"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(node: RunningNode, ip: str) -> Line:
    host, port = node.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port), local_addr=(ip, 0))


async def begin(node: RunningNode, ip: str, head: str, body: bytes = b"") -> Line:
    """Send a request, or its beginning, and keep the connection."""
    reader, writer = await connect(node, ip)
    writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
    return reader, writer


async def status(line: Line) -> int:
    return int((await line[0].readuntil(b"\r\n")).split()[1])


def listen(user: str = "") -> str:
    return "GET /v1/events HTTP/1.1\nHost: x" + (f"\nX-Forwarded-For: {user}" if user else "")


@asynccontextmanager
async def client(ip: str) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(local_addr=(ip, 0))
    async with aiohttp.ClientSession(connector=connector) as http:
        yield http


async def revoke(node: RunningNode, ip: str = HERSELF) -> int:
    body = encode_bundle([encode(revocation("everything"))])
    async with client(ip) as http:
        url, headers = node.url + "/v1/messages", {"Content-Type": MSGPACK}
        async with http.post(url, data=body, headers=headers) as answer:
            return answer.status


@pytest.mark.parametrize("ip", [STRANGER, HERSELF])
async def test_slow_bodies_that_grow_leave_room_for_revocations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ip: str
) -> None:
    """Three gzip bodies that never end; together they hold all memory. Her own, too."""
    size = 600_000
    monkeypatch.setattr(server, "HELD_BYTES", size)
    monkeypatch.setattr(server, "SOURCE_BYTES", size, raising=False)
    async with running_node(tmp_path) as node:
        await node.submit(consent(1))
        head = f"POST /v1/check HTTP/1.1\nHost: x\nContent-Type: {MSGPACK}\nContent-Encoding: gzip"
        packer = zlib.compressobj(wbits=31)
        part = packer.compress(os.urandom(size // 60) * 20) + packer.flush(zlib.Z_SYNC_FLUSH)
        held = [
            await begin(node, ip, f"{head}\nContent-Length: {len(part) + 9}", part) for _ in range(3)
        ]
        room = node.node._http._room
        await until(lambda: room.left < size // 2)
        assert await revoke(node) == 200
        assert not any(reader.at_eof() for reader, _ in held)


async def test_a_source_holds_its_share_of_the_memory_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HELD_BYTES", 400_000)
    monkeypatch.setattr(server, "SOURCE_BYTES", 200_000)
    async with running_node(tmp_path) as node:
        head = f"POST /v1/check HTTP/1.1\nHost: x\nContent-Type: {MSGPACK}\nContent-Length: 900000"
        first = await begin(node, STRANGER, head, bytes(150_000))
        room = node.node._http._room
        await until(lambda: room.left <= 400_000 - 84_000)
        second = await begin(node, STRANGER, head, bytes(250_000))
        assert await status(second) == 503
        third = await begin(node, ANOTHER, head, bytes(250_000))
        await until(lambda: room.left <= 400_000 - 84_000 - 180_000)
        assert not third[0].at_eof()
        for _, writer in (first, third):
            writer.close()
        await until(lambda: room.left == 400_000)
        assert not room._held


def test_the_largest_body_of_any_route_fits_the_share() -> None:
    from sayso_node.api.routes import checks, messages

    takes = [*checks.CHECK.takes.values(), *messages.SUBMIT.takes.values()]
    assert max(one.limit for one in takes) <= bodies.SOURCE_BYTES


async def test_a_body_that_trickles_is_refused(
    node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never pauses, and would take less than the longest time."""
    monkeypatch.setattr(bodies, "BODY_GRACE_S", 0.2)
    monkeypatch.setattr(bodies, "BODY_RATE", 100_000)
    head = "POST /v1/typed-data/revocation HTTP/1.1\nHost: x\nContent-Type: application/json"
    reader, writer = await begin(node, STRANGER, f"{head}\nContent-Length: 1000000", b"{")
    answer = asyncio.create_task(reader.read(4_096))
    while not answer.done():
        writer.write(b" " * 10)
        await asyncio.sleep(0.01)
    assert parse(await answer) == (408, "too-slow")


async def test_listeners_of_one_address_leave_seats_for_others(node: RunningNode) -> None:
    held = [await begin(node, STRANGER, listen()) for _ in range(events.STREAMS)]
    found = [await status(line) for line in held]
    assert (found.count(200), found.count(503)) == (
        events.SOURCE_STREAMS,
        events.STREAMS - events.SOURCE_STREAMS,
    )
    assert await status(await begin(node, ANOTHER, listen())) == 200


async def test_a_newcomer_displaces_a_listener_of_the_source_with_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = events.SOURCE_STREAMS
    monkeypatch.setattr(events, "STREAMS", 3 * share)
    async with running_node(tmp_path) as node:
        held = [await begin(node, f"127.0.1.{ip}", listen()) for ip in range(3) for _ in range(share)]
        assert {await status(line) for line in held} == {200}
        assert await status(await begin(node, ANOTHER, listen())) == 200
        ends = [asyncio.create_task(reader.read()) for reader, _ in held]
        await until(lambda: any(one.done() for one in ends))
        assert sum(one.done() for one in ends) == 1
        for one in ends:
            one.cancel()


@pytest.mark.parametrize(("named", "others"), [((PROXY,), 200), (("127.0.0.8",), 503), ((), 503)])
async def test_behind_a_named_proxy_users_are_told_apart(
    tmp_path: Path, named: tuple[str, ...], others: int
) -> None:
    """Behind one that is not named they are one source; nothing but the name makes a difference."""
    async with running_node(tmp_path, trusted_proxies=named) as node:
        for number in range(events.SOURCE_STREAMS):
            made_up = f"9.9.9.{number}, 203.0.113.7"  # what the user sent, and what the proxy added
            assert await status(await begin(node, PROXY, listen(made_up))) == 200
        assert await status(await begin(node, PROXY, listen("9.9.9.99, 203.0.113.7"))) == 503
        assert await status(await begin(node, PROXY, listen("203.0.113.8"))) == others


@pytest.mark.parametrize("kind", ["idle", "body", "busy"])
async def test_connections_of_one_source_make_room_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whatever they do: also those that a route works for, such as readers that do not read."""
    monkeypatch.setattr(connections, "CONNECTIONS", 12)
    head = {
        "idle": "GET /healthz HTTP/1.1\nHost: x",
        "body": "POST /v1/check HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 99",
        "busy": listen(),
    }[kind]
    async with running_node(tmp_path) as node:
        hers = [await begin(node, HERSELF, listen()) for _ in range(2)]
        assert [await status(line) for line in hers] == [200, 200]
        held = [await begin(node, STRANGER, head) for _ in range(10)]
        if kind != "body":
            assert {await status(line) for line in held} == {200}
        runner = node.node._http._runner
        assert runner
        server_ = runner.server
        assert server_
        await until(lambda: len(server_.connections) == 12)
        newcomers = [await begin(node, ANOTHER, "GET /healthz HTTP/1.1\nHost: x") for _ in range(3)]
        assert [await status(line) for line in newcomers] == [200, 200, 200]
        ends = [asyncio.create_task(reader.read()) for reader, _ in [*hers, *held]]
        await until(lambda: sum(one.done() for one in ends) >= 3)
        assert not any(one.done() for one in ends[:2])
        for one in ends:
            one.cancel()


def test_seats_are_fair() -> None:
    seats = Seats[int](4, 3, "seats")
    assert [seats.take("a", one) for one in range(3)] == [None, None, None]
    with pytest.raises(NodeBusy):
        seats.take("a", 3)
    assert seats.take("b", 4) is None
    assert seats.take("c", 5) == 0  # the oldest of the source with most
    with pytest.raises(NodeBusy):
        seats.take("b", 6)  # it has one, and nobody has more than two
    seats.leave(1)
    assert seats.take("b", 6) is None
    seats.leave(17)


async def test_turns_go_round_by_source() -> None:
    turns, order, gate = Turns(1, waiting=8, share=5, what="turns"), list[str](), asyncio.Event()

    async def work(name: str) -> None:
        async with turns.turn(name[0]):
            order.append(name)
            await gate.wait()

    names = ["a0", "a1", "a2", "a3", "b0", "b1", "c0"]
    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(work(name)))
        await asyncio.sleep(0)
    tasks[3].cancel()
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["a0", "a1", "b0", "c0", "a2", "b1"]
    assert (turns._free, len(turns._queues)) == (1, 0)


async def test_who_has_most_in_line_makes_room_there() -> None:
    turns, gate, busy = Turns(1, waiting=4, share=3, what="turns"), asyncio.Event(), list[str]()

    async def work(name: str) -> None:
        try:
            async with turns.turn(name[0]):
                await gate.wait()
        except NodeBusy:
            busy.append(name)

    tasks = []
    for name in ["a0", "a1", "a2", "a3", "a4", "b0", "c0", "d0", "e0"]:
        tasks.append(asyncio.create_task(work(name)))
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)
    assert busy == ["a4", "a3", "a2", "e0"]
    assert (turns._free, len(turns._queues)) == (1, 0)


async def test_a_turn_that_is_cancelled_as_it_comes_is_passed_on() -> None:
    turns, seen = Turns(1, waiting=4, share=3, what="turns"), list[str]()
    gate = asyncio.Event()

    async def work(name: str) -> None:
        async with turns.turn(name):
            seen.append(name)
            if name == "a":
                await gate.wait()

    first, second, third = (asyncio.create_task(work(name)) for name in "abc")
    await asyncio.sleep(0)
    gate.set()
    await asyncio.sleep(0)  # the first has ended, and the second has its turn but has not run
    second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert seen in (["a", "c"], ["a", "b", "c"])
    assert turns._free == 1
