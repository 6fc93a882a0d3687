"""Statements without signature: a contract wallet endorses them on the chain (rule 4.8)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.store.admission import statements
from sayso_node.store.admission.keeper import Keeper, Step
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.chain import chain_state, endorsements
from sayso_node.store.interface import Writing
from sayso_node.store.statements import waiting
from sayso_node.store.statements.waiting import StatementRoom
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.holders import LABS, removal, sublicense, use
from support.node_rig import NOW, NodeRig, consent
from support.protocol_strategies import BEN, CLEO, NETWORK

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
DAN, *_ = LABS
DIGEST = SOLD.digest


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path) as rig:
        yield rig


async def statuses(rig: NodeRig, *envelopes: Envelope) -> list[Status]:
    return [one.status for one in await rig.give(*envelopes)]


async def test_one_without_signature_waits_for_its_endorsement(rig: NodeRig) -> None:
    link = sublicense(BEN, DAN, [DIGEST], endorsed=True)
    assert await statuses(rig, SOLD) == [Status.STORED]
    (held,) = await rig.give(link)
    assert (held.status, held.is_news) == (Status.PENDING, False)
    await rig.give(use(DAN, [link.digest]))
    step = Step(Keeper(b"", Quotas(), finality=2), NETWORK, NOW)

    def read_to(db: Writing, number: int) -> None:
        chain_state.advance(db, ChainPoint(number, sha256(b"block")))
        statements.blocks_came(db, step)

    await rig.store.write(lambda db: endorsements.add(db, CLEO, link.digest, 3))  # somebody else
    await rig.store.write(lambda db: endorsements.add(db, BEN, link.digest, 8))
    for number in (8, 9):  # not final yet
        await rig.store.write(lambda db, number=number: read_to(db, number))  # type: ignore[misc]
        assert rig.digests() == {DIGEST}
    await rig.store.write(lambda db: read_to(db, 10))
    assert rig.digests() == {DIGEST, link.digest, use(DAN, [link.digest]).digest}
    (late,) = await rig.give(removal(BEN, [DIGEST], endorsed=True))
    assert late.status is Status.PENDING


async def test_an_endorsement_may_come_first_and_goes_with_its_fork(rig: NodeRig) -> None:
    one, lost = (removal(BEN, [DIGEST], block, endorsed=True) for block in (1, 2))

    def seen(db: Writing) -> None:
        endorsements.add(db, BEN, one.digest, 5)
        endorsements.add(db, BEN, lost.digest, 6)
        chain_state.advance(db, ChainPoint(6, sha256(b"block")))
        chain_state.rewind(db, 5)
        chain_state.advance(db, ChainPoint(9, sha256(b"block")))

    await rig.store.write(seen)
    assert await statuses(rig, SOLD) == [Status.STORED]
    assert await statuses(rig, one) == [Status.STORED]
    assert await statuses(rig, lost) == [Status.PENDING]


async def test_a_copy_without_signature_does_not_hold_up_the_signed_one(rig: NodeRig) -> None:
    await rig.give(SOLD)
    assert await statuses(rig, use(BEN, [DIGEST], endorsed=True)) == [Status.PENDING]
    assert await statuses(rig, use(BEN, [DIGEST])) == [Status.STORED]


async def test_copies_without_signature_do_not_push_out_what_a_signer_said(tmp_path: Path) -> None:
    with NodeRig(tmp_path, statements=StatementRoom(signer=40)) as rig:
        await rig.give(use(CLEO, [DIGEST]))
        for number in range(9):
            await rig.give(use(CLEO, [DIGEST], f"{number}", endorsed=True))
        with rig.store.read() as db:
            assert waiting.find(db, use(CLEO, [DIGEST]).digest)


async def test_in_gossip_one_without_signature_is_alone(rig: NodeRig) -> None:
    await rig.give(SOLD)
    pair = [use(BEN, [DIGEST], "1"), use(BEN, [DIGEST], "2", endorsed=True)]
    outcomes = await rig.give(*pair, source=SourceChannel.GOSSIP)
    assert outcomes[1].status is Status.REFUSED
    assert outcomes[1].error
    assert outcomes[1].error.code == "malformed"
    (alone,) = await rig.give(pair[1], source=SourceChannel.GOSSIP)
    assert alone.status is Status.PENDING
