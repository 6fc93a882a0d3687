"""How a revocation reaches a thousand nodes: `python -m simulation.propagation --out curve.svg`.

Every node is the production code on a machine of its own, with six neighbours on average and links of
50 ms. Time is counted from the moment at which a user hands the revocation in to the moment at which a
node has it on disk, so that it answers `revoked`.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.revocation import Revocation
from simulation import loop
from simulation.disk import Disk, Now
from simulation.machine import SYNC_EVERY_S, Machine
from simulation.network import Port, Weather
from simulation.options import Options
from simulation.people import CONTRIBUTORS
from simulation.plot import Curve, write_plot
from simulation.world import World

NODES = 1_000
LINKS = 3  # that each node makes; as many again are made to it, on average
DELAY_S = 0.05
LOST = 0.7  # of all frames, in the bad network
DEADLINE_S = 60.0
LOOK_EVERY_S = 0.5
SEED = "propagation"


@dataclass(frozen=True)
class Spread:
    """How a revocation spread.

    Attributes:
        arrivals: For each node that got it, seconds after it was handed in, ascending.
        nodes: How many there are.
        hops: To the farthest node from where it was handed in.
        diameter: Hops between the two nodes farthest apart.
        cpu_s: What the simulation of it cost.
    """

    arrivals: tuple[float, ...]
    nodes: int
    hops: int
    diameter: int
    cpu_s: float

    @property
    def all_s(self) -> float:
        """Until everybody had it."""
        assert len(self.arrivals) == self.nodes, "not everybody got it"
        return self.arrivals[-1]

    @property
    def bound_s(self) -> float:
        """What light would take: the diameter of the network times the delay of a link."""
        return self.diameter * DELAY_S

    def until(self, share: float) -> float:
        """Until this share of all nodes had it."""
        return self.arrivals[max(0, round(share * self.nodes) - 1)]


def spread(nodes: int, loss: float = 0.0, *, sync: bool = False) -> Spread:
    """Let a revocation spread in a network of so many nodes."""
    begun = time.process_time()
    found: Spread = loop.run(lambda virtual: _spread(virtual, nodes, loss, sync, begun))
    return found


def _forgetful(random: Random, _now: Now) -> Disk:
    """Nobody crashes here, so nothing is copied."""
    return Disk(random, keeps=False)


async def _spread(
    virtual: loop.VirtualLoop, nodes: int, loss: float, sync: bool, begun: float
) -> Spread:
    world = World(SEED, Options(machines=nodes), virtual, media=_forgetful, connect=False)
    _connect(world)
    for machine in world.machines:
        machine.parts = ("sync",) if sync else ()
        machine.come_up()
    world.net.weather = Weather(jitter_s=0.0)
    for link in world.net.links:
        # Not all at once, or all would ask their peers at the same moments for ever.
        link.changes_at = world.random.uniform(0, SYNC_EVERY_S)
    world.look_after_links()
    await asyncio.sleep(2 * SYNC_EVERY_S)
    ports = [machine.port for machine in world.machines]
    first, person = world.machines[0], CONTRIBUTORS[0]
    consent = world.people.consent_of(person, world.now)
    await _hand_in(world, first, encode(consent), consent.digest, DEADLINE_S)
    world.net.weather = Weather(loss=loss, jitter_s=0.0)
    revocation = person.sign(Revocation(person.address, ("everything",)))
    handed_in_s = virtual.time()
    await _hand_in(world, first, encode(revocation), revocation.digest, DEADLINE_S if sync else 5.0)
    arrivals = [one.first_told.get(revocation.digest) for one in world.machines]
    got = sorted(one - handed_in_s for one in arrivals if one is not None)
    assert not world.faults, world.faults
    hops = _hops(first.port)
    return Spread(tuple(got), nodes, hops, max(map(_hops, ports)), time.process_time() - begun)


async def _hand_in(
    world: World, machine: Machine, body: bytes, digest: bytes, deadline_s: float
) -> None:
    """Give it to one node, and wait until all have it."""
    assert machine.life
    await machine.do(machine.life.submit([body], "10.0.0.1"))
    for _ in range(int(deadline_s / LOOK_EVERY_S)):
        if all(digest in one.first_told for one in world.machines):
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _connect(world: World) -> None:
    """A ring, so that nobody is alone, and links at random."""
    random, ports = Random(f"{SEED}/links"), [machine.port for machine in world.machines]
    for at, port in enumerate(ports):
        wanted = [ports[at - 1], *random.sample(ports, LINKS - 1)]
        for other in wanted:
            if other is not port and other.peer_id not in port.links:
                world.net.join(port, other, DELAY_S)


def _hops(start: Port) -> int:
    """To whoever is farthest away."""
    seen, edge = {start.peer_id: 0}, deque([start])
    while edge:
        port = edge.popleft()
        for link in port.links.values():
            other = link.other(port)
            if other.peer_id not in seen:
                seen[other.peer_id] = seen[port.peer_id] + 1
                edge.append(other)
    return max(seen.values())


def main(arguments: Sequence[str]) -> None:
    """Draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--nodes", type=int, default=NODES)
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    good = spread(given.nodes)
    bad = spread(given.nodes, LOST, sync=True)
    for name, one in (("nothing lost", good), (f"{LOST:.0%} lost", bad)):
        sys.stdout.write(
            f"{name}: half {one.until(0.5):.3f} s, 99% {one.until(0.99):.3f} s, all {one.all_s:.3f} s;"
            f" farthest {one.hops} hops, diameter {one.diameter}, bound {one.bound_s:.2f} s;"
            f" {one.cpu_s:.1f} s of CPU\n"
        )
    curves = [
        Curve("no frame lost", good.arrivals, "#1b6ca8"),
        Curve(f"{LOST:.0%} lost, then sync", bad.arrivals, "#c0392b"),
    ]
    title = f"A revocation reaches {given.nodes:,} nodes (links of {DELAY_S * 1000:.0f} ms)"
    given.out.write_text(write_plot(title, curves, given.nodes, (good.bound_s, "diameter x delay")))


if __name__ == "__main__":
    main(sys.argv[1:])
