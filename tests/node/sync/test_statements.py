"""Statements spread by gossip and by sync; what is pending goes nowhere (rule 7.17)."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from node.sync.peers import Peer
from sayso_node.interfaces import Judgement
from sayso_node.store.statements import sublicenses
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, USE
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import TOPICS, encode_bundle
from sayso_protocol.primitives import sha256
from sayso_protocol.sync.requests import GetRequest, RangeRequest
from support.fake_network import Switchboard
from support.holders import LABS, dispute, removal, stated, sublicense, use
from support.node_rig import NodeRig, consent
from support.protocol_strategies import BEN, CLEO, NETWORK

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
DAN, EVE, *_ = LABS
FIRST = sublicense(BEN, DAN, [SOLD.digest])
SECOND = sublicense(DAN, EVE, [SOLD.digest], FIRST.digest)
USED, GONE = use(EVE, [SECOND.digest]), removal(DAN, [SOLD.digest])
STOP = stated(Revocation(EVE, ("everything",)), (), is_sponsored=False)  # Eve is known as a grantee
STATED = [FIRST, SECOND, USED, GONE]
CLAIMS = [use(CLEO, [SOLD.digest]), dispute(CLEO, [sha256(b"a file")])]
TOPIC = TOPICS[USE].on(NETWORK)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[NodeRig, NodeRig]]:
    with ExitStack() as stack:
        board = Switchboard()
        yield (
            stack.enter_context(NodeRig(tmp_path, name="a", board=board)),
            stack.enter_context(NodeRig(tmp_path, name="b", board=board)),
        )


def names(*envelopes: Envelope) -> set[bytes]:
    return {one.digest for one in envelopes}


async def test_a_round_brings_consents_before_statements(pair: tuple[NodeRig, NodeRig]) -> None:
    here, there = pair
    await here.give(SOLD, *STATED, *CLAIMS, STOP)
    assert await there.rounds.round(here.peer_id)
    assert there.digests() == here.digests() == names(SOLD, *STATED, STOP)
    with there.store.read() as db:
        assert sublicenses.depth_of(db, SOLD.digest, SECOND.digest) == 2
    for _ in range(2):  # what waited for another in between is not remembered as declined
        assert await there.rounds.round(here.peer_id)
        assert await here.rounds.round(there.peer_id)
    assert there.count("sync_rounds") == 3
    assert not there.rounds.has_moved(here.peer_id)


async def test_a_new_node_fetches_them_as_a_range(tmp_path: Path) -> None:
    with NodeRig(tmp_path, peers=["peer"]) as rig:
        many = [use(BEN, [SOLD.digest], f"{number}") for number in range(40)]
        peer = Peer(rig, holds=[SOLD, FIRST, *many])
        assert await rig.rounds.round("peer")
        assert rig.digests() == names(SOLD, FIRST, *many)
        kinds = [one.kind for one in peer.moved if isinstance(one, RangeRequest | GetRequest)]
        assert kinds == sorted(kinds)  # consents, then statements
        assert {one.kind for one in peer.moved if isinstance(one, RangeRequest)} == {CONSENT, 3}


async def test_what_both_lack_is_offered(pair: tuple[NodeRig, NodeRig]) -> None:
    here, there = pair
    await here.give(SOLD, FIRST, USED)
    await there.give(SOLD, FIRST, SECOND, GONE)
    assert await here.rounds.round(there.peer_id)
    assert here.digests() == names(SOLD, *STATED)  # the use was pending until its sublicense came
    assert await there.rounds.round(here.peer_id)
    assert there.digests() == here.digests()


async def test_kinds_mix_in_a_frame_on_their_topic_alone(pair: tuple[NodeRig, NodeRig]) -> None:
    here, there = pair
    await there.give(SOLD)
    frame = encode_bundle([encode(one) for one in STATED])
    for topic in {one.on(NETWORK) for one in TOPICS.values()} - {TOPIC}:
        assert await there.broadcast.on_frame(topic, frame, "peer") is Judgement.REJECT
    assert await there.broadcast.on_frame(TOPIC, frame, "peer") is Judgement.ACCEPT
    assert there.digests() == names(SOLD, *STATED)
    assert await there.broadcast.on_frame(TOPIC, frame, "peer") is Judgement.IGNORE
    mixed = encode_bundle([encode(one) for one in (GONE, SOLD)])
    assert await there.broadcast.on_frame(TOPIC, mixed, "peer") is Judgement.REJECT
    assert here.digests() == set()


async def test_claims_and_unendorsed_ones_are_nobodys_fault_and_go_no_further(
    pair: tuple[NodeRig, NodeRig],
) -> None:
    here, _ = pair
    await here.give(SOLD)
    unsigned = [use(BEN, [SOLD.digest], endorsed=True), *(replace(one, signature=b"") for one in CLAIMS)]
    for one in (*CLAIMS, *unsigned):
        frame = encode_bundle([encode(one)])
        assert await here.broadcast.on_frame(TOPIC, frame, "peer") is Judgement.IGNORE
    pair_of = encode_bundle([encode(unsigned[0]), encode(GONE)])
    assert await here.broadcast.on_frame(TOPIC, pair_of, "peer") is Judgement.REJECT
    here.broadcast.publish(await here.give(*CLAIMS, *unsigned))
    await here.broadcast.stop()
    assert here.network.published == []


async def test_blame_depends_on_the_frame_alone(pair: tuple[NodeRig, NodeRig]) -> None:
    """Who holds the consent, the statement or its claim judges a wrong frame as everybody does."""
    here, there = pair
    await here.give(SOLD, *STATED, *CLAIMS)
    for good in (*STATED, *CLAIMS):
        wrong = (
            replace(good, signature=bytes(65)),
            replace(good, signature=good.signature + b"\0"),
            replace(good, signature=SOLD.signature),
            replace(good, sponsor=None),
            replace(good, items=(sha256(b"another"),)),
            replace(good, network=replace(NETWORK, chain_id=1)),
        )
        for one in wrong:
            frame = encode_bundle([encode(one)])
            for rig in (here, there):
                assert await rig.broadcast.on_frame(TOPIC, frame, "peer") is Judgement.REJECT
