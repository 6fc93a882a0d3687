"""What leaves for the peers and when; that nothing is lost when it cannot leave."""

import asyncio

import pytest
from cachetools import FIFOCache

from sayso_node.errors import GossipDown, GossipQueueFull
from sayso_node.gossip import broadcast
from sayso_node.intake.outcome import Outcome, SourceChannel, Status
from sayso_node.interfaces import Judgement
from sayso_protocol.errors import SaysoError, TooLarge
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.wire import TOPICS, decode_bundle, encode_bundle
from support.fake_network import Switchboard, no_answer
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import CLEO, NETWORK
from support.waiting import until

CONSENTS, REVOCATIONS = TOPICS[CONSENT].on(NETWORK), TOPICS[REVOCATION].on(NETWORK)


def lane(rig: NodeRig, kind: int) -> broadcast._Lane:
    return rig.broadcast._lanes[TOPICS[kind]]


def sent(rig: NodeRig, topic: str) -> list[list[bytes]]:
    """The bundles that were published on a topic."""
    return [decode_bundle(frame) for name, frame in rig.network.published if name == topic]


async def take_and_tell(rig: NodeRig, *envelopes: Envelope) -> list[Outcome]:
    """Ada is known: what she revokes is kept."""
    await rig.give(consent(90))
    outcomes = await rig.give(*envelopes)
    rig.broadcast.publish(outcomes)
    return outcomes


async def test_revocations_leave_at_once(rig: NodeRig) -> None:
    first, second = revocation("everything"), revocation("via kled.ai")
    await take_and_tell(rig, consent(1), first, consent(2), second)
    assert rig.network.published == []  # whoever handed them in did not wait for that
    await until(lambda: rig.network.published)
    assert sent(rig, REVOCATIONS) == [[encode(first), encode(second)]]
    assert sent(rig, CONSENTS) == []


async def test_to_how_many_peers_a_revocation_went_is_remembered(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.broadcast, "_sent_to", FIFOCache(2))
    stops = [revocation(f"via {name}.test") for name in "abc"]
    rig.network.failing = GossipDown("it is down")
    await take_and_tell(rig, stops[0])
    await until(lambda: rig.count("gossip_unsent"))
    assert rig.broadcast.sent_to(encode(stops[0])) is None
    rig.network.failing = None
    rig.network.board.add_peer("peer", no_answer)
    for one in stops:
        rig.broadcast.publish([Outcome(Status.STORED, one, is_news=True)])
    await until(lambda: sent(rig, REVOCATIONS))
    reach = [rig.broadcast.sent_to(encode(one)) for one in stops]
    assert reach == [None, 1, 1]  # the oldest is forgotten


async def test_nobody_waits_for_gossip(rig: NodeRig) -> None:
    """An acknowledgement says that a revocation is kept, and that does not depend on peers."""
    rig.network.gate.clear()
    for number in range(3):
        await take_and_tell(rig, revocation(f"via a{number}.test"), consent(number))
    assert len(rig.digests()) == 7
    rig.network.gate.set()
    await until(lambda: sum(map(len, sent(rig, CONSENTS) + sent(rig, REVOCATIONS))) == 6)


async def test_what_waits_for_gossip_is_bounded(rig: NodeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "WAITING_BYTES", 2_000)
    rig.network.gate.clear()
    await take_and_tell(rig, revocation("everything"))
    await until(lambda: not lane(rig, REVOCATION)._waiting)  # it is on its way, and held there
    for number in range(20):
        await take_and_tell(rig, revocation(f"via a{number}.test"))
    lost = rig.count("gossip_unsent")
    assert 0 < lost < 20
    rig.network.gate.set()
    await until(lambda: sum(map(len, sent(rig, REVOCATIONS))) == 21 - lost)
    assert len(rig.digests()) == 22  # sync carries the rest


async def test_a_revocation_of_nobody_known_is_told_once(rig: NodeRig) -> None:
    """Another node may know what it is about."""
    stop = revocation("everything", contributor=CLEO)
    for _ in range(3):
        [outcome] = await take_and_tell(rig, stop)
        assert outcome.status is Status.PENDING
    await until(lambda: rig.network.published)
    assert sent(rig, REVOCATIONS) == [[encode(stop)]]
    assert stop.digest not in rig.digests()


async def test_consents_wait_for_company_and_fill_a_frame(rig: NodeRig) -> None:
    taken = [await rig.give(consent(number)) for number in range(5)]
    for outcomes in taken:
        rig.broadcast.publish(outcomes)
    assert sent(rig, CONSENTS) == []
    await until(lambda: sent(rig, CONSENTS))
    assert sent(rig, CONSENTS) == [[encode(consent(number)) for number in range(5)]]


