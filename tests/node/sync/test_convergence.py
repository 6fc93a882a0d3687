"""Nodes that were told different things agree after sync, in any order and with any duplicates."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.outcome import Source
from sayso_node.store import messages
from sayso_node.sync import answering, asking
from sayso_protocol.bits import state_digest
from sayso_protocol.envelope import CONSENT, Envelope
from sayso_protocol.words import Masks
from support.fake_network import Switchboard
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO

POOL = [
    *(consent(number, guardian=CLEO) for number in range(6)),
    *(consent(number, count=300) for number in range(6, 9)),
    *(revocation(words={5: mask}) for mask in (1, 2, 3, 4, 7)),
    *(revocation(words={5: 1, word: 8}) for word in (6, 7)),
    *(revocation("everything", contributor=who) for who in (ADA, BEN, CLEO)),
    revocation("everything", "via kled.ai"),
]
pools = st.lists(st.sampled_from(POOL), max_size=14)
State = tuple[set[bytes], dict[bytes, Masks], bytes]


def state(rig: NodeRig) -> State:
    """Everything that a verdict depends on."""
    with rig.store.read() as db:
        consents = set(messages.digests(db, CONSENT, b"", 1_000))
        bits = {who: messages.bits_of(db, who) for who in (ADA, BEN, CLEO)}
        return consents, bits, state_digest(messages.state_entries(db))


async def all_of(folder: Path, *told: list[Envelope]) -> State:
    """What somebody knows who heard it all himself."""
    with NodeRig(folder, name="oracle") as oracle:
        for messages_told in told:
            await oracle.give(*messages_told, source=Source.SYNC)
        return state(oracle)


@settings(deadline=None, max_examples=15)
@given(pools, pools, st.integers(1, 5), st.integers(1, 4))
async def test_two_nodes_agree_after_a_round_each(
    left: list[Envelope], right: list[Envelope], page: int, wanted: int
) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "PAGE", page)
        patch.setattr(asking, "WANTED", wanted)
        patch.setattr(answering, "BUNDLE_BYTES", 12_000)  # one of the large consents
        folder, board = Path(name), Switchboard()
        with NodeRig(folder, name="a", board=board) as a, NodeRig(folder, name="b", board=board) as b:
            for rig, told in ((a, left), (b, right)):
                if told:
                    await rig.give(*told, *told[:3], source=Source.SYNC)
            await a.rounds.round(b.peer_id)
            await b.rounds.round(a.peer_id)
            assert state(a) == state(b) == await all_of(folder, left, right)
            assert a.count("sync_failed") == b.count("sync_failed") == 0
            before = a.digests(), b.digests()
            await a.rounds.round(b.peer_id)
            await b.rounds.round(a.peer_id)
            assert (a.digests(), b.digests()) == before  # and there it ends


async def test_news_travels_along_a_line_of_nodes(tmp_path: Path) -> None:
    board = Switchboard()
    names = ("a", "b", "c")
    rigs = [NodeRig(tmp_path, name=name, board=board) for name in names]
    with rigs[0] as a, rigs[1] as b, rigs[2] as c:
        await a.give(*POOL[:9])
        await c.give(*POOL[9:])
        for asking_, asked in ((b, a), (b, c), (a, b), (c, b)):
            await asking_.rounds.round(asked.peer_id)
        assert state(a) == state(b) == state(c)
        assert state(a)[0] == {one.digest for one in POOL[:9]}


async def test_what_is_covered_here_is_carried_by_another_message(tmp_path: Path) -> None:
    """Two nodes may hold other messages and still the same bits."""
    board = Switchboard()
    with NodeRig(tmp_path, name="a", board=board) as a, NodeRig(tmp_path, name="b", board=board) as b:
        await a.give(revocation(words={5: 3}))
        await b.give(revocation(words={5: 1}), revocation(words={5: 2}))
        await a.rounds.round(b.peer_id)
        await b.rounds.round(a.peer_id)
        assert state(a) == state(b)
        assert len(a.digests()) == 1
