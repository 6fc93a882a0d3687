"""What two nodes differ in may be much and may stay: each round brings something, none repeats it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.sync.peers import Peer
from sayso_node.errors import PeerUnreachable
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.sync.index import sums
from sayso_node.sync import asking, bringing, fetching, memory
from sayso_node.sync.memory import ExpectedView, PeerMemory
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.primitives import sha256
from sayso_protocol.sync.fingerprints import ROOT, digest_entry, node_at
from support.fake_network import Switchboard
from support.node_rig import NOW, NodeRig, consent, node_key, revocation
from support.protocol_strategies import ADA, BEN, NODE

STRANGER = node_key("stranger")


@contextmanager
def pair(folder: Path, ours: Quotas) -> Iterator[tuple[NodeRig, NodeRig]]:
    """Two nodes; the first has no room for strangers if told so."""
    board, theirs = Switchboard(), Quotas(operators=frozenset({bytes(NODE.verify_key)}))
    with (
        NodeRig(folder, name="a", board=board, quotas=ours) as a,
        NodeRig(folder, name="b", board=board, quotas=theirs) as b,
    ):
        yield a, b


class Tired:
    """Answers for a node, so many requests a round."""

    def __init__(self, of: NodeRig, board: Switchboard, most: int) -> None:
        self._of, self.most, self.left = of, most, most
        board.add_peer("tired", self.answer)

    async def answer(self, _protocol: str, body: bytes, _asking: str) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise PeerUnreachable("this peer has used up its share of work")
        return await self._of.answering.answer(body, "asker")


@pytest.mark.parametrize("held", [0, 60])
async def test_a_round_that_breaks_off_has_brought_something(
    tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "WANTED", 10)
    everything = [consent(number) for number in range(300)]
    with pair(tmp_path, Quotas()) as (a, b):
        await b.give(*everything)
        await a.give(*everything[:held])
        peer = Tired(b, a.board, 9)
        rounds = 0
        while missing := 300 - len(a.digests()):
            peer.left = peer.most
            await a.rounds.round("tired")
            assert 300 - len(a.digests()) < missing
            assert a.rounds.has_moved("tired")
            rounds += 1
        assert rounds > 1


async def test_any_number_of_declined_consents_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As sums over few nodes, and a new difference brings back only its neighbours."""
    monkeypatch.setattr(memory, "REMEMBERED_NODES", 64)
    declined = [consent(number, sponsor=STRANGER) for number in range(200)]
    ours = Quotas(strangers=0, operators=frozenset({bytes(NODE.verify_key)}))
    with pair(tmp_path, ours) as (a, b):
        await a.give(*(consent(number) for number in range(1_000, 1_040)))
        await b.give(*declined)
        assert await a.rounds.round(b.peer_id)
        assert await a.rounds.round(b.peer_id)
        assert a.count("intake_refused") == 200
        kept = a.rounds._memories[b.peer_id][CONSENT]
        assert len(kept.sums) <= 64
        assert sum(size for _, size in kept.sums.values()) == 200
        for number in range(2_000, 2_004):
            before = a.count("intake_refused")
            await b.give(consent(number))
            assert await a.rounds.round(b.peer_id)
            assert consent(number).digest in a.digests()
            assert a.count("intake_refused") - before <= 20
            assert sum(size for _, size in kept.sums.values()) == 200


async def test_strangers_do_not_displace_what_is_remembered_of_a_configured_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PEER_MEMORIES", 4)
    with NodeRig(tmp_path, peers=["friend"], quotas=Quotas(strangers=0)) as rig:
        friend = Peer(rig, "friend", [consent(number, sponsor=STRANGER) for number in range(8)])
        assert await rig.rounds.round("friend")
        declined = rig.count("intake_refused")
        assert declined == 8
        for number in range(8):
            Peer(rig, f"stranger {number}")
            assert await rig.rounds.round(f"stranger {number}")
        assert await rig.rounds.round("friend")
        assert rig.count("intake_refused") == declined
        assert friend.asked


async def test_declined_consents_are_asked_for_again_in_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PORTION", 10)
    with pair(tmp_path, Quotas(strangers=0)) as (a, b):
        await b.give(*(consent(number, sponsor=STRANGER) for number in range(40)))
        assert await a.rounds.round(b.peer_id)
        counts = []
        for _ in range(5):
            a.clock.time += memory.RELEARN_S
            assert await a.rounds.round(b.peer_id)
            counts.append(a.count("intake_refused"))
        asked = [after - before for before, after in pairwise([40, *counts])]
        assert all(10 <= one <= 15 for one in asked)  # with some of their neighbours
        names = set(a.rounds._memories[b.peer_id][CONSENT].sums)
        assert len(names) == 40


