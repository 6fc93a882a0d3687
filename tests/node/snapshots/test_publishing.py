"""What a node publishes is all that it knows of whom it names, for a moment at which it may speak."""

import asyncio
import shutil
from functools import partial
from pathlib import Path

import pytest

from sayso_node.freshness import ChainHead
from sayso_node.snapshots import publishing
from sayso_node.store.admission import revocations
from sayso_node.store.admission.marks import COARSE_S
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.revocations.bits import current_digest
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import ANYONE, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.hash_list import license_key, person_key
from sayso_protocol.snapshots.head import Counts
from sayso_protocol.snapshots.keys import bit_key, scopes_key, word_key
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, full_words
from support.published import knows, names, publisher, snapshot, terms, verdicts
from support.waiting import until

EVERYTHING = scope_word("everything")
PEERS = ("one", "two")


@pytest.mark.usefixtures("real_process")
async def test_a_snapshot_has_what_revokes_a_held_license(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        license_ = consent(1, count=3, guardian=CLEO, grantee=ANYONE)
        message = license_.message
        assert isinstance(message, Consent)
        masks = message.masks([1], ["train-ai"])
        await rig.give(license_, revocation(words=masks))
        await rig.give(revocation("everything", contributor=BEN))  # of nobody known: it waits
        await rig.store.write(
            lambda db: revocations.add_chain_bits(db, CLEO, {EVERYTHING: 1}, rig.clock.now())
        )
        rig.confirm()
        made = publisher(rig)
        published = await made.publish()
        assert published
        ((word, mask),) = masks.items()
        bit = bit_key(ADA, word, mask.bit_length() - 1)
        assert knows(made, bit, word_key(CLEO, EVERYTHING)) == [True] * 2
        assert knows(made, word_key(ADA, EVERYTHING), word_key(BEN, EVERYTHING)) == [False] * 2
        people = [person_key(one) for one in (ADA, CLEO, BEN)]
        assert names(made, *people, license_key(license_.digest)) == [True, True, False, True]
        head = published.head
        assert (head.moment.as_of, head.moment.time) == (NOW + 1, NOW + 1)
        assert (head.counts.keys, head.counts.named, head.counts.withdrawn) == (4, 3, 0)
        with rig.store.read() as db:
            assert head.moment.state == current_digest(db)


async def test_a_word_has_one_key_once_all_its_permissions_are_revoked(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        license_ = consent(1, count=200)  # 400 permissions: a word of 256, and one of 144
        message = license_.message
        assert isinstance(message, Consent)
        await rig.give(license_, revocation(words=message.masks(range(199), message.purposes)))
        rig.confirm()
        made, later = publisher(rig), publisher(rig)
        published = await made.publish()
        assert published
        assert published.head.counts.keys == 1 + 142 + 1
        assert verdicts([snapshot(made)], license_) == ["revoked"] * 199 + ["granted"]
        await rig.give(revocation(words=message.masks([199], ["train-ai"])))
        await rig.give(revocation(words=message.masks([199], ["evaluate"])))
        for one, count in ((made, 1 + 1), (later, 2 + 1)):
            published = await one.publish()
            assert published
            assert published.head.counts.keys == count
            assert verdicts([snapshot(one)], license_) == ["revoked"] * 200


@pytest.mark.usefixtures("real_process")
async def test_a_delta_has_what_is_new_and_a_gate_refuses_it(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        license_ = consent(1, count=3)
        await rig.give(license_)
        rig.confirm()
        made = publisher(rig)
        await made.publish()
        assert verdicts([snapshot(made)], license_) == ["granted"] * 3
        await rig.give(revocation("everything"))
        published = await made.publish()
        assert published
        assert (published.number, published.head.counts.keys) == (1, 2)
        assert verdicts([snapshot(made)], license_) == ["revoked"] * 3
        nothing_new = await made.publish()
        assert nothing_new
        assert nothing_new.head.counts == Counts(0, 0, 0)
        assert verdicts([snapshot(made)], license_) == ["revoked"] * 3


async def test_a_delta_has_what_was_set_before_its_license_came(tmp_path: Path) -> None:
    """On chain, anybody can set any bit; those of no license are in no snapshot."""
    with NodeRig(tmp_path) as rig:
        await rig.give(consent(9, contributor=BEN, parties=(BEN,)), consent(8))
        rig.confirm()
        first, second = consent(1, guardian=CLEO), consent(2, contributor=BEN, parties=(BEN,))
        for who, one in ((ADA, first), (BEN, second)):
            masks = full_words(terms(one))
            await rig.store.write(partial(revocations.add_chain_bits, address=who, bits=masks, now=NOW))
        ward = scope_word(f"ward 0x{ADA.hex()} everything")
        await rig.store.write(lambda db: revocations.add_chain_bits(db, CLEO, {ward: 1}, NOW))
        made = publisher(rig)
        published = await made.publish()
        assert published
        assert published.head.counts.keys == 0
        await rig.give(first, second)
        rig.confirm()
        published = await made.publish()
        assert published
        assert published.number == 1
        assert published.head.counts.named == 3  # both licenses and the guardian
        for one in (first, second):
            assert verdicts([snapshot(made)], one) == ["revoked"]
        assert knows(made, word_key(CLEO, ward), scopes_key(CLEO)) == [True] * 2
        assert verdicts([snapshot(made)], consent(8)) == ["granted"]


async def test_nothing_is_published_before_chain_and_peers_were_asked(tmp_path: Path) -> None:
    with NodeRig(tmp_path, peers=PEERS) as rig:
        made = publisher(rig)
        assert await made.publish() is None
        rig.freshness.chain_read(NOW - 5, ChainHead(ChainPoint(7, sha256(b"block")), NOW - 9))
        assert await made.publish() is None
        rig.freshness.peer_synced("one", NOW - 20)
        rig.freshness.peer_synced("two", NOW - 3)
        published = await made.publish()
        assert published
        assert published.head.moment.as_of == NOW - 20
        assert published.head.moment.block == ChainPoint(7, sha256(b"block"))


async def test_what_could_not_be_published_is_in_the_next_delta(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        made = publisher(rig)
        await made.publish()
        await rig.give(consent(1), revocation("everything"))
        rig.confirm()
        with monkeypatch.context() as full:
            full.setattr(publishing, "signed_part", lambda *_: (_ for _ in ()).throw(OSError("full")))
            with pytest.raises(OSError, match="full"):
                await made.publish()
        published = await made.publish()
        assert published
        assert published.number == 1
        assert knows(made, scopes_key(ADA), word_key(ADA, EVERYTHING)) == [True, True]
        assert names(made, person_key(ADA), license_key(consent(1).digest)) == [True, True]


async def test_who_comes_into_doubt_is_withdrawn_until_the_next_snapshot(tmp_path: Path) -> None:
    with NodeRig(tmp_path, room=PendingRoom(signer=1)) as rig:
        await rig.give(consent(1), consent(2, contributor=BEN, parties=(BEN,)))
        rig.confirm()
        made = publisher(rig)
        await made.publish()
        assert names(made, person_key(ADA), person_key(BEN)) == [True, True]
        waiting = [revocation(words={64 * number: 1}, contributor=BEN) for number in range(1, 4)]
        for one in waiting:  # of no license: they wait, and two are dropped
            await rig.give(one)
        published = await made.publish()
        assert published
        assert published.head.counts == Counts(0, 0, 1)
        assert names(made, person_key(ADA), person_key(BEN)) == [True, False]
        license_ = consent(2, contributor=BEN, parties=(BEN,))
        assert verdicts([snapshot(made)], license_) == ["stale"]
        fresh = publisher(rig)
        await fresh.publish()
        assert names(fresh, person_key(ADA), person_key(BEN)) == [True, False]


@pytest.mark.parametrize("marks", [0, 9])
async def test_who_was_in_doubt_before_is_not_named(tmp_path: Path, marks: int) -> None:
    """With room for marks and without; others are spoken for in either case."""
    with NodeRig(tmp_path, room=PendingRoom(signer=1, marks=marks)) as rig:
        await rig.give(consent(1))
        rig.confirm()
        made = publisher(rig)
        await made.publish()
        for number in range(2):
            await rig.give(revocation(f"everything for p{number}", contributor=CLEO))
        await rig.give(consent(2, contributor=CLEO, parties=(CLEO,)))
        rig.confirm()
        for one in (made, publisher(rig)):
            assert await one.publish()
            assert names(one, person_key(ADA), person_key(CLEO)) == [True, False]


async def test_a_delta_of_much_becomes_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "FEW", 4)
    with NodeRig(tmp_path) as rig:
        rig.confirm()
        made = publisher(rig)
        await made.publish()
        await rig.give(consent(1), consent(2))
        rig.confirm()
        published = await made.publish()
        assert published
        assert (published.number, published.head.counts.named) == (1, 4)  # Ada, Ben, and two licenses
        await rig.give(*(consent(number) for number in range(3, 9)))
        rig.confirm()
        published = await made.publish()
        assert published
        assert (published.number, published.head.counts.named) == (0, 10)
        assert made.shelf.chain == (published,)


async def test_snapshots_go_on_when_there_is_no_room_for_marks(tmp_path: Path) -> None:
    with NodeRig(tmp_path, room=PendingRoom(signer=1, marks=0)) as rig:
        await rig.give(consent(1, contributor=BEN, parties=(BEN,)))
        rig.confirm()
        made = publisher(rig)
        await made.publish()
        for number in range(2):
            await rig.give(revocation(words={number: 1}, contributor=BEN))
        assert await made.publish()
        assert names(made, person_key(BEN)) == [False]
        rig.clock.time += 2 * COARSE_S
        await rig.give(revocation("everything"))
        rig.confirm()
        assert await made.publish()


async def test_a_folder_that_cannot_be_written_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that was never there; the part goes on as soon as it can be written."""
    monkeypatch.setattr(publishing, "SNAPSHOT_AGAIN_S", 0.01)
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        made = publisher(rig)
        shutil.rmtree(rig.folder / "snapshots")
        (rig.folder / "snapshots").touch()
        running = asyncio.create_task(made.run())
        await until(lambda: "snapshots-failed" in made._alarms.active())
        (rig.folder / "snapshots").unlink()
        await until(lambda: "snapshots-failed" not in made._alarms.active())
        assert snapshots({one.name for one in (rig.folder / "snapshots").iterdir()})
        running.cancel()


def snapshots(names: set[str]) -> list[str]:
    return [name for name in names if name.endswith(".snapshot")]


async def test_a_new_chain_begins_in_time_and_the_one_before_stays_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "DELTAS", 1)
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        made = publisher(rig)
        seen: set[str] = set()
        while len(snapshots(seen)) < 3:
            assert await made.publish()
            seen.update(one.path.name for one in made.shelf.chain)
        here = {one.name for one in (rig.folder / "snapshots").iterdir() if "-" in one.name}
        assert here >= {one.path.name for one in made.shelf.chain}
        assert len(snapshots(here)) == 2
        assert all(map(made.shelf.find, here))
        assert made.shelf.find(next(iter(seen - here))) is None
        assert len([name for name in seen if name.endswith(".delta")]) >= 2


@pytest.mark.usefixtures("real_process")
async def test_what_the_process_cannot_do_is_said(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        made = publisher(rig)
        (rig.folder / "snapshots" / "body").mkdir()
        task = asyncio.create_task(made.run())
        await until(lambda: rig.count("snapshots_failed") >= 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert made.shelf.chain == ()
        with pytest.raises(SaysoError):
            snapshot(made)
