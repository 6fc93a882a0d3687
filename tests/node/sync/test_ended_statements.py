"""Rule 15.7 between peers: who is ahead in the time of the chain, who is behind, and who is new."""

from functools import partial
from pathlib import Path

import pytest

from sayso_node.chain.following.statement_ends import StatementEnds
from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.store import messages
from sayso_node.store.chain import block_dates
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_node.sync import memory
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import SUBLICENSE, as_kind
from sayso_protocol.sync.fingerprints import ROOT, Sum
from sayso_protocol.sync.sets import SETS
from sayso_protocol.traces.duties import Block
from sayso_protocol.traces.endings import KEPT_S
from support.fake_network import Switchboard
from support.holders import LABS, sublicense, use
from support.node_rig import NodeRig, consent
from support.protocol_strategies import BEN, NETWORK

SOLD = consent(1, purposes=("resale", "train-ai"))  # to Ben
SAID = [sublicense(BEN, LABS[0], [SOLD.digest]), use(BEN, [SOLD.digest])]
END = as_kind(SOLD.message, Consent).expires_at + KEPT_S
SET = SETS[SUBLICENSE].number


async def be_final(rig: NodeRig, time: int) -> int:
    """The last final block has this time; returns how many statements end by it."""
    await rig.store.write(partial(block_dates.set_final, block=Block(time % 1_000_000, time)))
    return await StatementEnds(NETWORK, rig.store, 1.0).step()


def listed(rig: NodeRig) -> tuple[Sum, set[bytes]]:
    with rig.store.read() as db:
        names = {name for _, name in sync_entries.ids(db, SET, ROOT)}
        return sync_index.sums(db, SET, [ROOT], 0)[0], names


def moved(*rigs: NodeRig) -> int:
    """How many messages any of them has taken in."""
    return sum(rig.count(f"intake_{what}") for rig in rigs for what in ("stored", "known", "pending"))


async def test_who_is_behind_and_who_is_ahead_do_not_send_for_ever(tmp_path: Path) -> None:
    board = Switchboard()
    with NodeRig(tmp_path, name="a", board=board) as a, NodeRig(tmp_path, name="b", board=board) as b:
        for rig in (a, b):
            await rig.give(SOLD, *SAID)
        assert (await be_final(a, END), await be_final(b, END - 1)) == (2, 0)
        for _ in range(3):
            assert await a.rounds.round(b.peer_id)
            assert await b.rounds.round(a.peer_id)
            assert listed(a)[1] == set()
            assert listed(b)[1] == {one.digest for one in SAID}
        before = moved(a, b)
        for _ in range(2):
            assert await a.rounds.round(b.peer_id)
            assert await b.rounds.round(a.peer_id)
        assert moved(a, b) == before
        assert await be_final(b, END) == 2
        assert listed(a) == listed(b)


@pytest.mark.parametrize("most", [1_000, 1])
@pytest.mark.parametrize("lasting", [0, 40])
async def test_rounds_go_on_when_who_was_behind_has_ended_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, lasting: int
) -> None:
    """What is remembered of the peer, that it declined them, is about nothing any more."""
    monkeypatch.setattr(memory, "REMEMBERED_NODES", most)
    longer = consent(2, expires_at=END, purposes=("resale", "train-ai"))
    others = [use(BEN, [longer.digest], f"run-{number}") for number in range(lasting)]
    board = Switchboard()
    with NodeRig(tmp_path, name="a", board=board) as a, NodeRig(tmp_path, name="b", board=board) as b:
        for rig in (a, b):
            await rig.give(SOLD, longer, *SAID, *others)
        assert (await be_final(a, END), await be_final(b, END - 1)) == (2, 0)
        for _ in range(2):
            assert await b.rounds.round(a.peer_id)
        assert await be_final(b, END) == 2
        assert listed(a) == listed(b)
        for _ in range(2):
            assert await b.rounds.round(a.peer_id)
            assert await a.rounds.round(b.peer_id)
        before = moved(a, b)
        assert await b.rounds.round(a.peer_id)
        assert moved(a, b) == before


async def test_a_new_node_ends_what_it_got_of_one_that_is_behind(tmp_path: Path) -> None:
    board = Switchboard()
    with NodeRig(tmp_path, name="a", board=board) as a, NodeRig(tmp_path, name="b", board=board) as b:
        await b.give(SOLD, *SAID)
        await be_final(b, END - 1)
        await be_final(a, END)
        assert await a.rounds.round(b.peer_id)
        assert listed(a)[1] == {one.digest for one in SAID}
        assert await be_final(a, END) == 2
        before = a.count("intake_stored")
        for _ in range(2):
            assert await a.rounds.round(b.peer_id)
        assert (listed(a)[1], a.count("intake_stored")) == (set(), before)
        with a.store.read() as db:
            assert all(messages.is_tombstone(db, one.digest) for one in SAID)


async def test_nothing_brings_an_ended_statement_back(rig: NodeRig) -> None:
    await rig.give(SOLD, *SAID)
    assert await be_final(rig, END) == 2
    for channel in SourceChannel:
        for one in SAID:
            [outcome] = await rig.give(one, source=channel)
            assert outcome.status is Status.KNOWN
    assert listed(rig)[1] == set()


async def test_the_clock_of_the_machine_ends_nothing(rig: NodeRig) -> None:
    await rig.give(SOLD, *SAID)
    rig.clock.time = float(END + 10**9)
    assert await be_final(rig, END - 1) == 0
    assert listed(rig)[1] == {one.digest for one in SAID}
