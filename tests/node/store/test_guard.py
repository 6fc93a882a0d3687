"""A node that finds damage falls silent at once, says so, repairs it, and speaks again only then."""

import asyncio
from pathlib import Path

import pytest

from node.store.test_damage import SPOILS, check, look, spoil
from sayso_node.errors import StoreDamaged
from sayso_node.freshness import Silence
from sayso_node.store.integrity.damage import Damage
from sayso_node.store.integrity.guard import StoreGuard
from sayso_node.store.integrity.verifying import AuditOrder, verify
from sayso_node.store.sharing import findings
from sayso_node.supervision.alarms import Alarms
from sayso_protocol.verdicts.verdict import Reason
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import CLEO, NETWORK, full_words
from support.waiting import until


async def at_once(order: AuditOrder) -> list:  # type: ignore[type-arg]
    return verify(order)


async def test_a_read_that_finds_damage_silences_the_node_until_it_is_repaired(tmp_path: Path) -> None:
    mine, other = consent(1), consent(2, contributor=CLEO, parties=(CLEO,))
    with NodeRig(tmp_path) as rig:
        await rig.give(mine, other, revocation(words=full_words(mine.message)))
        rig.confirm()
        alarms = Alarms()
        guard = StoreGuard(NETWORK, rig.store, rig.freshness, alarms, rig.counters, audit=at_once)
        assert await guard.check()
        assert await check(rig, other) is Reason.GRANTED
        spoil(tmp_path / "rig.sqlite", SPOILS["masks cleared"])
        with pytest.raises(StoreDamaged):
            await look(rig, mine)
        assert await check(rig, other) is Reason.STALE
        task = asyncio.create_task(guard.run())
        await until(lambda: rig.store.damage.text is None)
        task.cancel()
        assert (alarms.active(), rig.count("store_repairs") > 0) == ({}, True)
        assert rig.freshness.view(rig.clock.now(), 60).silence is Silence.CHAIN  # until it is read again
        assert await look(rig, mine) is Reason.REVOKED
        rig.confirm()
        assert (await look(rig, mine), await check(rig, other)) == (Reason.REVOKED, Reason.GRANTED)


async def test_a_restart_does_not_end_the_silence(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        await rig.give(consent(1), revocation("everything"))
        spoil(tmp_path / "rig.sqlite", SPOILS["rows gone"])
        with pytest.raises(StoreDamaged):
            await look(rig, consent(1))
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        assert rig.freshness.view(rig.clock.now(), 60).silence is Silence.DAMAGE


async def test_damage_that_cannot_be_repaired_is_an_alarm(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        await rig.give(*(consent(at, count=30) for at in range(40)))
    path = tmp_path / "rig.sqlite"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 8192 * 4096)
        file.write(b"\xa5" * 4096 * 3)
    with NodeRig(tmp_path) as rig:
        alarms = Alarms()
        guard = StoreGuard(NETWORK, rig.store, rig.freshness, alarms, rig.counters, audit=at_once)
        assert not await guard.check()
        assert "malformed" in alarms.active()["store-damaged"]
        rig.be_current()
        assert rig.freshness.view(rig.clock.now(), 60).silence is Silence.DAMAGE


async def test_a_process_beside_a_node_asks_it_for_a_repair_and_makes_none(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        await rig.give(consent(1), revocation(words=full_words(consent(1).message)))
        parts = (NETWORK, rig.store, rig.freshness, Alarms(), rig.counters)
        asked = list[str | None]()

        async def ask(_store_id: bytes) -> None:
            asked.append(rig.store.damage.text)

        beside, node = StoreGuard(*parts, audit=at_once, ask=ask), StoreGuard(*parts, audit=at_once)
        spoil(tmp_path / "rig.sqlite", SPOILS["masks cleared"])
        for _ in range(2):
            rig.be_current()
            assert not await beside.check()
            assert rig.freshness.view(rig.clock.now(), 60).silence is Silence.DAMAGE
        assert (len(asked), all(asked), rig.count("store_repairs")) == (2, True, 0)
        assert await node.check()
        rig.store.damage.report("the process beside knows nothing of the repair")
        assert await beside.check()
        assert rig.store.damage.text is None
        assert rig.freshness.view(rig.clock.now(), 60).silence is Silence.CHAIN  # until it is read again
        assert len(asked) == 2


async def test_what_was_found_before_a_repair_asks_for_no_other_one(tmp_path: Path) -> None:
    """The node repairs the store while a process beside it still audits what was there before."""
    with NodeRig(tmp_path) as rig:
        await rig.give(consent(1), revocation(words=full_words(consent(1).message)))
        parts = (NETWORK, rig.store, rig.freshness, Alarms(), rig.counters)
        node = StoreGuard(*parts, audit=at_once)

        async def overtaken(order: AuditOrder) -> list:  # type: ignore[type-arg]
            found = verify(order)
            assert await node.check()
            return found

        async def ask(store_id: bytes) -> None:
            await rig.store.write(lambda db: findings.tell(db, store_id))

        def told() -> int:
            with rig.store.read() as db:
                return findings.told(db)

        beside = StoreGuard(*parts, audit=overtaken, ask=ask)
        spoil(tmp_path / "rig.sqlite", SPOILS["masks cleared"])
        assert not await beside.check()
        assert (rig.count("store_repairs") > 0, told()) == (True, 0)
        assert await beside.check()
        spoil(tmp_path / "rig.sqlite", SPOILS["masks cleared"])
        assert not await StoreGuard(*parts, audit=at_once, ask=ask).check()
        assert told() == 1


def test_a_note_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    """As one that root made, whose files nobody else reads, when it ran verify-store."""
    (tmp_path / "store.damaged").mkdir()
    damage = Damage(tmp_path / "store")
    damage.load()
    assert damage.text
