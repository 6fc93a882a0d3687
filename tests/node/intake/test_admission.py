"""Rules 7.12 to 7.15 under attack: whatever is sent, nothing that was revoked is ever `granted`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.intake.outcome import Source, SourceChannel, Status
from sayso_node.interfaces import Judgement
from sayso_node.store.admission import pending, revocations
from sayso_node.store.admission.pending import Load, PendingRoom
from sayso_node.store.events import feed as events
from sayso_node.store.revocations import bits
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import REVOCATION
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import TOPICS, encode_bundle
from sayso_protocol.permissions.scopes import agreement_subject
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.receipts.text import AcknowledgementJson
from sayso_protocol.verdicts.verdict import Reason
from support.judging import consent_of, reason
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    address_of,
    sign_digest,
    wallet,
)
from support.tries import tries

STORED, KNOWN, PENDING = Status.STORED, Status.KNOWN, Status.PENDING
VICTIMS = (ADA, BEN, CLEO)
SMALL = PendingRoom(pending=60, source=20, marks=10_000)


def words(envelope: Envelope, mask: int = 3) -> dict[int, int]:
    """These bits in the first word of a consent."""
    assert isinstance(envelope.message, Consent)
    return {envelope.message.base: mask}


def agreement_of(envelope: Envelope) -> str:
    assert isinstance(envelope.message, Consent)
    return agreement_subject(envelope.message.agreement)


def load(rig: NodeRig) -> Load:
    with rig.store.read() as db:
        return pending.load(db)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, name="small", room=SMALL) as rig:
        yield rig


WAYS: dict[str, Callable[[Envelope], Envelope]] = {
    "everything": lambda _: revocation("everything"),
    "via": lambda _: revocation("via kled.ai for train-ai"),
    "file": lambda held: revocation("file 0x" + held.items[0].hex()),
    "its agreement": lambda held: revocation(agreement_of(held)),
    "to whoever": lambda _: revocation("to 0x" + "11" * 20, "everything"),
    "its word": lambda held: revocation(words=words(held)),
    "among other words": lambda held: revocation(words={7: 1, **words(held)}),
    "its guardian": lambda _: revocation(f"ward 0x{ADA.hex()} everything", contributor=CLEO),
}


@pytest.mark.parametrize("channel", SourceChannel)
@pytest.mark.parametrize("name", WAYS)
async def test_a_revocation_that_came_first_waits_and_then_holds(
    rig: NodeRig, name: str, channel: SourceChannel
) -> None:
    held = consent(1, guardian=CLEO, grantee=bytes(20))
    early = WAYS[name](held)
    for first in (True, False):
        [outcome] = await rig.give(early, source=channel)
        assert (outcome.status, outcome.is_news) == (PENDING, first)
    assert (load(rig), rig.digests()) == ((1, 0, 0), set())
    await rig.give(held)
    assert (load(rig), rig.digests()) == ((0, 0, 0), {held.digest, early.digest})
    assert reason(rig, held) is Reason.REVOKED
    with rig.store.read() as db:
        assert {one.digest for one in events.events_after(db, 0, 100)} == {early.digest}
    assert [one.status for one in await rig.give(early)] == [KNOWN]


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("consent_first", [True, False])
async def test_a_revocation_with_its_consent_attached_is_of_something_known(
    rig: NodeRig, name: str, *, consent_first: bool
) -> None:
    held = consent(1, guardian=CLEO, grantee=bytes(20))
    pair = [held, WAYS[name](held)]
    outcomes = await rig.give(*(pair if consent_first else pair[::-1]))
    assert {one.status for one in outcomes} == {STORED}
    assert reason(rig, held) is Reason.REVOKED


async def test_words_of_a_hidden_consent_wait_though_the_signer_is_known(rig: NodeRig) -> None:
    shown, hidden = consent_of(ADA, 1), consent_of(ADA, 2)
    await rig.give(shown)
    [outcome] = await rig.give(revocation(words=words(hidden)))
    assert outcome.status is PENDING
    await rig.give(hidden)
    assert reason(rig, hidden) is Reason.REVOKED
    assert reason(rig, shown) is Reason.GRANTED


@pytest.mark.parametrize("way", ["its word", "its agreement"])
async def test_renewals_and_hidden_twins_fall_with_the_first(rig: NodeRig, way: str) -> None:
    first, renewal = consent_of(ADA), consent_of(ADA, issued_at=1_700_000_001)
    twin = consent_of(ADA, guardian=CLEO, terms=b"\x01" * 32, recheck_hours=1, removal_days=365)
    other = consent_of(ADA, via="other.ai")
    assert len({first.digest, renewal.digest, twin.digest}) == 3
    await rig.give(first, WAYS[way](first))
    await rig.give(renewal, twin, other)  # nobody knew of them
    assert [reason(rig, one) for one in (first, renewal, twin)] == [Reason.REVOKED] * 3
    assert reason(rig, other) is Reason.GRANTED


async def test_what_is_on_chain_is_kept_whoever_signed_it(rig: NodeRig) -> None:
    stop, other = revocation("everything"), revocation("everything", words={9: 1})
    await rig.store.write(
        lambda db: revocations.add_chain_bits(db, ADA, dict(stop.message.bits), NOW)  # type: ignore[attr-defined]
    )
    assert [one.status for one in await rig.give(stop, other)] == [STORED, PENDING]
    await rig.store.write(lambda db: revocations.add_chain_bits(db, ADA, {9: 1}, NOW))
    assert rig.digests() == {stop.digest, other.digest}  # what waited is on chain now


async def test_no_new_bit_is_acknowledged_and_neither_stored_nor_passed_on(rig: NodeRig) -> None:
    held = consent_of(ADA)
    await rig.give(held, revocation("everything", words=words(held)))
    before = rig.digests()
    for part in (revocation("everything"), revocation(words=words(held, 1))):
        frame = encode_bundle([encode(part)])
        topic = TOPICS[REVOCATION].on(NETWORK)
        assert await rig.broadcast.on_frame(topic, frame, "peer") is Judgement.IGNORE
        [outcome] = await rig.give(part)
        assert (outcome.status, outcome.is_news) == (KNOWN, False)
        said = await rig.signer.acknowledge(part)
        assert said.digest == hex_text(part.digest)
    assert rig.digests() == before
    with rig.store.read() as db:
        assert events.last_seq(db) == 2


async def test_what_changes_nothing_leaves_nothing_however_often_it_comes(rig: NodeRig) -> None:
    """Each repeat is signed anew, with the time at which the bits were known, and stored nowhere."""

    def rows() -> dict[str, int]:
        with rig.store.read() as db:
            tables = [
                name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}

    await rig.give(consent_of(ADA), revocation("everything", "via kled.ai", words={4: 255}))
    await rig.signer.acknowledge(revocation("everything"))
    before = rows()
    for number in range(1, 200):
        part = revocation("everything", words={4: number})
        [outcome] = await rig.give(part)
        assert outcome.status is KNOWN
        rig.clock.time += 1
        said = await rig.signer.acknowledge(part)
        assert said.time == int(rig.clock.now())
    assert rows() == before


async def test_who_repeats_after_a_lost_answer_gets_the_same_bytes(tmp_path: Path) -> None:
    """Between storing and answering the node may die at any point."""
    stop = revocation("everything")
    with NodeRig(tmp_path) as rig:
        await rig.give(consent_of(ADA), stop)  # died before it signed
    said: list[AcknowledgementJson] = []
    for _ in range(2):  # died after it had signed
        with NodeRig(tmp_path) as rig:
            rig.be_current(number=len(said) + 1)
            rig.clock.time += len(said)
            assert [one.status for one in await rig.give(stop)] == [KNOWN]
            said.append(await rig.signer.acknowledge(stop))
    assert said[0] == said[1]


def source_of(number: int) -> str:
    return f"http:{number // 500 % 7}"


async def flood(rig: NodeRig, number: int) -> None:
    """What many wallets signed, as it is when their signatures have been checked."""

    def signer(at: int) -> bytes:
        return sha256(b"stranger %d" % at)[:20]

    strangers = [
        Envelope(Revocation(signer(at), ("everything",)), NETWORK, bytes(65))
        for at in range(number, number + 500)
    ]
    await rig.store.write(
        lambda db: [
            revocations.admit(db, one, source_of(number), NOW, rig.intake._room) for one in strangers
        ]
    )


async def hide_in_flood(rig: NodeRig, strangers: int) -> None:
    """The victims' revocations come at the beginning, in the middle and at the end."""
    for at in range(0, strangers, 500):
        if at in (0, strangers // 1_000 * 500, strangers - 500):
            who = VICTIMS[(0, strangers // 1_000 * 500, strangers - 500).index(at)]
            stop = revocation("everything", contributor=who)
            await rig.take([encode(stop)], SourceChannel.HTTP, source_of(at))
        await flood(rig, at)


async def never_granted(rig: NodeRig, strangers: int) -> None:
    await hide_in_flood(rig, strangers)
    full = load(rig)
    assert full.pending <= rig.intake._room.pending
    assert full.marks <= rig.intake._room.marks
    held = [consent_of(who, number) for number, who in enumerate(VICTIMS)]
    await rig.give(*held)
    reasons = {reason(rig, one) for one in held}
    assert reasons <= {Reason.STALE, Reason.REVOKED}
    assert Reason.STALE in reasons  # the first was dropped long ago
    await rig.give(*(revocation("everything", contributor=who) for who in VICTIMS))
    assert {reason(rig, one) for one in held} == {Reason.REVOKED}


async def test_a_hidden_consent_after_a_flood_is_never_granted(small: NodeRig) -> None:
    await never_granted(small, 3_000)


@pytest.mark.long
async def test_a_hidden_consent_after_100_000_strangers_is_never_granted(rig: NodeRig) -> None:
    await never_granted(rig, 100_000)
    assert load(rig).marks > 50_000


async def test_with_marks_full_who_was_dropped_stays_stale_and_it_is_said_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room = PendingRoom(pending=20, source=10, marks=5)
    early = consent_of(ADA, 9)
    with NodeRig(tmp_path, room=room) as rig:
        await rig.give(early)
        hidden = consent_of(BEN)
        stop = revocation(words=words(hidden), contributor=BEN)
        await rig.take([encode(stop)], SourceChannel.HTTP, "http:x")
        await flood(rig, 0)
        stopped = [wallet(f"loud {number}") for number in range(40)]
        for key in stopped:  # through the door, with real signatures
            message = Revocation(address_of(key), ("everything",))
            envelope = Envelope(message, NETWORK, b"")
            signature = sign_digest(key, envelope.digest)
            await rig.intake.take(
                [encode(replace(envelope, signature=signature))], Source(SourceChannel.HTTP, "http:x")
            )
        assert rig.count("marks_merged") > 0
        assert "marks" in caplog.text
        await rig.give(hidden, consent_of(CLEO, 3))
        assert reason(rig, hidden) is Reason.STALE
        assert reason(rig, consent_of(CLEO, 3)) is Reason.GRANTED  # nothing of hers was dropped
        assert reason(rig, early) is Reason.GRANTED  # known before, and nothing of hers was dropped
        await rig.give(stop)
        assert reason(rig, hidden) is Reason.REVOKED
    with NodeRig(tmp_path, room=room) as rig:  # a restart forgets nothing of it
        caplog.clear()
        rig.intake.start()
        assert rig.count("marks_merged") > 0
        assert "marks" in caplog.text
        await rig.give(consent_of(BEN, 4))
        assert reason(rig, consent_of(BEN, 4)) is Reason.STALE


async def test_a_dropped_message_of_somebody_known_makes_all_of_his_stale_until_it_comes(
    tmp_path: Path,
) -> None:
    shown, hidden = consent_of(ADA, 1), consent_of(ADA, 2)
    lost = revocation(words=words(hidden))
    with NodeRig(tmp_path, room=PendingRoom(pending=2, source=2)) as rig:
        await rig.give(shown, lost)
        assert reason(rig, shown) is Reason.GRANTED
        await flood(rig, 0)
        assert reason(rig, shown) is Reason.GRANTED  # another's flood
        await rig.give(*(revocation(words={number: 1}) for number in (5, 6)))
        assert reason(rig, shown) is Reason.STALE
        await rig.give(hidden)
        assert reason(rig, hidden) is Reason.STALE
        await rig.give(lost)
        assert reason(rig, hidden) is Reason.REVOKED


POOL = [
    *(consent_of(who, number) for who in VICTIMS for number in (1, 2)),
    consent_of(ADA, 3, guardian=BEN),
    *(revocation(words=words(consent_of(who, 2)), contributor=who) for who in VICTIMS),
    *(revocation("everything for train-ai", contributor=who) for who in VICTIMS),
    revocation(f"ward 0x{ADA.hex()} file 0x{consent_of(ADA, 3).items[0].hex()}", contributor=BEN),
    *(revocation(words={number: 1, 7: 1}) for number in range(4)),
]


@settings(deadline=None, max_examples=tries(25))
@given(
    st.lists(st.tuples(st.sampled_from(POOL), st.sampled_from(SourceChannel)), max_size=25),
    st.integers(1, 3),
    st.integers(0, 2),
)
async def test_however_little_room_there_is_nothing_revoked_is_granted(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[Envelope, SourceChannel]],
    room: int,
    marks: int,
) -> None:
    """Against a node with room for everything."""
    folder = tmp_path_factory.mktemp("room")
    heard = [one for one, _ in history]
    tight = PendingRoom(pending=room, source=room, marks=marks)
    with NodeRig(folder, name="a", room=tight) as a, NodeRig(folder, name="b") as b:
        for one, channel in history:
            await a.give(one, source=channel)
        if heard:
            await b.give(*heard)
        for one in {one.digest: one for one in heard if isinstance(one.message, Consent)}.values():
            mine, truth = reason(a, one), reason(b, one)
            assert mine in (truth, Reason.STALE)
        with a.store.read() as db:
            assert bits.current_digest(db)
