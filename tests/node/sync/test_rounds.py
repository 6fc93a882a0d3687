"""One round fetches all that a peer has and we lack, and dates our knowledge by its beginning."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.sync.peers import Peer
from sayso_node.store import chain_state
from sayso_protocol.envelope import CONSENT, REVOCATION, Envelope
from sayso_protocol.limits import LIMITS
from sayso_protocol.packing import pack
from sayso_protocol.reconcile import GetRequest, ListRequest, Request
from support.node_rig import NOW, NodeRig, consent, revocation


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, peers=["peer"]) as rig:
        yield rig


def synced(rig: NodeRig) -> float:
    return rig.freshness._peers_begun["peer"]


async def test_a_round_fetches_everything_and_is_counted(rig: NodeRig) -> None:
    held = [consent(1), consent(2), revocation("everything"), revocation(words={5: 1})]
    peer = Peer(rig, holds=held)
    await rig.rounds.round("peer")
    assert rig.digests() == {one.digest for one in held}
    assert synced(rig) == NOW
    counted = [rig.count(f"sync_{name}") for name in ("rounds", "failed", "consents", "revocations")]
    assert counted == [1, 0, 2, 2]
    peer.asked.clear()
    await rig.rounds.round("peer")
    assert peer.gets == []  # nothing is lacking any more


async def test_revocations_come_before_consents(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[consent(1), revocation("everything")])
    await rig.rounds.round("peer")
    order = [
        one.kind
        if isinstance(one, ListRequest)
        else set(one.digests) & {revocation("everything").digest}
        for one in peer.asked
    ]
    first_consents = order.index(CONSENT)
    assert {revocation("everything").digest} in order[:first_consents]
    assert REVOCATION not in order[first_consents:]


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
    assert not rig.freshness.is_current(NOW, 1e9)


async def test_what_brings_nothing_new_is_asked_for_once(rig: NodeRig) -> None:
    await rig.give(revocation(words={5: 3}))
    peer = Peer(rig, holds=[revocation(words={5: 1}), revocation(words={5: 2})])
    for _ in range(3):
        await rig.rounds.round("peer")
    assert rig.count("sync_rounds") == 3
    assert len(peer.gets) == 1
    assert len(rig.digests()) == 1


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
    await rig.rounds.round("peer")
    assert peer.gets[-1] == GetRequest((early.digest,))  # asked for again, until it is good


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


async def test_a_peer_may_answer_with_pages_as_small_as_it_likes(rig: NodeRig) -> None:
    """Rule 11.2 says at most; that a page is short does not say that it is the last."""
    held = [consent(number) for number in range(7)]
    peer = Peer(rig, holds=held)

    def one_at_a_time(request: Request) -> bytes | None:
        if isinstance(request, ListRequest):
            return pack(sorted(peer._digests(request))[:1])
        return None

    peer.lie = one_at_a_time
    await rig.rounds.round("peer")
    assert rig.digests() == {one.digest for one in held}
    assert synced(rig) == NOW
