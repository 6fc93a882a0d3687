"""`stale` is laid over `granted` alone, and a new consent is stale until everybody could object."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso_node.freshness import ChainHead
from sayso_node.verdicts.judge import Check
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.receipts.receipt import ChainPoint, join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NODE, a_consent, item_hashes, signed

AGE_S = 60
PEERS = ("north", "south")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, peers=PEERS) as rig:
        yield rig


def check(*envelopes: Envelope, purpose: str = "train-ai", grantee: bytes = BEN) -> Check:
    rows = join_rows(Row(one.digest, item) for one in envelopes for item in one.items)
    return Check(Query(grantee, purpose), AGE_S, "run", rows)


def reasons(rig: NodeRig, *envelopes: Envelope, **query: object) -> list[Reason]:
    answer = rig.judge.judge(check(*envelopes, **query))  # type: ignore[arg-type]
    return [REASONS[number] for number in answer.reasons]


def read_chain(rig: NodeRig) -> None:
    now = rig.clock.now()
    rig.freshness.chain_read(now, ChainHead(ChainPoint(9, bytes(32)), now))


async def test_a_new_consent_is_stale_until_chain_and_peers_were_read_after_it(rig: NodeRig) -> None:
    rig.be_current()
    await rig.give(consent(1))
    assert reasons(rig, consent(1)) == [Reason.STALE]  # what was read was read before it came
    rig.clock.time += 1
    read_chain(rig)
    assert reasons(rig, consent(1)) == [Reason.STALE]
    rig.freshness.peer_synced("north", rig.clock.now())
    assert reasons(rig, consent(1)) == [Reason.STALE]
    rig.freshness.peer_synced("south", rig.clock.now())
    assert reasons(rig, consent(1)) == [Reason.GRANTED]


async def test_rounds_begun_before_its_arrival_confirm_nothing(rig: NodeRig) -> None:
    begun = rig.clock.now()
    rig.clock.time += 5
    await rig.give(consent(1))
    rig.clock.time += 5
    for peer in PEERS:
        rig.freshness.peer_synced(peer, begun)
    read_chain(rig)
    assert reasons(rig, consent(1)) == [Reason.STALE]


async def test_a_reading_of_the_very_moment_confirms_nothing(rig: NodeRig) -> None:
    """Which of the two came first cannot be told."""
    await rig.give(consent(1))
    rig.be_current()
    assert reasons(rig, consent(1)) == [Reason.STALE]


async def test_an_old_consent_stays_clear_while_new_ones_come(rig: NodeRig) -> None:
    await rig.give(consent(1))
    rig.clock.time += 1
    rig.be_current()
    await rig.give(consent(2))
    assert reasons(rig, consent(1), consent(2)) == [Reason.GRANTED, Reason.STALE]


async def test_what_was_clear_becomes_stale_and_clear_again(rig: NodeRig) -> None:
    await rig.give(consent(1))
    rig.clock.time += 1
    rig.be_current()
    rig.clock.time += AGE_S
    assert reasons(rig, consent(1)) == [Reason.GRANTED]
    rig.clock.time += 1
    assert reasons(rig, consent(1)) == [Reason.STALE]
    rig.be_current()
    assert reasons(rig, consent(1)) == [Reason.GRANTED]


async def test_only_granted_becomes_stale(rig: NodeRig) -> None:
    """A node that knows nothing of the chain still says no, and why."""
    items = item_hashes(1, 7)
    shared = signed(
        a_consent(items, parties=tuple(sorted((ADA, CLEO))), content=content_root(items)), items
    ).sponsored_by(NODE)
    ended = consent(3, expires_at=int(NOW) - 1)
    coming = consent(4, issued_at=int(NOW) + 100)
    await rig.give(consent(1), consent(2), ended, coming, shared)
    await rig.give(revocation(f"file 0x{consent(2).items[0].hex()}"))
    assert reasons(rig, consent(1), consent(2), ended, coming, shared, consent(5)) == [
        Reason.STALE,
        Reason.REVOKED,
        Reason.EXPIRED,
        Reason.NOT_YET_VALID,
        Reason.INCOMPLETE,
        Reason.UNKNOWN,
    ]
    assert reasons(rig, consent(1), purpose="resale") == [Reason.PURPOSE_NOT_GRANTED]
    assert reasons(rig, consent(1), grantee=CLEO) == [Reason.OTHER_GRANTEE]


def of_a_call(contributor: bytes, others: tuple[bytes, ...], **changes: object) -> Envelope:
    items = item_hashes(1, 50)
    parties = tuple(sorted((contributor, *others)))
    return signed(
        a_consent(items, contributor=contributor, parties=parties, **changes), items
    ).sponsored_by(NODE)


async def test_of_a_call_every_partys_consent_must_be_confirmed(rig: NodeRig) -> None:
    mine, theirs = of_a_call(ADA, (BEN,)), of_a_call(BEN, (ADA,))
    await rig.give(mine)
    rig.clock.time += 1
    rig.be_current()
    assert reasons(rig, mine) == [Reason.INCOMPLETE]
    await rig.give(theirs)
    assert reasons(rig, mine) == [Reason.STALE]
    rig.clock.time += 1
    rig.be_current()
    assert reasons(rig, mine, theirs) == [Reason.GRANTED, Reason.GRANTED]


async def test_a_stranger_cannot_keep_a_call_stale(rig: NodeRig) -> None:
    """Rule 8.7: anybody may claim the same item, with a list of parties of their own."""
    mine, theirs = of_a_call(ADA, (BEN,)), of_a_call(BEN, (ADA,))
    await rig.give(mine, theirs)
    rig.clock.time += 1
    rig.be_current()
    await rig.give(of_a_call(CLEO, (ADA, BEN)), of_a_call(CLEO, ()))
    assert reasons(rig, mine, theirs) == [Reason.GRANTED, Reason.GRANTED]


async def test_a_revocation_needs_no_confirmation(rig: NodeRig) -> None:
    await rig.give(consent(1))
    rig.clock.time += 1
    rig.be_current()
    await rig.give(revocation("everything"))
    assert reasons(rig, consent(1)) == [Reason.REVOKED]
