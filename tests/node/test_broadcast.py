"""What leaves for the peers and when; that nothing is lost when it cannot leave."""

import asyncio

import pytest

from sayso_node.errors import GossipDown, GossipQueueFull
from sayso_node.interfaces import Judgement
from sayso_node.outcome import Outcome, Source, Status
from sayso_protocol.envelope import Envelope, encode
from sayso_protocol.errors import SaysoError, TooLarge
from sayso_protocol.limits import LIMITS
from sayso_protocol.wire import consents_topic, decode_bundle, encode_bundle, revocations_topic
from support.fake_network import Switchboard
from support.node_rig import NodeRig, consent, revocation, until
from support.protocol_strategies import NETWORK

CONSENTS, REVOCATIONS = consents_topic(NETWORK), revocations_topic(NETWORK)


def sent(rig: NodeRig, topic: str) -> list[list[bytes]]:
    """The bundles that were published on a topic."""
    return [decode_bundle(frame) for name, frame in rig.network.published if name == topic]


async def take_and_tell(rig: NodeRig, *envelopes: Envelope) -> list[Outcome]:
    outcomes = await rig.give(*envelopes)
    await rig.broadcast.publish(outcomes)
    return outcomes


async def test_revocations_leave_at_once(rig: NodeRig) -> None:
    first, second = revocation("everything"), revocation(words={5: 1})
    await take_and_tell(rig, consent(1), first, consent(2), second)
    assert sent(rig, REVOCATIONS) == [[encode(first), encode(second)]]  # before anything else ran
    assert sent(rig, CONSENTS) == []


async def test_consents_wait_for_company_and_fill_a_frame(rig: NodeRig) -> None:
    taken = [await rig.give(consent(number)) for number in range(5)]
    for outcomes in taken:
        await rig.broadcast.publish(outcomes)
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
    await until(lambda: not rig.broadcast._waiting)  # the first is on its way, and held there
    await take_and_tell(rig, consent(2))
    rig.network.gate.set()
    await until(lambda: len(sent(rig, CONSENTS)) == 2)
    assert sent(rig, CONSENTS) == [[encode(consent(1))], [encode(consent(2))]]


async def test_a_revocation_never_waits_behind_consents(rig: NodeRig) -> None:
    rig.network.gate.clear()
    await take_and_tell(rig, consent(1))
    await until(lambda: not rig.broadcast._waiting)
    telling = asyncio.create_task(take_and_tell(rig, revocation("everything")))
    rig.network.gate.set()
    await telling
    assert len(sent(rig, REVOCATIONS)) == 1


async def test_only_what_was_new_here_is_told(rig: NodeRig) -> None:
    await take_and_tell(rig, revocation("everything"))
    outcomes = await take_and_tell(rig, revocation("everything"))
    outcomes += await rig.intake.take([b"garbage"], Source.HTTP)
    await rig.broadcast.publish(outcomes)
    assert [one.status for one in outcomes] == [Status.KNOWN, Status.REFUSED]
    assert len(rig.network.published) == 1


@pytest.mark.parametrize(
    "error", [GossipQueueFull("full"), GossipDown("down"), TooLarge("a frame too large")]
)
async def test_what_cannot_be_sent_is_counted_and_kept(rig: NodeRig, error: SaysoError) -> None:
    """Whoever handed it in hears nothing of it: sync carries it."""
    rig.network.failing = error
    outcomes = await take_and_tell(rig, consent(1), revocation("everything"))
    await until(lambda: rig.count("gossip_unsent") == 2)
    assert rig.count("gossip_published") == 0
    assert rig.digests() == {one.envelope.digest for one in outcomes if one.envelope}
    rig.network.failing = None
    await take_and_tell(rig, consent(2))
    await until(lambda: rig.count("gossip_published") == 1)


async def test_stop_leaves_nothing_running(rig: NodeRig) -> None:
    rig.network.gate.clear()
    await take_and_tell(rig, consent(1))
    await rig.broadcast.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(rig.digests()) == 1


async def test_a_node_without_gossip_is_silent_and_deaf(rig: NodeRig) -> None:
    rig.broadcast._enabled = False
    await take_and_tell(rig, revocation("everything"), consent(1))
    await rig.broadcast._send_waiting()
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
        outcomes = await a.give(consent(1, sponsor=None), revocation("everything"))
        await a.broadcast.publish(outcomes)
        await until(lambda: len(a.network.judgements) == 2)
        assert a.network.judgements == [Judgement.ACCEPT, Judgement.ACCEPT]
        assert a.digests() == b.digests()
        assert (b.count("gossip_consents"), b.count("gossip_revocations")) == (1, 1)