async def test_frames_are_as_few_as_fit_and_never_too_large(rig: NodeRig) -> None:
    many = [consent(number, count=400) for number in range(12)]
    await take_and_tell(rig, *many)
    await until(lambda: sum(map(len, sent(rig, CONSENTS))) == 12)
    assert [one for bundle in sent(rig, CONSENTS) for one in bundle] == [encode(one) for one in many]
    frames = [len(frame) for _, frame in rig.network.published]
    assert max(frames) <= LIMITS.frame_bytes
    assert len(frames) == -(-sum(len(encode(one)) + 5 for one in many) // LIMITS.frame_bytes)


async def test_a_consent_that_comes_while_others_are_being_sent_is_sent_too(rig: NodeRig) -> None:
    rig.network.gate.clear()
    await take_and_tell(rig, consent(1))
    await until(lambda: not lane(rig, CONSENT)._waiting)  # the first is on its way, and held there
    await take_and_tell(rig, consent(2))
    rig.network.gate.set()
    await until(lambda: len(sent(rig, CONSENTS)) == 2)
    assert sent(rig, CONSENTS) == [[encode(consent(1))], [encode(consent(2))]]


async def test_a_revocation_never_waits_behind_consents(rig: NodeRig) -> None:
    rig.network.gate.clear()
    await take_and_tell(rig, consent(1))
    await until(lambda: not lane(rig, CONSENT)._waiting)
    await take_and_tell(rig, revocation("everything"))
    rig.network.gate.set()
    await until(lambda: len(sent(rig, REVOCATIONS)) == 1)


async def test_only_what_was_new_here_is_told(rig: NodeRig) -> None:
    await take_and_tell(rig, revocation("everything"))
    outcomes = await take_and_tell(rig, revocation("everything"))
    outcomes += await rig.take([b"garbage"], SourceChannel.HTTP)
    rig.broadcast.publish(outcomes)
    await until(lambda: rig.network.published)
    assert [one.status for one in outcomes] == [Status.KNOWN, Status.REFUSED]
    assert len(rig.network.published) == 1


async def test_when_peers_do_not_keep_up_frames_wait_and_consents_are_refused(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = [encode(revocation("everything"))]
    more = [encode(consent(2))]
    monkeypatch.setattr(broadcast, "WAITING_BYTES", len(more[0]) + 100)
    rig.broadcast.check_room(more)
    rig.network.failing = GossipQueueFull("full")
    await take_and_tell(rig, consent(1))
    with pytest.raises(GossipQueueFull):
        rig.broadcast.check_room(more)
    rig.broadcast.check_room(stop)  # nobody is told to come back later with a revocation
    rig.broadcast.check_room([*more, *stop])
    rig.network.failing = None
    await until(lambda: sent(rig, CONSENTS))
    assert rig.count("gossip_unsent") == 0
    await until(lambda: lane(rig, CONSENT).has_room(len(more[0])))
    rig.broadcast.check_room(more)


@pytest.mark.parametrize("error", [GossipDown("down"), TooLarge("a frame too large")])
async def test_what_cannot_be_sent_is_counted_and_kept(rig: NodeRig, error: SaysoError) -> None:
    """Whoever handed it in hears nothing of it: sync carries it."""
    rig.network.failing = error
    outcomes = await take_and_tell(rig, consent(1), revocation("everything"))
    await until(lambda: rig.count("gossip_unsent") == 2)
    assert rig.count("gossip_published") == 0
    assert rig.digests() >= {one.envelope.digest for one in outcomes if one.envelope}
    rig.network.failing = None
    await take_and_tell(rig, consent(2))
    await until(lambda: rig.count("gossip_published") == 1)


async def test_stop_leaves_nothing_running(rig: NodeRig) -> None:
    rig.network.gate.clear()
    await take_and_tell(rig, consent(1))
    await rig.broadcast.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert consent(1).digest in rig.digests()


async def test_a_node_without_gossip_is_silent_and_deaf(rig: NodeRig) -> None:
    rig.broadcast._enabled = False
    await take_and_tell(rig, revocation("everything"), consent(1))
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert rig.network.published == []
    frame = encode_bundle([encode(consent(2))])
    assert await rig.broadcast.on_frame(CONSENTS, frame, "peer") is Judgement.IGNORE
    assert consent(2).digest not in rig.digests()


async def test_what_one_publishes_the_other_accepts(
    rig: NodeRig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    board = Switchboard()
    folder = tmp_path_factory.mktemp("two")
    with NodeRig(folder, name="a", board=board) as a, NodeRig(folder, name="b", board=board) as b:
        for count, envelope in enumerate((consent(1, sponsor=None), revocation("everything")), 1):
            a.broadcast.publish(await a.give(envelope))
            await until(lambda count=count: len(a.network.judgements) == count)  # type: ignore[misc]
        assert a.network.judgements == [Judgement.ACCEPT, Judgement.ACCEPT]
        assert a.digests() == b.digests()
        assert (b.count("gossip_consents"), b.count("gossip_revocations")) == (1, 1)
