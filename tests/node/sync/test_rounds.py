"""One round fetches all that a peer has and we lack, and dates our knowledge by its beginning."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.sync.peers import Peer
from sayso_node.store.admission import pending
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.chain import chain_state
from sayso_node.sync import asking, bringing, fetching, memory
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import REVOCATION
from sayso_protocol.sync import answers
from sayso_protocol.sync.fingerprints import node_at
from sayso_protocol.sync.requests import GetRequest, ListRequest, RangeRequest, Request
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, peers=["peer"]) as rig:
        yield rig


def synced(rig: NodeRig) -> float:
    return rig.freshness._peers_begun["peer"]


async def test_a_round_fetches_everything_and_is_counted(rig: NodeRig) -> None:
    held = [consent(1), consent(2), revocation("everything"), revocation("via kled.ai")]
    peer = Peer(rig, holds=held)
    assert await rig.rounds.round("peer")
    assert rig.digests() == {one.digest for one in held}
    assert synced(rig) == NOW
    counted = [rig.count(f"sync_{name}") for name in ("rounds", "failed", "consents", "revocations")]
    assert counted == [1, 0, 2, 2]
    peer.asked.clear()
    await rig.rounds.round("peer")
    assert peer.moved == []  # nothing is lacking any more
    assert len(peer.asked) == 6  # fingerprints and a check of each set


async def test_revocations_of_people_who_are_known_come_before_all_consents(rig: NodeRig) -> None:
    await rig.give(consent(1))
    peer = Peer(rig, holds=[consent(1), consent(2), revocation("everything")])
    await rig.rounds.round("peer")
    assert isinstance(peer.moved[0], GetRequest)
    assert peer.moved[0].kind == REVOCATION
    assert rig.digests() == {one.digest for one in peer.holds}


async def test_revocations_of_nobody_known_come_after_the_consents(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether nobody at all is known, or more of them came than one has patience for."""
    peer = Peer(rig, holds=[consent(1), revocation("everything")])
    await rig.rounds.round("peer")
    assert rig.count("intake_pending") == 0
    assert rig.digests() == {one.digest for one in peer.holds}
    monkeypatch.setattr(asking, "PATIENCE", 0)
    monkeypatch.setattr(fetching, "WANTED", 1)
    peer.holds += [
        consent(2, contributor=CLEO, parties=(CLEO,)),
        *(revocation(f"via m{n}.example", contributor=CLEO) for n in range(9)),
    ]
    assert await rig.rounds.round("peer")
    assert rig.count("intake_pending") == 1
    assert rig.digests() == {one.digest for one in peer.holds}


async def test_what_is_of_nobody_known_waits_and_is_asked_for_once(rig: NodeRig) -> None:
    stop = revocation("everything")
    peer = Peer(rig, holds=[stop])
    for _ in range(3):
        await rig.rounds.round("peer")
    assert (len(peer.moved), rig.count("intake_pending"), rig.digests()) == (1, 1, set())
    await rig.give(consent(1))
    assert rig.digests() == {consent(1).digest, stop.digest}


async def test_what_was_declined_is_asked_for_again_after_a_while(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[revocation("everything")])
    await rig.rounds.round("peer")
    rig.clock.time += memory.RELEARN_S + 1
    await rig.rounds.round("peer")
    assert len(peer.moved) == 2


async def test_also_after_the_clock_was_set_back(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[revocation("everything")])
    right = rig.clock.time
    rig.clock.time += 31_536_000.0
    await rig.rounds.round("peer")
    rig.clock.time = right
    for _ in range(2):
        rig.clock.time += memory.RELEARN_S + 1
        await rig.rounds.round("peer")
    assert len(peer.moved) > 1


async def test_what_a_peer_lacks_is_offered_once(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[consent(1)])
    await rig.give(consent(1), consent(2), revocation("everything"))
    for _ in range(3):
        assert await rig.rounds.round("peer")
    assert sorted(peer.offered) == sorted([encode(consent(2)), encode(revocation("everything"))])
    peer.holds.append(consent(2))  # it has changed its mind
    assert await rig.rounds.round("peer")
    peer.holds.pop()
    assert await rig.rounds.round("peer")
    assert len(peer.offered) == 3  # it had it, and has lost it: that is news


async def test_a_peer_that_lacks_much_is_left_to_ask_for_itself(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "OFFERED_A_ROUND", 2)
    peer = Peer(rig)
    await rig.give(*(consent(number) for number in range(3)))
    assert await rig.rounds.round("peer")
    assert peer.offered == []


