"""Statements without signature: a contract wallet endorses them on the chain (rule 4.8)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.store.admission import statements
from sayso_node.store.admission.keeper import Keeper, Step
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.chain import endorsements
from sayso_node.store.chain.endorsements import Endorsement
from sayso_node.store.interface import Writing
from sayso_node.store.statements import waiting
from sayso_node.store.statements.waiting import StatementRoom
from sayso_protocol.messages.envelope import Envelope
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
    step = Step(Keeper(b"", Quotas()), NETWORK, NOW)

    def seen(db: Writing, who: bytes, block: int, final: int) -> None:
        endorsements.add(db, [Endorsement(who, link.digest, block)])
        statements.endorsed(db, endorsements.settle(db, final), step)

    await rig.store.write(lambda db: seen(db, CLEO, 5, 9))  # somebody else
    await rig.store.write(lambda db: seen(db, BEN, 8, 7))  # not final yet
    assert rig.digests() == {DIGEST}
    await rig.store.write(lambda db: statements.endorsed(db, endorsements.settle(db, 8), step))
    assert rig.digests() == {DIGEST, link.digest, use(DAN, [link.digest]).digest}
    (late,) = await rig.give(removal(BEN, [DIGEST], endorsed=True))
    assert late.status is Status.PENDING


async def test_an_endorsement_may_come_first_and_goes_with_its_fork(rig: NodeRig) -> None:
    one, lost = (removal(BEN, [DIGEST], block, endorsed=True) for block in (1, 2))

    def seen(db: Writing) -> None:
        endorsements.add(db, [Endorsement(BEN, one.digest, 5), Endorsement(BEN, lost.digest, 6)])
        endorsements.rewind(db, 5)
        endorsements.settle(db, 9)

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
