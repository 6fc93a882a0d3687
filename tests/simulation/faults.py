"""The named faults: each is a small story that begins at a random moment and ends, or is ended."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from simulation.disk import Moment
from simulation.erasing import erase
from simulation.machine import Machine
from simulation.network import Weather
from simulation.world import COME_UP_S, World

LASTS_S = (1.0, 25.0)
SLOW_S = (0.5, 20.0)
ARMED_S = 10.0  # within which a commit comes, or the power fails anyway
Story = Callable[["Faults"], Coroutine[Any, Any, None]]


class Faults:
    """Lets things break as the options say."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.options = world.options
        self.random = Random(f"{world.seed}/faults")
        self._stories: list[asyncio.Task[Any]] = []

    def begin(self) -> None:
        """Choose the moments, and let time do the rest."""
        options, world = self.options, self.world
        world.net.weather = Weather(options.loss, options.duplication, options.jitter_s, options.failure)
        for machine in world.everybody:
            machine.clock.error_s = self._error_s()
            machine.endpoint.failure = options.endpoint_failure
        for machine in self.random.sample(world.machines, options.slow):
            machine.port.slowness_s = self.random.uniform(*SLOW_S)
        stories: list[tuple[int, Story]] = [
            (options.cuts, Faults.cut),
            (options.crashes, Faults.crash),
            (options.restarts, Faults.restart),
            (options.child_deaths, Faults.child_death),
            (options.full_disks, Faults.full_disk),
            (options.clock_jumps, Faults.clock_jump),
            (options.reorgs, Faults.reorganisation),
            (options.endpoints_behind, Faults.endpoint_behind),
            (options.erasures, Faults.erasure),
        ]
        for count, story in stories:
            for _ in range(count):
                work = self._at(self.random.uniform(0, options.seconds), story)
                self._stories.append(world.spawn(work))

    def end(self) -> None:
        """Nothing breaks any more; what is broken is for World.mend."""
        for story in self._stories:
            story.cancel()

    async def _at(self, moment_s: float, story: Story) -> None:
        await asyncio.sleep(moment_s)
        self.world.note(story.__name__)
        await story(self)

    async def cut(self) -> None:
        """Some machines and the others do not hear each other, or only one side hears."""
        ports = [machine.port for machine in self.world.everybody]
        here = self.random.sample(ports, self.random.randint(1, len(ports) - 1))
        for one in here:
            for other in ports:
                if other not in here:
                    self.world.net.cut(one, other)
                    if not self.options.one_way:
                        self.world.net.cut(other, one)
        await self._while_it_lasts()
        self.world.net.mend()

    async def crash(self) -> None:
        """A machine loses power, now or in the middle of a commit; after a while it comes up again."""
        machine = self._machine()
        if self.options.crashes_at_commit:
            machine.disk.power_fails = self.random.choice(list(Moment))
            await asyncio.sleep(self.random.uniform(0, ARMED_S))
        machine.disk.power_fails = None
        machine.lose_power()
        await asyncio.sleep(self.random.uniform(*COME_UP_S))
        machine.come_up()

    async def restart(self) -> None:
        """A machine is stopped in order and comes up again."""
        machine = self._machine()
        if machine.is_up:
            await asyncio.wait([machine.do(machine.stop_in_order())])
        await asyncio.sleep(self.random.uniform(*COME_UP_S))
        machine.come_up()

    async def child_death(self) -> None:
        """The peer-to-peer process of a machine dies and is started again."""
        port = self._machine().port
        port.lose_child()
        await self._while_it_lasts()
        port.is_child_down = False

    async def full_disk(self) -> None:
        """A disk has no room for a while."""
        disk = self._machine().disk
        disk.is_full = True
        await self._while_it_lasts()
        disk.is_full = False

    async def clock_jump(self) -> None:
        """A clock is put right, or wrong."""
        self._machine().clock.put(self._error_s())

    async def reorganisation(self) -> None:
        """The newest blocks are replaced by others."""
        depth = self.random.randint(1, self.options.reorg_depth)
        self.world.chain.reorganise(depth, self.options.vanishing)

    async def endpoint_behind(self) -> None:
        """An endpoint shows the chain as it was."""
        endpoint = self._machine().endpoint
        endpoint.stay_behind()
        await self._while_it_lasts()
        endpoint.catch_up()

    async def erasure(self) -> None:
        """An operator stops a machine, and erases what may be erased; one machine never does."""
        others = [one for one in self.world.machines if one is not self.world.keeper]
        await erase(self.world, self.random.choice(others))

    def _machine(self) -> Machine:
        return self.random.choice(self.world.machines)

    def _error_s(self) -> float:
        return self.random.uniform(-self.options.skew_s, self.options.skew_s)

    async def _while_it_lasts(self) -> None:
        await asyncio.sleep(self.random.uniform(*LASTS_S))
