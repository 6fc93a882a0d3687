"""One run: a seed in, a result out; the same seed gives the same result on every machine."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock

from sayso_node.store.statements import passing
from simulation import loop, verdicts
from simulation.buyers import Buyers
from simulation.checkers import Checkers
from simulation.disk import Media, new_disk
from simulation.endings import DAYS
from simulation.faults import Faults
from simulation.held import Held
from simulation.knowledge import COUNTED, RANKED
from simulation.machine import Machine
from simulation.options import Options, options_of
from simulation.people import BRIEF_S
from simulation.world import World

SETTLING_S = 240.0  # after which those who are honest must agree
LOOK_EVERY_S = 5.0
FINAL_S = 60.0  # of twelve blocks or more, of which eight make the others final


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        seed: Replays it.
        options: What went wrong in it.
        faults: Promises that were broken; none, if all is well.
        trace: A hash of everything that happened.
        granted: How many rows were clear: a run in which nothing ever is shows nothing.
        ends: What each honest machine holds and answers at the end: hashes, by name.
        settled_s: When everybody agreed, seconds after the trouble was over.
        gone: How many erased licenses and ended statements there are at the end, at all machines.
    """

    seed: str
    options: Options
    faults: tuple[str, ...]
    trace: str
    granted: int
    ends: dict[str, str]
    settled_s: float
    gone: int


def simulate(seed: str, options: Options | None = None, media: Media = new_disk) -> Result:
    """Run a seed with the options that it draws, or with these, on machines that have such media."""
    chosen = options or options_of(seed)
    with few_count(), short_days(chosen):
        result: Result = loop.run(lambda virtual: _simulate(seed, chosen, media, virtual))
    return result


@contextmanager
def few_count() -> Iterator[None]:
    """So few sublicenses count that some are displaced."""
    with mock.patch.multiple(passing, COUNTED=COUNTED, RANKED=RANKED):
        yield


@contextmanager
def short_days(options: Options) -> Iterator[None]:
    """Days are so short that statements end, where they shall."""
    with ExitStack() as patched:
        for module, values in DAYS if options.ending else ():
            patched.enter_context(mock.patch.multiple(module, **values))
        yield


async def _simulate(seed: str, options: Options, media: Media, virtual: loop.VirtualLoop) -> Result:
    world = World(seed, options, virtual, media=media)
    buyers, faults = Buyers(world), Faults(world)
    faults.begin()
    await world.live()
    settled_s = await recover(world, faults)
    if options.ending and not world.faults:
        await asyncio.sleep(BRIEF_S[1])
        settled_s = await settle(world)
    if options.erasures and not world.faults:
        await asyncio.sleep(FINAL_S)  # what is revoked is dated now, and may be erased
        buyers.begin()
        faults.begin()
        await world.go_on()
        settled_s = await recover(world, faults)
    if not world.faults:
        Checkers(world).final()
    ends = {} if world.faults else {one.name: end_of(world, one) for one in world.machines}
    trace = world.trace.hexdigest()
    gone = sum(len(held.erased | held.ended) for held in map(Held, world.up()))
    return Result(seed, options, tuple(world.faults), trace, buyers.granted, ends, settled_s, gone)


async def recover(world: World, faults: Faults) -> float:
    """The trouble is over; how long it takes until everybody agrees, in seconds."""
    faults.end()
    world.mend()
    return await settle(world)


def end_of(world: World, machine: Machine) -> str:
    """Return a hash of the state of a machine and of its answers about all that it knows."""
    held = Held(machine)
    kept = sorted(held.kept & world.signed.messages.keys())
    answers = [*verdicts.said(world, machine)]
    return hashlib.sha256(repr((held.digest, kept, answers)).encode()).hexdigest()


async def settle(world: World) -> float:
    """Wait until everybody agrees."""
    waited_s, missing = 0.0, ""
    deadline_s = SETTLING_S + world.options.skew_s
    while waited_s < deadline_s and not world.faults:
        for machine in world.everybody:
            machine.come_up()
        await asyncio.sleep(LOOK_EVERY_S)
        waited_s += LOOK_EVERY_S
        missing = Checkers(world).unsettled()
        world.note("unsettled", missing)
        if not missing:
            return waited_s
    if missing:
        world.fail(f"after {deadline_s} s without trouble: {missing}")
    return waited_s