async def test_what_was_dropped_is_asked_for_again_once_it_is_missed(tmp_path: Path) -> None:
    """Its mark makes somebody stale: only hearing it again helps."""
    stops = [revocation("everything", contributor=who) for who in (ADA, BEN)]
    with NodeRig(tmp_path, name="small", peers=["peer"], room=PendingRoom(pending=1, source=1)) as rig:
        peer = Peer(rig, holds=stops)
        for _ in range(2):
            await rig.rounds.round("peer")
        assert len(peer.moved) == 1  # nobody knows them: nobody misses anything
        await rig.give(consent(1), consent(2, contributor=BEN, parties=(BEN,)))
        for _ in range(2):
            await rig.rounds.round("peer")
        assert len(peer.moved) == 2
        assert {one.digest for one in stops} <= rig.digests()
        with rig.store.read() as db:
            assert pending.load(db) == (0, 0, 0)


async def test_our_knowledge_is_as_old_as_the_rounds_beginning(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[consent(1)])

    def slow(_request: Request) -> None:
        rig.clock.time += 10

    peer.lie = slow
    await rig.rounds.round("peer")
    assert rig.clock.time > NOW
    assert synced(rig) == NOW


async def test_a_peer_that_is_not_configured_makes_nothing_fresh(rig: NodeRig) -> None:
    Peer(rig, "stranger", [consent(1)])
    await rig.rounds.round("stranger")
    assert rig.digests() == {consent(1).digest}  # what it brings is welcome
    assert rig.count("sync_rounds") == 1
    assert rig.freshness.view(NOW, 1e9).silence


async def test_who_has_the_same_bits_by_other_messages_has_nothing_new(rig: NodeRig) -> None:
    await rig.give(consent(1), revocation("everything", "via kled.ai"))
    peer = Peer(rig, holds=[consent(1), revocation("everything"), revocation("via kled.ai")])
    assert await rig.rounds.round("peer")
    assert (peer.moved, peer.offered) == ([], [])


@pytest.mark.parametrize(
    "early",
    [
        consent(9, issued_at=int(NOW) + LIMITS.clock_skew_s + 60),
        replace(revocation("via kled.ai"), signature=bytes(100)),  # a contract wallet's
    ],
    ids=["from the future", "not to be judged yet"],
)
async def test_what_is_nobodys_fault_does_not_break_a_round(rig: NodeRig, early: Envelope) -> None:
    peer = Peer(rig, holds=[consent(1), early, consent(2)])
    await rig.rounds.round("peer")
    assert (rig.count("sync_rounds"), synced(rig)) == (1, NOW)
    assert rig.digests() == {consent(1).digest, consent(2).digest}
    before = len(peer.moved)
    await rig.rounds.round("peer")
    assert len(peer.moved) > before  # asked for again, until it is good


async def test_a_future_consent_is_taken_when_its_time_has_come(rig: NodeRig) -> None:
    early = consent(9, issued_at=int(NOW) + LIMITS.clock_skew_s + 60)
    Peer(rig, holds=[early])
    await rig.rounds.round("peer")
    rig.clock.time += 60
    await rig.rounds.round("peer")
    assert rig.digests() == {early.digest}


async def test_what_another_node_sponsors_is_fetched_and_not_anchored(rig: NodeRig) -> None:
    Peer(rig, holds=[consent(1)])
    await rig.rounds.round("peer")
    with rig.store.read() as db:
        assert chain_state.due(db, NOW, 10) == []


async def test_a_peer_may_answer_with_less_than_was_asked_for(rig: NodeRig) -> None:
    """Rules 11.5, 11.7 and 11.8 say at most; what is missing is asked for again."""
    held = [consent(number) for number in range(7)]
    await rig.give(consent(8), consent(9))
    peer = Peer(rig, holds=held)

    def one_at_a_time(request: Request) -> bytes | None:
        match request:
            case ListRequest(kind, salt, nodes):
                return answers.encode_lists(kind, [peer.listed(kind, salt, nodes[0])])
            case GetRequest() | RangeRequest():
                return answers.encode_messages(answers.decode_messages(peer.truth(request))[:1])
        return None

    peer.lie = one_at_a_time
    assert await rig.rounds.round("peer")
    assert {one.digest for one in held} <= rig.digests()


@pytest.mark.parametrize("kept", [0, 3])
async def test_a_download_that_broke_off_goes_on_where_it_ended(rig: NodeRig, kept: int) -> None:
    held = sorted((consent(number) for number in range(8)), key=lambda one: one.digest)
    await rig.give(*held[:kept])
    peer = Peer(rig, holds=held)
    await rig.rounds.round("peer")
    given = [one for one in peer.moved if isinstance(one, RangeRequest) and not one.after]
    firsts = {node_at(4, int.from_bytes(one.digest[:8])) for one in held[:kept]}
    assert not firsts & {one.node for one in given}
    assert rig.digests() == {one.digest for one in held}
    assert rig.count("intake_known") == 0
