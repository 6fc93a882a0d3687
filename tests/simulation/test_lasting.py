"""What is erased stays gone and revoked, and statements end by the chain, in trouble as in quiet."""

import asyncio
from dataclasses import replace

import pytest

from sayso_protocol.messages.revocation import Revocation
from simulation import loop
from simulation.erasing import erase
from simulation.lasting_bugs import ENDING, ERASING
from simulation.loop import VirtualLoop
from simulation.options import Options
from simulation.people import CONTRIBUTORS
from simulation.run import FINAL_S, simulate
from simulation.test_seeds import hold
from simulation.world import World

BOTH = replace(ERASING, ending=True)
TROUBLE = replace(BOTH, machines=3, loss=0.5, restarts=2, crashes=2, crashes_at_commit=True, cuts=1)


def test_licenses_are_erased_and_statements_end() -> None:
    result = simulate("lasting", BOTH)
    hold(result)
    assert result.gone > 0


def test_only_what_the_node_that_never_erases_has_is_erased() -> None:
    """Else nobody is left who could bring the license to the others."""

    async def main(virtual: VirtualLoop) -> None:
        world = World("alone", ERASING, virtual, connect=False)
        world.spawn(world.chain.run())
        for machine in world.machines:
            machine.come_up()
        await asyncio.sleep(1.0)
        person, (keeper, other) = CONTRIBUTORS[0], world.machines
        sold = world.people.consent_of(person, world.now)
        world.signed.hear(sold)
        await world.hand_in([sold, person.sign(Revocation(person.address, ("everything",)))], other)
        await asyncio.sleep(2 * FINAL_S)
        await erase(world, other)
        assert other.erased == set()
        await asyncio.sleep(1.0)
        await world.hand_in([sold], keeper)
        await erase(world, other)
        assert other.erased == {sold.digest}
        assert not world.faults

    loop.run(main)


@pytest.mark.long
@pytest.mark.parametrize(
    "options", [ERASING, ENDING, BOTH, TROUBLE], ids=["erase", "end", "both", "all"]
)
def test_they_do_in_many_runs(options: Options) -> None:
    gone = 0
    for number in range(12):
        result = simulate(f"lasting {number}", options)
        hold(result)
        gone += result.gone
    assert gone > 0
