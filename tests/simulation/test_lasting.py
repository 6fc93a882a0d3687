"""What is erased stays gone and revoked, and statements end by the chain, in trouble as in quiet."""

import asyncio
from dataclasses import replace

import pytest

from sayso_protocol.messages.revocation import Revocation
from simulation import loop
from simulation.checkers import Checkers
from simulation.erasing import erase
from simulation.held import Held
from simulation.holders import HOLDERS
from simulation.lasting_bugs import ENDING, ERASING
from simulation.loop import VirtualLoop
from simulation.options import Options
from simulation.people import CONTRIBUTORS, ITEMS
from simulation.run import FINAL_S, settle, short_days, simulate
from simulation.test_seeds import hold
from simulation.world import World
from support.holders import sublicense
from support.protocol_strategies import a_consent

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


def test_who_is_known_by_what_has_ended_may_be_known_to_one_alone() -> None:
    """A sublicense of a license that is long over ends before it comes to the other node."""

    async def main(virtual: VirtualLoop) -> None:
        world = World("known alone", BOTH, virtual)
        world.spawn(world.chain.run())
        for machine in world.machines:
            machine.come_up()
        await asyncio.sleep(1.0)
        owner, (seller, buyer), other = CONTRIBUTORS[0], HOLDERS[:2], world.machines[1]
        terms = {"contributor": owner.address, "parties": (owner.address,), "grantee": seller.address}
        times = {"issued_at": int(world.now) - 9, "expires_at": int(world.now) + 5}
        sold = owner.sign(a_consent(ITEMS[:1], **terms, **times), ITEMS[:1])
        passed = sublicense(seller.address, buyer.address, [sold.digest], endorsed=True)
        passed = seller.sign(passed.message, passed.items)
        stop = buyer.sign(Revocation(buyer.address, (f"statement 0x{passed.digest.hex()}",)))
        for machine in world.machines:
            await world.hand_in([sold], machine)
        await asyncio.sleep(2 * FINAL_S)  # a month after the license is over, as months are here
        await world.hand_in([passed, stop], other)
        await asyncio.sleep(FINAL_S)
        for one in (sold, passed, stop):
            world.signed.hear(one)
        world.look_after_links()
        await settle(world)
        assert Held(other).ended == {passed.digest}
        assert [buyer.address in Held(one).people for one in world.machines] == [False, True]
        Checkers(world).final()
        assert not world.faults

    with short_days(BOTH):
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
