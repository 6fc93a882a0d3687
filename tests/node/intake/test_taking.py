"""What the intake stores, what it knows already, and that each message of a bundle stands alone."""

import asyncio

import pytest

from node.store.harness import Held
from sayso_node.errors import StoreUnusable
from sayso_node.intake import intake
from sayso_node.intake.admissions import Circumstances, admit
from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.store import messages
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Writing
from sayso_protocol.messages.envelope import Envelope, decode, encode
from support.held_bits import bits_of
from support.node_rig import NOW, NodeRig, consent, node_key, revocation
from support.protocol_strategies import ADA, BEN, NETWORK, full_words
from support.waiting import until

STORED, KNOWN, REFUSED = Status.STORED, Status.KNOWN, Status.REFUSED
WORD = next(iter(full_words(consent(1).message)))


def queued(rig: NodeRig) -> list[bytes]:
    with rig.store.read() as db:
        return chain_state.due(db, rig.clock.now(), 100)


@pytest.mark.parametrize("source", SourceChannel)
async def test_a_duplicate_is_known_and_changes_nothing(rig: NodeRig, source: SourceChannel) -> None:
    for envelope in (consent(1), revocation("everything")):
        [first] = await rig.give(envelope, source=source)
        rig.clock.time += 60
        for again in SourceChannel:
            [second] = await rig.give(envelope, source=again)
            assert (first.status, second.status) == (STORED, KNOWN)
    with rig.store.read() as db:
        stored = messages.consent(db, consent(1).digest)
    assert stored
    assert stored.arrived_at == NOW
    counted = {name: rig.count(f"intake_{name}") for name in Status}
    assert counted == {STORED: 2, KNOWN: 6, Status.PENDING: 0, REFUSED: 0}
    assert rig.count(f"{source}_consents") == rig.count(f"{source}_revocations") == 1


async def test_each_message_of_a_bundle_stands_alone_and_in_its_place(rig: NodeRig) -> None:
    await rig.give(consent(1))
    first, second, part = (revocation(words={WORD: mask}) for mask in (1, 3, 2))
    bundle = [
        encode(consent(1)),
        b"garbage",
        encode(consent(2)),
        encode(first),
        encode(consent(2)),
        encode(second),
        encode(part),
        encode(consent(3))[:-1],
    ]
    outcomes = await rig.take(bundle, SourceChannel.GOSSIP)
    assert [one.status for one in outcomes] == [
        KNOWN,
        REFUSED,
        STORED,
        STORED,
        KNOWN,
        STORED,
        KNOWN,
        REFUSED,
    ]
    assert [one.envelope.digest for one in outcomes if one.envelope] == [
        one.digest for one in (consent(1), consent(2), first, consent(2), second, part)
    ]
    assert rig.digests() == {one.digest for one in (consent(1), consent(2), first, second)}


@pytest.mark.parametrize("source", SourceChannel)
async def test_a_revocation_that_covers_nothing_new_is_known_and_not_stored(
    rig: NodeRig, source: SourceChannel
) -> None:
    whole = revocation("everything", "via kled.ai", words={WORD: 7, 8: 1})
    part = revocation("via kled.ai", words={WORD: 5})
    await rig.give(consent(1))
    assert [one.status for one in await rig.give(whole, part, source=source)] == [STORED, KNOWN]
    assert rig.digests() == {consent(1).digest, whole.digest}
    with rig.store.read() as db:
        before = bits_of(db, ADA)
    await rig.give(part, source=source)
    with rig.store.read() as db:
        assert bits_of(db, ADA) == before


async def test_somebody_elses_identical_revocation_is_news(rig: NodeRig) -> None:
    await rig.give(consent(1, guardian=BEN))
    outcomes = await rig.give(revocation("everything"), revocation("everything", contributor=BEN))
    assert [one.status for one in outcomes] == [STORED, STORED]


async def test_our_door_makes_us_the_sponsor(rig: NodeRig) -> None:
    [outcome] = await rig.give(consent(1, sponsor=None))
    assert outcome.envelope
    assert outcome.envelope.sponsor
    assert outcome.envelope.sponsor.node_key == bytes(rig.identity.verify_key)
    with rig.store.read() as db:
        stored = messages.consent(db, outcome.envelope.digest)
    assert stored
    assert decode(stored.body, NETWORK) == outcome.envelope
    assert queued(rig) == [outcome.envelope.digest]


@pytest.mark.parametrize("source", SourceChannel)
async def test_what_another_node_sponsors_is_not_ours_to_anchor(
    rig: NodeRig, source: SourceChannel
) -> None:
    theirs, ours = consent(1, sponsor=node_key("another")), consent(2, sponsor=rig.identity)
    assert [one.status for one in await rig.give(theirs, ours, source=source)] == [STORED, STORED]
    # Ours comes back to us after a loss of our store: it still is.
    assert queued(rig) == [ours.digest]


async def test_a_store_that_fails_is_no_refusal(rig: NodeRig) -> None:
    """Nothing is said about the messages: they may be sent again."""
    rig.store.stop()
    with pytest.raises(StoreUnusable):
        await rig.give(consent(1))
    assert rig.count("intake_stored") == rig.count("intake_refused") == 0


async def test_bundles_of_one_source_that_wait_together_are_admitted_at_once(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call for all of them, whatever they hold, and each gets the outcomes of its own messages."""
    called: list[int] = []

    def counted(db: Writing, envelopes: list[Envelope], at: Circumstances) -> list[Admitted]:
        called.append(len(envelopes))
        return admit(db, envelopes, at)

    monkeypatch.setattr(intake, "admit", counted)
    stop = revocation("everything", contributor=BEN)
    bundles = [
        (consent(1),),
        (stop,),
        (consent(1), consent(2)),
        (consent(3, contributor=BEN, parties=(BEN,)),),
    ]
    async with Held(rig.store):
        tasks = [asyncio.create_task(rig.give(*bundle)) for bundle in bundles]
        tasks.append(asyncio.create_task(rig.take([encode(consent(4))], SourceChannel.HTTP, "other")))
        await until(lambda: rig.store._writer._changes.qsize() == len(tasks))  # type: ignore[attr-defined]
    statuses = [[one.status for one in await task] for task in tasks]
    assert statuses == [[STORED], [STORED], [KNOWN, STORED], [STORED], [STORED]]
    assert sorted(called) == [1, 5]
