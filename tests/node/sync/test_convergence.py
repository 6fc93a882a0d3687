"""Nodes that were told different things agree after sync, in any order and with any duplicates."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.intake.outcome import SourceChannel
from sayso_node.store import messages
from sayso_node.store.erasure import erase
from sayso_node.store.revocations import bits
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_node.sync import fetching, reading
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.permissions.words import Masks
from sayso_protocol.sync import walk
from sayso_protocol.sync.fingerprints import ROOT, node_at, sum_of
from support.dating import date_all
from support.fake_network import Switchboard
from support.held_bits import bits_of
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, full_words
from support.receipt_values import state_digest
from support.tries import tries

WORD = next(iter(full_words(consent(1).message)))
POOL = [
    *(consent(number, guardian=CLEO) for number in range(6)),
    *(consent(number, count=300) for number in range(6, 9)),
    *(revocation(words={WORD: mask}) for mask in (1, 2, 3, 4, 7)),
    *(revocation(words={WORD: 1, word: 8}) for word in (6, 7)),
    *(revocation(words={6: mask}) for mask in (1, 9)),
    *(revocation("everything", contributor=who) for who in (ADA, BEN, CLEO)),
    revocation("everything", "via kled.ai"),
]
pools = st.lists(st.sampled_from(POOL), max_size=14)
OUTCOMES = ("stored", "known", "pending", "refused")
State = tuple[set[bytes], dict[bytes, Masks], bytes]


def state(rig: NodeRig) -> State:
    """Everything that a verdict depends on."""
    with rig.store.read() as db:
        consents = set(messages.digests(db, CONSENT, b"", 1_000))
        known = {who: bits_of(db, who) for who in (ADA, BEN, CLEO)}
        assert bits.current_digest(db) == state_digest(bits.state_entries(db))
        return consents, known, bits.current_digest(db)


def sums_are_right(rig: NodeRig) -> bool:
    """The sums that are kept as things change are those over what is there."""
    with rig.store.read() as db:
        for kind in (CONSENT, REVOCATION):
            held = sync_entries.entries(db, kind, ROOT)
            for level in (4, 5, 8):
                parents = range(1 << level - 2, 2 << level - 2)
                found = dict(enumerate(sync_index.sums(db, kind, parents, 2), 1 << level))
                expected = {node_at(level, one.place): list[bytes]() for one in held}
                for one in held:
                    expected[node_at(level, one.place)].append(one.id)
                for node, added in found.items():
                    assert added == sum_of(expected.get(node, ())), (kind, level, node)
    return True


async def all_of(folder: Path, *told: list[Envelope]) -> State:
    """What somebody knows who heard it all himself."""
    with NodeRig(folder, name="oracle") as oracle:
        for messages_told in told:
            await oracle.give(*messages_told, source=SourceChannel.SYNC)
        return state(oracle)


@settings(deadline=None, max_examples=tries(15))
@given(pools, pools, st.integers(1, 5), st.integers(1, 4))
async def test_one_round_makes_two_nodes_agree(
    left: list[Envelope], right: list[Envelope], leaf: int, wanted: int
) -> None:
    """The one that asks fetches what it lacks and offers the rest; a second round moves nothing."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "LEAF", leaf)
        patch.setattr(fetching, "WANTED", wanted)
        patch.setattr(reading, "BUNDLE_BYTES", 12_000)  # one of the large consents
        folder, board = Path(name), Switchboard()
        with NodeRig(folder, name="a", board=board) as a, NodeRig(folder, name="b", board=board) as b:
            for rig, told in ((a, left), (b, right)):
                if told:
                    await rig.give(*told, *told[:3], source=SourceChannel.SYNC)
            assert await a.rounds.round(b.peer_id)
            assert state(a) == state(b) == await all_of(folder, left, right)
            assert sums_are_right(a)
            assert sums_are_right(b)
            taken = [rig.count(f"intake_{what}") for rig in (a, b) for what in OUTCOMES]
            assert await b.rounds.round(a.peer_id)
            assert await a.rounds.round(b.peer_id)
            assert [rig.count(f"intake_{what}") for rig in (a, b) for what in OUTCOMES] == taken


async def test_what_an_offer_makes_known_at_the_peer_comes_back_in_the_same_round(
    tmp_path: Path,
) -> None:
    """A revocation waits at the peer, which does not know its contributor; we bring the consent."""
    board = Switchboard()
    with NodeRig(tmp_path, name="a", board=board) as a, NodeRig(tmp_path, name="b", board=board) as b:
        await a.give(POOL[0])
        await b.give(revocation("everything", contributor=POOL[0].message.signer))
        assert await a.rounds.round(b.peer_id)
        assert state(a) == state(b)
        assert any(state(a)[1].values())


async def test_news_travels_along_a_line_of_nodes(tmp_path: Path) -> None:
    board = Switchboard()
    names = ("a", "b", "c")
    rigs = [NodeRig(tmp_path, name=name, board=board) for name in names]
    with rigs[0] as a, rigs[1] as b, rigs[2] as c:
        await a.give(*POOL[:9])
        await c.give(*POOL[9:])
        for asking_, asked in ((b, a), (c, b), (b, c), (a, b), (c, b)):
            await asking_.rounds.round(asked.peer_id)
        assert state(a) == state(b) == state(c)
        assert state(a)[0] == {one.digest for one in POOL[:9]}


async def test_what_is_covered_here_is_carried_by_another_message(tmp_path: Path) -> None:
    """Two nodes may hold other messages and still the same bits."""
    board = Switchboard()
    with NodeRig(tmp_path, name="a", board=board) as a, NodeRig(tmp_path, name="b", board=board) as b:
        await a.give(consent(1), revocation(words={WORD: 3}))
        await b.give(consent(1), revocation(words={WORD: 1}), revocation(words={WORD: 2}))
        await a.rounds.round(b.peer_id)
        await b.rounds.round(a.peer_id)
        assert state(a) == state(b)
        assert (len(a.digests()), len(b.digests())) == (2, 3)


async def test_what_each_declines_of_the_other_is_not_talked_about_again(tmp_path: Path) -> None:
    """One has a stop of somebody whom the other does not know, and erased what the other holds."""
    board = Switchboard()
    with NodeRig(tmp_path, name="a", board=board) as a, NodeRig(tmp_path, name="b", board=board) as b:
        stop = revocation("everything", contributor=BEN)
        gone = revocation(words=dict(full_words(consent(1).message)))
        await a.give(consent(1), gone, consent(2, contributor=BEN, parties=(BEN,)), stop)
        await b.give(consent(1), gone)
        await b.store.write(date_all)
        await b.store.write(lambda db: erase(db, NETWORK, consent(1).digest))
        for _ in range(3):
            assert await a.rounds.round(b.peer_id)
            assert await b.rounds.round(a.peer_id)
            taken = a.count("intake_known") + b.count("intake_known")
        before = taken
        assert await a.rounds.round(b.peer_id)
        assert await b.rounds.round(a.peer_id)
        assert a.count("intake_known") + b.count("intake_known") == before
