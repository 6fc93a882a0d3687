"""What a node publishes is all that it knows, signed, and for a moment at which it may speak."""

import asyncio
from pathlib import Path

import pytest

from sayso_node.freshness import ChainHead
from sayso_node.snapshots import building, publishing
from sayso_node.snapshots.publishing import SnapshotPublisher
from sayso_node.store.admission import revocations
from sayso_node.store.admission.pending import PendingRoom
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.keys import as_keys, bit_key, doubt_key, scopes_key, word_key
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots, read_snapshot
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS
from support.node_rig import NOW, NodeRig, consent, node_key, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK
from support.waiting import until

TRUSTED = NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(node_key("rig").verify_key)),))
EVERYTHING = scope_word("everything")
PEERS = ("one", "two")


def publisher(rig: NodeRig, interval_s: float = 0.01) -> SnapshotPublisher:
    made = SnapshotPublisher(
        NETWORK,
        rig.store.location,
        rig.folder / "snapshots",
        rig.freshness,
        rig.identity,
        rig.clock,
        rig.counters,
        interval_s=interval_s,
    )
    made.shelf.open()
    return made


def snapshot(made: SnapshotPublisher) -> Snapshot:
    """What a client has who fetched every file."""
    return read_snapshot(b"".join(one.path.read_bytes() for one in made.shelf.chain), TRUSTED)


def knows(made: SnapshotPublisher, *keys: bytes) -> list[bool]:
    found: list[bool] = snapshot(made).holds(as_keys(b"".join(keys))).tolist()
    return found


async def test_a_snapshot_has_what_is_kept_what_waits_and_what_is_on_chain(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        license_ = consent(1, count=3)
        message = license_.message
        assert isinstance(message, Consent)
        masks = message.masks([1], ["train-ai"])
        await rig.give(license_, revocation(words=masks))
        await rig.give(revocation("everything", contributor=BEN))  # of nobody known: it waits
        await rig.store.write(
            lambda db: revocations.add_chain_bits(db, CLEO, {EVERYTHING: 1}, rig.clock.now())
        )
        made = publisher(rig)
        published = await made.publish()
        assert published
        ((word, mask),) = masks.items()
        bit = bit_key(ADA, word, mask.bit_length() - 1)
        assert knows(made, bit, word_key(BEN, EVERYTHING), word_key(CLEO, EVERYTHING)) == [True] * 3
        assert knows(made, word_key(ADA, EVERYTHING), doubt_key(ADA)) == [False] * 2
        head = published.head
        assert (head.moment.as_of, head.moment.time) == (NOW, NOW)
        assert head.counts.addresses == 2  # what waits is not part of the state
        with rig.store.read() as db:
            from sayso_node.store.bits import current_digest

            assert head.moment.state == current_digest(db)


async def test_a_delta_has_what_is_new_and_a_gate_refuses_it(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        license_ = consent(1, count=3)
        await rig.give(license_)
        made = publisher(rig)
        await made.publish()
        assert verdicts(made, license_) == ["granted"] * 3
        await rig.give(revocation("everything"))
        published = await made.publish()
        assert published
        assert (published.number, published.head.counts.keys) == (1, 2)
        assert verdicts(made, license_) == ["revoked"] * 3
        nothing_new = await made.publish()
        assert nothing_new
        assert nothing_new.head.counts.keys == 0
        assert verdicts(made, license_) == ["revoked"] * 3


def verdicts(made: SnapshotPublisher, license_: object) -> list[str]:
    held = HeldLicenses([(license_.digest, license_.message, license_.items)])  # type: ignore[attr-defined]
    gate = OfflineGate(held, Snapshots([snapshot(made)]), Query(BEN, "train-ai"), max_age_s=60)
    rows = b"".join(license_.digest + item for item in license_.items)  # type: ignore[attr-defined]
    return [REASONS[number].value for number in gate.judge(rows, NOW)[0].tolist()]


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
        with monkeypatch.context() as full:
            full.setattr(publishing, "signed_part", lambda *_: (_ for _ in ()).throw(OSError("full")))
            with pytest.raises(OSError, match="full"):
                await made.publish()
        await made.publish()
        assert knows(made, scopes_key(ADA), word_key(ADA, EVERYTHING)) == [True, True]


async def test_whom_the_node_is_in_doubt_about_is_in_the_snapshot(tmp_path: Path) -> None:
    with NodeRig(tmp_path, room=PendingRoom(signer=1)) as rig:
        rig.be_current()
        for number in range(3):
            await rig.give(revocation(f"everything for p{number}", contributor=BEN))
        made = publisher(rig)
        published = await made.publish()
        assert published
        assert published.head.counts.doubted == 1
        assert knows(made, doubt_key(BEN), doubt_key(ADA)) == [True, False]


async def test_a_node_that_lost_marks_makes_no_snapshots(tmp_path: Path) -> None:
    with NodeRig(tmp_path, room=PendingRoom(signer=1, marks=0)) as rig:
        rig.be_current()
        made = publisher(rig)
        await made.publish()
        for number in range(2):
            await rig.give(revocation(f"everything for p{number}", contributor=BEN))
        assert await made.publish() is None
        assert made.lost
        assert made.shelf.chain == ()


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


async def test_what_the_process_cannot_do_is_said(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        rig.be_current()
        made = publisher(rig)
        (rig.folder / "snapshots" / building.BODY).mkdir()
        task = asyncio.create_task(made.run())
        await until(lambda: rig.count("snapshots_failed") >= 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert made.shelf.chain == ()
        with pytest.raises(SaysoError):
            snapshot(made)
