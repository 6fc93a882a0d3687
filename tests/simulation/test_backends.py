"""The contract of the simulation with stores in PostgreSQL: no promise is broken, and none is another.

The same seed has the same faults, except that no disk forgets what was not synced: a server without that
is refused by the store (tests/node/store/test_postgres.py), and stands for the disk here.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from random import Random
from typing import Any
from unittest import mock

import psycopg
import pytest
from psycopg.pq import PipelineStatus

from sayso_node.errors import StoreUnusable
from simulation import loop
from simulation.__main__ import kept_seeds
from simulation.bugs import AT_COMMIT, BUGS, Bug
from simulation.database import Schemas
from simulation.disk import Moment
from simulation.loop import VirtualLoop
from simulation.options import Options
from simulation.run import Result, simulate
from simulation.test_bugs import SEEDS
from simulation.test_lasting import BOTH
from simulation.test_seeds import hold
from simulation.test_world import Computer
from support.postgres import postgres

EVERYDAY = (
    "s16"  # crashes, also around commits; restarts, a full disk, a liar, wrong clocks, sublicenses
)
CLOCK = 1_750_000_000.0
SOME = ("s0", "s12", "s19", "s20", "s22", "s39", "3", "5", "11")


@pytest.fixture(scope="module")
def schemas() -> Iterator[Schemas]:
    with postgres() as server:
        yield Schemas(server.dsn)


def on_postgres(schemas: Schemas, seed: str, options: Options | None = None) -> Result:
    try:
        return simulate(seed, options, schemas)
    finally:
        schemas.release()


@pytest.mark.parametrize(
    "seed",
    [EVERYDAY, *(pytest.param(seed, marks=pytest.mark.long) for seed in (*SOME, *kept_seeds()))],
)
def test_both_backends_keep_the_same_promises(schemas: Schemas, seed: str) -> None:
    there, here = on_postgres(schemas, seed), simulate(seed)
    hold(there, "postgres")
    hold(here)
    assert there.ends == here.ends
    assert len(there.ends) == there.options.machines


@pytest.mark.long
def test_both_backends_erase_and_end_alike(schemas: Schemas) -> None:
    there, here = on_postgres(schemas, "lasting", BOTH), simulate("lasting", BOTH)
    hold(there, "postgres")
    assert there.ends == here.ends
    assert there.gone == here.gone > 0


@pytest.mark.long
def test_nodes_on_postgres_grant_as_much(schemas: Schemas) -> None:
    """Else every node was silent, which is no art."""
    quiet = Options(messages=24, checks=24, passing=0.4)
    there, here = on_postgres(schemas, "quiet", quiet), simulate("quiet", quiet)
    hold(there, "postgres")
    assert there.granted == here.granted > 0
    assert there.ends == here.ends


def _undone_after_all() -> contextlib.AbstractContextManager[Any]:
    """Each second group is answered, and not committed."""
    commit, groups = psycopg.Connection.commit, 0

    def careless(self: psycopg.Connection[Any]) -> None:
        nonlocal groups
        if self.pgconn.pipeline_status != PipelineStatus.OFF:  # it is a group: readers have none
            groups += 1
            if groups % 2 == 0:
                self.rollback()
                return
        commit(self)

    return mock.patch.object(psycopg.Connection, "commit", careless)


MISTAKES = {
    "answered, and not committed": Bug(_undone_after_all, AT_COMMIT),
    **{name: BUGS[name] for name in ("cursor before events", "last writer wins")},
}


@pytest.mark.long
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_on_postgres(schemas: Schemas, name: str) -> None:
    bug = MISTAKES[name]
    found = (one for one in range(bug.first, bug.first + SEEDS) if _is_found(schemas, name, bug, one))
    number = next(found, None)
    assert number is not None
    assert not on_postgres(schemas, f"{name} {number}", bug.trouble).faults  # not the trouble


def _is_found(schemas: Schemas, name: str, bug: Bug, number: int) -> bool:
    with bug.switched_on():
        return bool(on_postgres(schemas, f"{name} {number}", bug.trouble).faults)


@pytest.fixture
def computer(schemas: Schemas) -> Iterator[Computer]:
    yield Computer(schemas(Random(1), lambda: CLOCK))
    schemas.release()


def test_what_is_not_committed_is_lost_with_the_power(computer: Computer) -> None:
    async def main(_virtual: VirtualLoop) -> None:
        await computer.put("kept")
        asyncio.create_task(computer.put("lost"))  # noqa: RUF006 - the power fails before it is done
        await asyncio.sleep(0)
        computer.lose_power()
        with pytest.raises(StoreUnusable):
            computer.names()
        computer.start()
        assert computer.names() == {"kept"}

    loop.run(main)


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE, set()), (Moment.AFTER, {"it"})])
def test_the_power_fails_around_a_commit(computer: Computer, moment: Moment, left: set[str]) -> None:
    async def main(_virtual: VirtualLoop) -> None:
        computer.disk.on_power_failure = computer.lose_power
        computer.disk.power_fails = moment
        asyncio.create_task(computer.put("it"))  # noqa: RUF006 - nobody is told what came of it
        await asyncio.sleep(1)
        computer.start()
        assert computer.names() == left

    loop.run(main)


def test_a_commit_that_the_power_failed_before_is_an_error_for_who_goes_on(computer: Computer) -> None:
    async def main(_virtual: VirtualLoop) -> None:
        computer.disk.power_fails = Moment.BEFORE
        with pytest.raises(StoreUnusable):
            await computer.put("lost")
        assert computer.names() == set()

    loop.run(main)


def test_a_full_disk_is_an_error_and_not_an_end(computer: Computer) -> None:
    async def main(_virtual: VirtualLoop) -> None:
        computer.disk.is_full = True
        with pytest.raises(StoreUnusable, match="No space left"):
            await computer.put("no room")
        computer.disk.is_full = False
        await computer.put("room")
        assert computer.names() == {"room"}

    loop.run(main)


def test_the_server_has_the_clock_of_the_world(computer: Computer) -> None:
    async def main(_virtual: VirtualLoop) -> None:
        with computer.store.read() as db:
            assert db.server_time() == CLOCK
        assert await computer.store.write(lambda db: db.server_time()) == CLOCK

    loop.run(main)


def test_a_schema_is_used_again_as_if_it_were_new(schemas: Schemas) -> None:
    """What one run leaves is nothing to the next."""

    async def main(_virtual: VirtualLoop) -> None:
        first = Computer(schemas(Random(1), lambda: CLOCK))
        await first.put("of the first run")
        schemas.release()
        again = Computer(schemas(Random(1), lambda: CLOCK))
        assert again.names() == set()
        await again.put("of the second")
        assert again.names() == {"of the second"}
        schemas.release()

    loop.run(main)
