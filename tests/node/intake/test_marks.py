"""Rule 7.15 under attack: a flood of revocations costs whoever signed it or sent it, and ends."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from sayso_node.intake.outcome import SourceChannel
from sayso_node.snapshots import building
from sayso_node.snapshots.building import Order
from sayso_node.store.admission import marks, pending, revocations
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.chain import block_dates
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import sha256
from sayso_protocol.traces.duties import Block
from sayso_protocol.verdicts.verdict import Reason
from support.judging import consent_of, reason
from support.node_rig import NOW, NodeRig, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, WALLETS, address_of, wallet

FLOOD = 3_000
ROOM = PendingRoom(pending=20, source=10, signer=4, marks=50, signer_marks=4)


def wallet_address(number: int) -> bytes:
    return sha256(b"stranger %d" % number)[:20]


def stop_of(signer: bytes, number: int) -> Envelope:
    """A revocation that concerns nothing known."""
    return Envelope(Revocation(signer, (), (number,), (1,)), NETWORK, bytes(65))


async def flood(rig: NodeRig, stops: Iterable[Envelope], source: str) -> None:
    """What strangers signed, as it is when their signatures have been checked."""
    messages = list(stops)
    await rig.store.write(
        lambda db: [revocations.admit(db, one, source, NOW, rig.intake._room) for one in messages]
    )


def snapshot_is_made(rig: NodeRig, folder: Path) -> bool:
    """Whether a snapshot can be made that names anybody."""
    order = Order(rig.store.location, str(folder / "body"), NETWORK, rig.clock.now() + 1, (), None)
    return building.make(order).counts.named > 0


async def test_one_wallets_flood_costs_only_that_wallet(tmp_path: Path) -> None:
    with NodeRig(tmp_path, room=ROOM) as rig:
        await rig.give(consent_of(ADA))
        await flood(rig, (stop_of(BEN, number) for number in range(FLOOD)), "http:loud")
        newcomer, loud = consent_of(CLEO, 2), consent_of(BEN, 3)
        await rig.give(newcomer, loud)
        assert reason(rig, newcomer) is Reason.GRANTED
        assert reason(rig, loud) is Reason.STALE
        assert snapshot_is_made(rig, tmp_path)
        with rig.store.read() as db:
            assert pending.load(db) == (ROOM.signer, 1, 0)


@pytest.mark.parametrize("sources", [1, 7])
async def test_a_flood_by_many_wallets_spares_those_who_are_known_and_most_who_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: int
) -> None:
    newcomers = {address_of(key): key for key in (wallet(f"newcomer {one}") for one in range(256))}
    for address, key in newcomers.items():
        monkeypatch.setitem(WALLETS, address, key)
    with NodeRig(tmp_path, room=ROOM._replace(bits=1_024)) as rig:
        await rig.give(consent_of(ADA))
        for number in range(sources):
            numbers = range(number, FLOOD, sources)
            strangers = (stop_of(wallet_address(one), 1) for one in numbers)
            await flood(rig, strangers, f"http:{number}")
        people = list(newcomers)
        with rig.store.read() as db:
            stale = [who for who in people if marks.merged_in(db, who)]
        held = [consent_of(stale[0], 2), consent_of(next(who for who in people if who not in stale), 3)]
        await rig.give(*held)
        assert [reason(rig, one) for one in held] == [Reason.STALE, Reason.GRANTED]
        assert 0 < len(stale) < len(people) // 4  # at most an eighth in the long run
        assert reason(rig, consent_of(ADA)) is Reason.GRANTED
        assert snapshot_is_made(rig, tmp_path)
        rig.clock.time += 2 * marks.COARSE_S
        await rig.give(revocation("everything", contributor=CLEO))  # the node looks when something comes
        assert [reason(rig, one) for one in held] == [Reason.GRANTED] * 2
        with rig.store.read() as db:
            # What came now may have merged one more mark: one bit of a fresh bitmap.
            assert sum(marks.merged_in(db, who) > 0 for who in people) <= 4


async def test_a_clock_that_is_ahead_for_a_while_ends_no_doubt(tmp_path: Path) -> None:
    known = consent_of(ADA)
    with NodeRig(tmp_path, room=PendingRoom(pending=1, source=1, marks=0)) as rig:
        await rig.give(known)
        await flood(rig, (stop_of(who, 9) for who in (ADA, BEN)), "http:a")
        await rig.store.write(lambda db: block_dates.set_final(db, Block(7, int(NOW))))
        rig.clock.time += 3 * marks.COARSE_S
        await rig.give(consent_of(CLEO, 3))
        rig.clock.time = NOW
        assert reason(rig, known) is Reason.STALE
        await rig.store.write(
            lambda db: block_dates.set_final(db, Block(8, int(NOW + 3 * marks.COARSE_S)))
        )
        rig.clock.time = NOW + 3 * marks.COARSE_S
        await rig.give(consent_of(CLEO, 4))
        assert reason(rig, known) is Reason.GRANTED


async def test_a_flood_from_one_source_leaves_the_marks_of_others(tmp_path: Path) -> None:
    """Whoever fills the node gives up marks of his own first."""
    with NodeRig(tmp_path, room=ROOM._replace(source=1)) as rig:
        stop = revocation("everything", contributor=BEN)
        await rig.take([encode(stop)], SourceChannel.HTTP, "http:quiet")
        other = revocation("everything", contributor=CLEO)
        await rig.take([encode(other)], SourceChannel.HTTP, "http:quiet")
        strangers = (stop_of(wallet_address(one), 1) for one in range(FLOOD))
        await flood(rig, strangers, "http:loud")
        with rig.store.read() as db:
            assert pending.load(db).marks == ROOM.marks
            assert db.execute("SELECT 1 FROM marks WHERE signer = ?", (BEN,)).fetchone()
        hidden = consent_of(BEN, 2)
        await rig.give(hidden)
        assert reason(rig, hidden) is Reason.STALE
        await rig.give(stop)
        assert reason(rig, hidden) is Reason.REVOKED


async def test_who_lost_a_mark_stays_in_doubt_for_a_month_at_least(tmp_path: Path) -> None:
    """Known or not, when the mark is merged with others, and also after a restart."""
    known, unknown = consent_of(ADA), consent_of(BEN, 2)
    room = PendingRoom(pending=1, source=1, marks=0)
    with NodeRig(tmp_path, room=room) as rig:
        await rig.give(known)
        await flood(rig, (stop_of(who, 9) for who in (ADA, BEN, wallet_address(0))), "http:a")
        assert rig.count("marks_merged") == 0  # the flood went past the door
    with NodeRig(tmp_path, room=room) as rig:
        rig.intake.start()
        assert rig.count("marks_merged") == 2
        rig.clock.time += marks.COARSE_S
        await rig.give(unknown)
        assert {reason(rig, one) for one in (known, unknown)} == {Reason.STALE}
        rig.clock.time += marks.COARSE_S
        await rig.give(consent_of(CLEO, 3))
        assert {reason(rig, one) for one in (known, unknown)} == {Reason.GRANTED}
