"""`sayso node erase`: what an operator is asked for, what is gone, what stays, and what is refused."""

import asyncio
from pathlib import Path

import pytest

from cli.conftest import World
from cli.operator.test_backup import lived_in
from sayso_node.folder import erasing
from sayso_node.folder.lock import NodeFolder
from sayso_node.intake.outcome import Status
from sayso_node.store import erasure
from sayso_node.store.opening import location_in, snapshot_at
from sayso_node.store.statements import traces
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.traces.duties import Standing
from support.dating import LANDED, date_all
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK

HELD = consent(1)
OTHER = consent(2, contributor=CLEO, parties=(CLEO,))
STANDING = consent(3)
STOP = revocation(f"agreement {hex_text(HELD.message.agreement)}")  # type: ignore[attr-defined]
STOP_OTHER = revocation("everything", contributor=CLEO)
LICENSE = hex_text(HELD.digest)


async def live(folder: Path, *, dated: bool = True) -> None:
    await lived_in(folder)
    with NodeRig(folder, location=location_in(folder)) as rig:
        await rig.give(OTHER, STANDING, STOP, STOP_OTHER)
        if dated:
            await rig.store.write(date_all)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """The folder of a node with three consents, two of which are revoked."""
    folder = tmp_path / "host" / "node"
    folder.parent.mkdir()
    asyncio.run(live(folder))
    return folder


def erased(folder: Path) -> set[bytes]:
    with snapshot_at(location_in(folder)) as db:
        return {one.digest for one in (HELD, OTHER, STANDING) if erasure.is_erased(db, one.digest)}


def test_a_license_is_erased_when_its_operator_says_yes(world: World, folder: Path) -> None:
    said = world.run("node", "erase", folder, LICENSE, typed="n\n", status=1)
    assert erased(folder) == set()
    assert f"{LICENSE}: 1 item of {address_text(ADA)}" in said.stdout
    assert "what stays on this node, and why:" in said.stdout
    said = world.run("node", "erase", folder, LICENSE, typed="y\n")
    assert said.stdout.endswith("erased 1 license\n")
    assert erased(folder) == {HELD.digest}
    said = world.run("node", "erase", folder, LICENSE, "--yes")
    assert said.stdout == "1 license erased earlier\nnothing to erase\n"
    world.run("node", "verify-store", folder)


def test_of_a_person_or_before_a_day(world: World, folder: Path) -> None:
    before = ("--revoked-before", "2025-06-15T15:06:40")
    assert LANDED == 1_750_000_000  # that moment
    said = world.run("node", "erase", folder, *before, "--yes")
    assert "nothing to erase" in said.stdout
    said = world.run("node", "erase", folder, "--contributor", address_text(ADA), "--yes")
    assert "1 license not revoked, or not in time: kept" in said.stdout
    assert erased(folder) == {HELD.digest}
    world.run("node", "erase", folder, "--revoked-before", "2025-06-15T15:06:41", "--yes")
    assert erased(folder) == {HELD.digest, OTHER.digest}


def test_every_page_and_every_part(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "LICENSES_A_PAGE", 1)
    monkeypatch.setattr(erasing, "ERASED_AT_ONCE", 1)
    world.run("node", "erase", folder, "--revoked-before", "2030-01-01", "--yes")
    assert erased(folder) == {HELD.digest, OTHER.digest}


def test_the_node_goes_on_and_nothing_comes_back(world: World, folder: Path) -> None:
    world.run("node", "erase", folder, LICENSE, "--yes")

    async def run() -> None:
        with NodeRig(folder, location=location_in(folder)) as rig:
            [outcome] = await rig.give(HELD)
            assert outcome.status is Status.KNOWN
            with rig.store.read() as db:
                [ben] = traces.trace(db, NETWORK, HELD.digest, bytes(20), 16).holders
            assert (ben.address, [one.standing for one in ben.duties]) == (BEN, [Standing.DUE])

    asyncio.run(run())
    assert erased(folder) == {HELD.digest}


def test_what_is_refused_changes_nothing(world: World, folder: Path, tmp_path: Path) -> None:
    world.fails("not-revoked", "node", "erase", folder, LICENSE, hex_text(STANDING.digest), "--yes")
    world.fails("not-found", "node", "erase", folder, "0x" + "11" * 32, LICENSE, "--yes")
    world.fails("invalid-address", "node", "erase", folder, "--contributor", "0x12", "--yes")
    for options in ((), (LICENSE, "--contributor", address_text(ADA)), ("--revoked-before", "soon")):
        world.run("node", "erase", folder, *options, "--yes", status=2)
    running = NodeFolder(folder)
    running.lock()
    try:
        world.fails("folder-in-use", "node", "erase", folder, LICENSE, "--yes")
    finally:
        running.release()
    assert erased(folder) == set()
    other = tmp_path / "elsewhere" / "node"
    other.parent.mkdir()
    asyncio.run(live(other, dated=False))
    world.fails("not-dated", "node", "erase", other, LICENSE, "--yes")
    said = world.run("node", "erase", other, "--contributor", address_text(ADA), "--yes")
    assert "says since when: kept" in said.stdout
    location = Path(location_in(other))
    location.unlink()
    world.fails("store-missing", "node", "erase", other, LICENSE, "--yes")
