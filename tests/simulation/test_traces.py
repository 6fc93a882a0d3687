"""Where data went: complete and alike at every node after half of gossip is lost and nodes restart."""

import asyncio
import itertools

import pytest

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.statements.removal import Removal
from simulation import loop, traced
from simulation.faults import Faults
from simulation.held import Held, everything
from simulation.holders import CONTRACT, HOLDERS, ZERO
from simulation.loop import VirtualLoop
from simulation.machine import FINALITY
from simulation.options import Options
from simulation.run import LOOK_EVERY_S, few_count, settle
from simulation.world import World

TROUBLE = Options(
    machines=3,
    payers=3,
    seconds=60.0,
    messages=24,
    checks=0,
    loss=0.5,
    restarts=5,
    crashes=1,
    passing=0.7,
)
PARTS = ("sync", "follower", "payer", "batches", "dates")
FINAL_S = 6.0 * (FINALITY + 30)  # of the slowest blocks: relays, anchors and what follows them
EVERYTHING = {"sublicense", "withdrawn", "use", "dispute", "due", "confirmed"}


async def tell(seed: str, virtual: VirtualLoop, parts: tuple[str, ...]) -> tuple[str, set[str]]:
    """People sign, then holders confirm, both in trouble; what is wrong at the end, and what is told."""
    world = World(seed, TROUBLE, virtual)
    for machine in world.machines:
        machine.parts = parts
    faults = Faults(world)
    faults.begin()
    await world.live()
    await recover(world, faults)
    faults = Faults(world)
    faults.begin()
    for one in confirmations(world):
        world.signed.hear(one)
        world.spawn(world.hand_in([one]))
    await asyncio.sleep(TROUBLE.seconds)
    wrong = await recover(world, faults)
    return wrong, traced.kinds_told(world.machines[0])


async def recover(world: World, faults: Faults) -> str:
    """The trouble is over: what is still wrong with traces when what is known is final."""
    faults.end()
    world.mend()
    await settle(world)
    assert not world.faults, world.faults
    wrong = "not compared"
    for _ in range(int(FINAL_S / LOOK_EVERY_S)):
        if not (wrong := next(differing(world), "")):
            break
        await asyncio.sleep(LOOK_EVERY_S)
    return wrong


def differing(world: World) -> itertools.chain[str]:
    known = everything(world, Held(world.machines[0]))
    parts = (traced.incomplete(world, known, one) for one in world.machines)
    return itertools.chain(traced.unlike(world), *parts)


def confirmations(world: World) -> list[Envelope]:
    """A removal by each second holder that owes one; the others say nothing."""
    machine = world.machines[0]
    owed = dict.fromkeys(
        (holder.address, name)
        for name, holder, duty in traced.duties_of(machine)
        if duty.revoked is not None and holder.address != CONTRACT.address
    )
    keys = {one.address: one for one in HOLDERS}
    final = traced.final_of(machine)
    found = list[Envelope]()
    for who, name in [*owed][::2]:
        if who in keys:
            gone = Removal(who, content_root([name]), 1, final.number, ZERO)
            found.append(keys[who].sign(gone, (name,)))
    return found


def story(seed: str, parts: tuple[str, ...] = PARTS) -> tuple[str, set[str]]:
    with few_count():
        found: tuple[str, set[str]] = loop.run(lambda virtual: tell(seed, virtual, parts))
    return found


def test_a_trace_is_complete_after_restarts_losses_and_syncs() -> None:
    """Two stories that together have every kind of thing that a trace can show."""
    shown = set[str]()
    for number in (1, 2):
        wrong, told = story(f"trace {number}")
        assert not wrong
        shown |= told
    assert shown == EVERYTHING


@pytest.mark.long
@pytest.mark.parametrize("number", range(3, 15))
def test_it_is_complete_in_many_stories(number: int) -> None:
    wrong, _ = story(f"trace {number}")
    assert not wrong


@pytest.mark.long
def test_a_node_that_fetches_no_batches_is_noticed() -> None:
    """It knows all messages, and neither when others anchored them nor since when data is due."""
    wrong, _ = story("trace 2", tuple(one for one in PARTS if one != "batches"))
    assert wrong
