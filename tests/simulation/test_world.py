"""The simulated world itself: time jumps, disks forget, links are cut, chains fork."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from sayso_contracts.registry.abi import encode_call
from sayso_node.errors import PeerUnreachable, StoreUnusable
from sayso_node.interfaces import Judgement, TransportHandlers
from simulation import loop
from simulation.account import FEES, SimAccount
from simulation.chain import Endpoint, Revoke, SimChain
from simulation.disk import Disk, LoopWriter, Medium, Moment
from simulation.loop import NothingHappens, VirtualLoop
from simulation.network import Net, Port
from simulation.plot import Curve, write_plot
from simulation.propagation import spread


def test_time_jumps_to_what_is_due() -> None:
    async def main(virtual: VirtualLoop) -> float:
        await asyncio.sleep(3_600)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        assert await asyncio.to_thread(lambda: 7) == 7
        return virtual.time()

    assert loop.run(main) == pytest.approx(3_610)


def test_who_waits_for_nothing_is_told() -> None:
    async def main(_virtual: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingHappens):
        loop.run(main)


class OutOfTime(BaseException):
    """As a test ends that takes too long."""


def test_an_interruption_ends_the_run_and_is_no_fault_of_a_node() -> None:
    def work() -> None:
        raise OutOfTime

    async def main(_virtual: VirtualLoop) -> None:
        asyncio.get_running_loop().run_in_executor(None, work)
        await asyncio.sleep(3_600)

    with pytest.raises(OutOfTime):
        loop.run(main)


class Computer:
    """A store on a disk, or on what is in place of one."""

    def __init__(self, disk: Medium) -> None:
        self.disk = disk
        self.start()

    def start(self) -> None:
        self.writer = LoopWriter(lambda: 0.01)
        self.store = self.disk.store("store", Random(1).randbytes, self.writer)
        self.store.start()

    def lose_power(self) -> None:
        self.writer.lose_power()
        self.disk.lose_power()

    async def put(self, name: str) -> None:
        await self.store.write(lambda db: db.execute("INSERT INTO numbers VALUES (?, 1)", (name,)))

    def names(self) -> set[str]:
        with self.store.read() as db:
            return {name for (name,) in db.execute("SELECT name FROM numbers")}


def test_a_disk_forgets_what_was_not_committed() -> None:
    async def main(_virtual: VirtualLoop) -> None:
        computer = Computer(Disk(Random(1)))
        await computer.put("kept")
        asyncio.create_task(computer.put("lost"))  # noqa: RUF006 - the power fails before it is done
        await asyncio.sleep(0)
        computer.lose_power()
        computer.start()
        assert computer.names() == {"kept"}

    loop.run(main)


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE, set()), (Moment.AFTER, {"it"})])
def test_the_power_fails_around_a_commit(moment: Moment, left: set[str]) -> None:
    async def main(_virtual: VirtualLoop) -> None:
        computer = Computer(Disk(Random(1)))
        computer.disk.on_power_failure = computer.lose_power
        computer.disk.power_fails = moment
        asyncio.create_task(computer.put("it"))  # noqa: RUF006 - nobody is told what came of it
        await asyncio.sleep(1)
        computer.start()
        assert computer.names() == left

    loop.run(main)


def test_a_commit_that_the_power_failed_before_is_an_error_for_who_goes_on() -> None:
    """As for an operator who erases while the node itself is stopped."""

    async def main(_virtual: VirtualLoop) -> None:
        computer = Computer(Disk(Random(1)))
        computer.disk.power_fails = Moment.BEFORE
        with pytest.raises(StoreUnusable):
            await computer.put("lost")
        assert computer.names() == set()

    loop.run(main)


def test_what_is_not_synced_is_lost_with_the_power() -> None:
    async def main(_virtual: VirtualLoop) -> None:
        disk = Disk(Random(1))
        computer = Computer(disk)
        disk.open(Path("store")).execute("PRAGMA synchronous = OFF")
        for number in range(3):
            await computer.put(f"n{number}")
        computer.lose_power()
        computer.start()
        assert computer.names() < {"n0", "n1", "n2"}

    loop.run(main)


def test_a_full_disk_is_an_error_and_not_an_end() -> None:
    async def main(_virtual: VirtualLoop) -> None:
        computer = Computer(Disk(Random(1)))
        computer.disk.is_full = True
        with pytest.raises(StoreUnusable):
            await computer.put("no room")
        computer.disk.is_full = False
        await computer.put("room")
        assert computer.names() == {"room"}

    loop.run(main)


class Owner:
    def __init__(self) -> None:
        self.tasks: dict[asyncio.Task[object], None] = {}


class Pair:
    """Two ports that are connected; remembers what they hear."""

    def __init__(self) -> None:
        self.net = Net(Random(1))
        self.ports = [Port(self.net, name) for name in ("a", "b")]
        self.heard: list[tuple[str, bytes]] = []
        self.link = self.net.join(self.ports[0], self.ports[1], 0.05)

    async def start(self) -> None:
        for port in self.ports:
            port.belongs_to(Owner())
            await port.start(TransportHandlers(self._frame(port), self._answer, lambda _p, _c: None))
        self.net.look_after()

    def _frame(self, port: Port):  # type: ignore[no-untyped-def]
        async def on_frame(_topic: str, frame: bytes, _peer: str) -> Judgement:
            self.heard.append((port.peer_id, frame))
            return Judgement.ACCEPT

        return on_frame

    async def _answer(self, _protocol: str, body: bytes, _peer: str) -> bytes:
        return body * 2


def test_a_cut_in_one_direction_is_noticed_after_a_while() -> None:
    async def main(_virtual: VirtualLoop) -> None:
        pair = Pair()
        await pair.start()
        one, other = pair.ports
        assert await one.request("b", "p", b"x", 15) == b"xx"
        await one.publish("t", b"heard")
        await asyncio.sleep(1)
        pair.net.cut(one, other)
        await one.publish("t", b"lost")
        await other.publish("t", b"the other way")
        with pytest.raises(PeerUnreachable):
            await one.request("b", "p", b"x", 15)
        await asyncio.sleep(15)
        pair.net.look_after()
        assert not pair.link.connected
        pair.net.mend()
        await asyncio.sleep(10)
        pair.net.look_after()
        assert pair.link.connected
        assert pair.heard == [("b", b"heard"), ("a", b"the other way")]

    loop.run(main)


def test_a_reorganisation_mines_again_what_it_dropped() -> None:
    async def main(virtual: VirtualLoop) -> None:
        chain = SimChain(Random(1), virtual.time)
        behind, endpoint = (Endpoint(chain, Random(1)) for _ in range(2))
        account = SimAccount(endpoint, b"\1" * 20)
        anchor = await account.sign(encode_call("anchor", bytes(32)), 0, 1, FEES)
        chain.submit(Revoke(b"\2" * 20, 7, 1))
        await account.send(anchor.raw)
        chain.mine()
        await behind.head()
        behind.stay_behind()
        chain.reorganise(1, lost=0.0)
        here, there = await endpoint.events(1, 9), await behind.events(1, 9)
        assert [type(one) for one in here] == [type(one) for one in there]
        assert here[0].block_hash != there[0].block_hash
        assert await account.knows(anchor.hash)
        assert (await account.landed(anchor.hash)).block.hash == here[-1].block_hash  # type: ignore[union-attr]
        behind.catch_up()
        assert await behind.events(1, 9) == here

    loop.run(main)


def test_a_revocation_spreads_at_the_speed_of_the_links() -> None:
    quick = spread(40)
    assert len(quick.arrivals) == 40
    assert quick.all_s >= (quick.hops - 1) * 0.05
    svg = write_plot("a & b", [Curve("c", quick.arrivals, "#000")], 40, (0.2, "bound"))
    assert "a &amp; b" in svg
    assert svg.count("<path") == 1