async def test_a_walk_takes_so_many_declined_ones_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DECLINED_A_WALK", 20)
    with pair(tmp_path, Quotas(strangers=0)) as (a, b):
        await b.give(*(consent(number, sponsor=STRANGER) for number in range(150)))
        rounds = 1
        while not await a.rounds.round(b.peer_id):
            rounds += 1
            assert rounds < 30
        assert rounds > 2
        assert a.count("intake_refused") == 150


@pytest.mark.parametrize("most", [1_000, 9])
async def test_pending_revocations_are_fetched_once_even_if_the_peer_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """They are learnt in parts, also when the peer breaks off in the middle."""
    monkeypatch.setattr(fetching, "DECLINED_A_WALK", 20)
    monkeypatch.setattr(fetching, "WANTED", 5)
    stops = [revocation("everything", contributor=who) for who in (ADA, BEN)]
    stops += [revocation(f"via m{n}.example", contributor=ADA) for n in range(60)]
    with pair(tmp_path, Quotas(strangers=0)) as (a, b):
        await b.give(consent(1), consent(2, contributor=BEN, parties=(BEN,)), *stops)
        peer = Tired(b, a.board, most)
        for _ in range(40):
            peer.left = peer.most
            if await a.rounds.round("tired"):
                break
        else:
            raise AssertionError("the rounds do not come to an end")
        again = a.count("intake_pending") - len(stops)
        assert 0 <= again <= 10  # what was on the way when the peer broke off


async def test_what_is_not_offered_is_not_compared_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that lacks much starts its own round, and what it fetches then is not fetched back."""
    monkeypatch.setattr(bringing, "OFFERED_A_ROUND", 5)
    with pair(tmp_path, Quotas()) as (a, b):
        await a.give(*(consent(number) for number in range(120)))
        await b.give(*(consent(number) for number in range(40)))
        for _ in range(2):
            assert await a.rounds.round(b.peer_id)
        kept = a.rounds._memories[b.peer_id][CONSENT]
        assert sum(size for _, size in kept.sums.values()) == -80
        assert await b.rounds.round(a.peer_id)
        assert len(b.digests()) == 120
        for _ in range(2):
            assert await a.rounds.round(b.peer_id)
        assert kept.sums == {}
        assert a.digests() == b.digests()


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.sampled_from([1, -1])), max_size=80, unique_by=lambda o: o[0]
    ),
    st.integers(1, 40),
)
def test_sums_of_what_is_remembered_are_exact_down_to_their_level(
    remembered: list[tuple[int, int]], most: int
) -> None:
    entries = [(digest_entry(sha256(b"%d" % number)), sign) for number, sign in remembered]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "REMEMBERED_NODES", most)
        kept = PeerMemory(NOW)
        for entry, sign in entries:
            kept.remember(entry, sign)
    assert len(kept.sums) <= most
    for node, (total, size) in kept.sums.items():
        own = [(e, sign) for e, sign in entries if node_at(kept.level, e.place) == node]
        assert total == sum(sign * int.from_bytes(e.id) for e, sign in own)
        assert size == sum(sign for _, sign in own)
    for entry, _ in entries:
        kept.forget(node_at(63, entry.place))
    assert kept.sums == {}


async def test_a_view_is_what_is_held_with_what_is_remembered(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        await rig.give(*(consent(number) for number in range(20)))
        kept = PeerMemory(NOW)
        foreign = [digest_entry(sha256(b"%d" % number)) for number in range(30)]
        for entry in foreign:
            kept.remember(entry, 1)
        view = ExpectedView(rig.store, CONSENT, kept)
        with rig.store.read() as db:
            own = sums(db, CONSENT, [ROOT], 4)
        for node, (before, after) in enumerate(zip(own, view.sums([ROOT], 4), strict=True), 16):
            added = [e for e in foreign if node_at(4, e.place) == node]
            assert after == before.plus(sum(int.from_bytes(e.id) for e in added), len(added))
        view.forget(ROOT)
        assert kept.sums == {}


async def test_what_was_declined_and_came_later_is_no_difference(tmp_path: Path) -> None:
    late = [consent(number, sponsor=STRANGER) for number in range(3)]
    ours = Quotas(strangers=0, operators=frozenset({bytes(NODE.verify_key)}))
    with pair(tmp_path, ours) as (a, b):
        await b.give(*late)
        assert await a.rounds.round(b.peer_id)
        await a.give(*(consent(number) for number in range(3)))  # with a sponsor that has room
        assert len(a.digests()) == 3
        for _ in range(3):
            assert await a.rounds.round(b.peer_id)
        assert a.rounds._memories[b.peer_id][CONSENT].sums == {}
        before = b.count("intake_known")
        assert await a.rounds.round(b.peer_id)
        assert b.count("intake_known") == before
