"""What strangers send neither clears a row offline, nor swells a snapshot, nor runs in its process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sayso_node.snapshots.building import Made
from sayso_node.snapshots.publishing import SnapshotPublisher
from sayso_node.store.admission import revocations
from sayso_node.store.admission.pending import PendingRoom
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.permissions.words import FULL
from support.fake_network import Switchboard
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, full_words
from support.published import publisher, snapshot, terms, verdicts


@contextmanager
def two_nodes(folder: Path) -> Iterator[tuple[NodeRig, NodeRig]]:
    """X, and Y that syncs from X; both may speak."""
    board = Switchboard()
    (folder / "x").mkdir()
    (folder / "y").mkdir()
    x = NodeRig(folder / "x", name="x", board=board)
    y = NodeRig(folder / "y", name="y", board=board, peers=[x.peer_id])
    with x, y:
        x.be_current()
        y.be_current()
        yield x, y


async def published(rig: NodeRig) -> SnapshotPublisher:
    """What a node publishes that has asked everybody since it was given anything."""
    rig.confirm()
    made = publisher(rig)
    assert await made.publish()
    return made


async def test_a_person_whom_the_maker_never_knew_is_not_cleared(tmp_path: Path) -> None:
    """X holds `everything` of Ada as pending; sync does not carry it to Y, which publishes."""
    with two_nodes(tmp_path) as (x, y):
        await x.give(revocation("everything"))
        await x.give(consent(7, contributor=BEN, parties=(BEN,)))
        assert await y.rounds.round(x.peer_id)
        assert len(y.digests()) == 1
        files = [snapshot(await published(one)) for one in (x, y)]
        assert verdicts(files[1:], consent(1, count=2)) == ["stale"] * 2
        assert verdicts(files[:1], consent(1, count=2)) == ["stale"] * 2
        assert verdicts(files, consent(1, count=2)) == ["stale"] * 2


async def test_a_license_that_the_maker_does_not_hold_is_not_cleared(tmp_path: Path) -> None:
    """Ada is known, but her revocation of another license of hers is pending at X alone."""
    with two_nodes(tmp_path) as (x, y):
        other = consent(2)
        masks = full_words(terms(other))
        await x.give(consent(1))
        await x.give(revocation(words=masks))
        assert await y.rounds.round(x.peer_id)
        files = [snapshot(await published(one)) for one in (x, y)]
        for some in (files, files[:1], files[1:]):
            assert verdicts(some, consent(1)) == ["granted"]
            assert verdicts(some, other) == ["stale"]


async def test_a_guardian_whom_one_of_two_makers_never_knew_is_not_cleared(tmp_path: Path) -> None:
    with two_nodes(tmp_path) as (x, y):
        await x.give(consent(1, guardian=CLEO))
        await y.give(consent(2))
        files = [snapshot(await published(one)) for one in (x, y)]
        assert verdicts(files[:1], consent(1, guardian=CLEO)) == ["granted"]
        assert verdicts(files, consent(1, guardian=CLEO)) == ["stale"]


async def test_a_license_that_came_after_the_peers_were_asked_is_not_cleared(tmp_path: Path) -> None:
    """X may hold a revocation of it that waits there for the license, as rule 8.9 has it online."""
    with two_nodes(tmp_path) as (x, y):
        await x.give(revocation("everything"))
        y.confirm()
        await y.give(consent(1), consent(2, contributor=BEN, parties=(BEN,)))
        made = publisher(y)
        assert await made.publish()
        assert verdicts([snapshot(made)], consent(1)) == ["stale"]
        assert await made.publish()
        assert verdicts([snapshot(made)], consent(1)) == ["stale"]
        y.confirm()
        assert await x.rounds.round(y.peer_id)
        assert await y.rounds.round(x.peer_id)
        assert await made.publish()
        assert verdicts([snapshot(made)], consent(1)) == ["revoked"]
        other = consent(2, contributor=BEN, parties=(BEN,))
        assert verdicts([snapshot(made)], other) == ["granted"]
        assert [one.number for one in made.shelf.chain] == [0, 1, 2]


async def test_nothing_is_published_while_endpoints_contradict_each_other(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        rig.freshness.dispute = "two endpoints disagree about block 7"
        made = publisher(rig)
        assert await made.publish() is None
        rig.freshness.dispute = None
        assert await made.publish()


async def test_nothing_is_published_if_a_contradiction_shows_while_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NodeRig(tmp_path) as rig:
        await rig.give(consent(1))
        rig.confirm()
        made = publisher(rig)
        plain = SnapshotPublisher._make

        async def meanwhile(self: SnapshotPublisher, *what: Any) -> Made:
            rig.freshness.dispute = "two endpoints disagree about block 7"
            return await plain(self, *what)

        with monkeypatch.context() as patch:
            patch.setattr(SnapshotPublisher, "_make", meanwhile)
            assert await made.publish() is None
        assert made.shelf.chain == ()
        rig.freshness.dispute = None
        assert await made.publish()
        assert verdicts([snapshot(made)], consent(1)) == ["granted"]


async def test_words_of_no_held_consent_make_no_keys(tmp_path: Path) -> None:
    """One bit of a held license carries 63 words of no license; strangers' words wait."""
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        held = consent(1)
        base = terms(held).base
        for number in range(8):
            junk = {64 * at: FULL >> 1 for at in range(1 + 64 * number, 64 * (number + 1))}
            words = dict(sorted({base: 1 << 200 + number, **junk}.items()))
            await rig.give(held, revocation(words=words))
            await rig.give(revocation(words=dict.fromkeys(range(64), FULL >> 1), contributor=BEN))
        made = await published(rig)
        assert made.shelf.chain[0].head.counts.keys == 0
        assert verdicts([snapshot(made)], held) == ["granted"]


