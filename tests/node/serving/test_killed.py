"""Processes that are killed: what any of them acknowledged is there afterwards, and was sent."""

import os
import signal

import psycopg
import pytest

from bench.api_scaling import BesideNode, beside
from bench.consents import current
from bench.real_node import MeasuredNode, measured_node
from node.store.backends import server
from sayso.demo.nodes import DemoNode
from sayso_node.store import messages
from sayso_node.store.opening import snapshot_at
from support.waiting import until

pytestmark = pytest.mark.long


def kill(node: DemoNode) -> None:
    assert node.process
    os.kill(node.process.pid, signal.SIGKILL)


def unsent(place: str) -> int:
    with psycopg.connect(place) as db:
        row = db.execute("SELECT count(*) FROM store_outbox").fetchone()
        assert row
        return int(row[0])


async def take(node: MeasuredNode, by: DemoNode, number: int) -> bytes:
    """Hand a consent in; returns its digest once it is stored."""
    envelope = current(number, 1, node.trusted.network)
    async with by.client(node.trusted) as client:
        await client.submit([envelope])
    return envelope.digest


async def test_either_side_is_killed() -> None:
    place, taken = server().schema(), list[bytes]()
    async with (
        measured_node(store=place) as node,
        beside(node, "one") as one,
        beside(node, "two") as two,
    ):
        for number, by in enumerate((one, two, node.node)):
            taken.append(await take(node, by, number))
        await until(lambda: unsent(place) == 0)
        kill(node.node)
        for number in range(3, 9):
            taken.append(await take(node, (one, two)[number % 2], number))
        assert unsent(place) == 6
        kill(one)
        taken.append(await take(node, two, 9))
        await restart(node, node.node)
        await restart(node, one)
        await until(lambda: unsent(place) == 0)
        taken.append(await take(node, one, 10))
        with snapshot_at(place) as db:
            assert messages.known_of(db, taken) == set(taken)
        async with one.client(node.trusted) as client:

            async def hears_the_node() -> bool:
                return (await client.node()).block is not None

            await until(hears_the_node)


async def restart(node: MeasuredNode, process: DemoNode | BesideNode) -> None:
    assert process.process
    await process.process.stop()  # it is dead: this reaps it
    await process.start()
    await process.ready(node.trusted)
