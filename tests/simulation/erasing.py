"""Erasing, as an operator does it: a node is stopped, what may be erased goes, and the node comes back.

Whoever still has a consent that was erased hands it in again. Only what the node that never erases has
is erased: what all have erased who ever had it goes to nobody any more (rule 8.13.6), and then the
others do not know its people, its statements and its trace.
"""

from collections.abc import Iterator
from typing import Any

from sayso_node.errors import NotFound, StoreUnusable
from sayso_node.folder.erasing import Erasing
from sayso_node.store.interface import Reading, Store
from sayso_node.store.statements import traces
from sayso_protocol.primitives import NOBODY
from simulation.disk import LoopWriter
from simulation.held import Held
from simulation.machine import Machine
from simulation.world import World
from support.protocol_strategies import NETWORK

COMMIT_S = 0.01
HOLDERS = 64  # more than there are


async def erase(world: World, machine: Machine) -> None:
    """Erase what a machine may erase, while it is stopped; its traces stay."""
    if not machine.is_up or machine.is_held_down:
        return
    machine.is_held_down = True
    try:
        await machine.do(machine.stop_in_order())
        store = machine.disk.store(machine.name, machine.random.randbytes, LoopWriter(lambda: COMMIT_S))
        store.start()
        try:
            await _erase(world, machine, store)
        except StoreUnusable:
            return  # a full disk, or no power
        finally:
            store.stop()
    finally:
        machine.is_held_down = False
        machine.come_up()


async def _erase(world: World, machine: Machine, store: Store) -> None:
    erasing = Erasing(store, NETWORK)
    found = [one.license for one in erasing.chosen(None, None).erasable]
    if again := machine.erased.intersection(found):
        world.fail(f"{machine.name} has {min(again).hex()} again, which it had erased")
        return
    names = [one for one in found if one in world.keeper.told.messages]
    with store.read() as db:
        before = {name: trace_of(db, name) for name in names}
    await erasing._erase(names)
    with store.read() as db:
        for name, trace in before.items():
            if trace_of(db, name) != trace:
                world.fail(f"{machine.name} traces {name.hex()} otherwise when it has erased it")
    machine.erased.update(names)
    world.note("erased", machine.name, names)
    for name in names:
        world.spawn(world.hand_in([world.signed.messages[name]], machine))


def trace_of(db: Reading, name: bytes) -> Any:
    """A trace without what goes with an erased consent, and what is a node's own (rule 15.6.2)."""
    try:
        found = traces.trace(db, NETWORK, name, NOBODY, HOLDERS)
    except NotFound:
        return None
    holders = [
        one._replace(
            held=[of._replace(terms=of.terms._replace(seen_at=0.0, number=0)) for of in one.held]
        )
        for one in found.holders
    ]
    return found.anchored, holders


def wrong(world: World) -> Iterator[str]:
    """Yield erased licenses that nodes which hold them trace otherwise."""
    erased = sorted(set().union(*(one.erased for one in world.machines)))
    for name in erased:
        told = list[Any]()
        for machine in world.machines:
            assert machine.life
            with machine.life.store.read() as db:
                told.append(trace_of(db, name))
        if any(one != told[0] for one in told):
            yield f"{name.hex()} is traced otherwise by those who erased it"


def back(held: Held) -> set[bytes]:
    """What a machine has erased, and has again or does not know of any more."""
    return held.machine.erased - held.erased