async def test_who_sets_too_many_scopes_is_not_spoken_for(tmp_path: Path) -> None:
    words = {scope_word(f"file 0x{number:064x}"): 1 for number in range(4_097)}
    with NodeRig(tmp_path, room=PendingRoom()) as rig:
        rig.be_current()
        held, other = consent(1), consent(2, contributor=BEN, parties=(BEN,))
        await rig.give(held, other)
        made = await published(rig)
        assert verdicts([snapshot(made)], held) == ["granted"]
        await rig.store.write(lambda db: revocations.add_chain_bits(db, ADA, words, rig.clock.now()))
        rig.confirm()
        for _ in range(2):  # a delta, and a snapshot of another run
            assert await made.publish()
            keys = sum(one.head.counts.keys for one in made.shelf.chain)
            assert keys <= 16
            assert verdicts([snapshot(made)], held) == ["stale"]
            assert verdicts([snapshot(made)], other) == ["granted"]
            made = publisher(rig)


async def test_who_had_set_too_many_scopes_before_is_not_named_by_a_delta(tmp_path: Path) -> None:
    words = {scope_word(f"file 0x{number:064x}"): 1 for number in range(4_097)}
    with NodeRig(tmp_path) as rig:
        await rig.store.write(lambda db: revocations.add_chain_bits(db, BEN, words, rig.clock.now()))
        made = await published(rig)
        held, other = consent(1, contributor=BEN, parties=(BEN,)), consent(2)
        await rig.give(held, other)
        rig.confirm()
        assert await made.publish()
        assert [one.number for one in made.shelf.chain] == [0, 1]
        assert made.shelf.chain[1].head.counts.keys == 0
        assert verdicts([snapshot(made)], held) == ["stale"]
        assert verdicts([snapshot(made)], other) == ["granted"]


@pytest.mark.usefixtures("real_process")
async def test_a_file_in_the_working_folder_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap, ran = tmp_path / "trap", tmp_path / "ran"
    trap.mkdir()
    for name in ("numpy", "json", "sayso_node"):
        (trap / f"{name}.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    monkeypatch.chdir(trap)
    monkeypatch.setenv("PYTHONPATH", str(trap))
    monkeypatch.setenv("SAYSO_TEST_SECRET", "key")
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        await published(rig)
        assert not ran.exists()
