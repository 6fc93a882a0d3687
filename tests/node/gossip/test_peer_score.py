"""Who sends what anybody can see to be wrong is cut off for a while, and nobody else is."""

from dataclasses import dataclass

from libp2p.peer.id import ID

from node.gossip.harness import CONSENTS, REVOCATIONS, Network, meshed
from sayso_node.gossip.peers import peer_score
from sayso_node.gossip.peers.peer_score import PeerScore
from sayso_node.interfaces import Judgement
from support.waiting import until

BAD, GOOD = ID(b"bad"), ID(b"good")


@dataclass
class Watch:
    time: float = 0.0

    def __call__(self) -> float:
        return self.time


def test_misdeeds_add_up_and_are_forgotten() -> None:
    now = Watch()
    known = PeerScore(now, max_penalty=4, half_life_s=10, ban_s=100)
    for _ in range(20):
        now.time += 10
        assert not known.penalize(GOOD)  # now and then is nothing
    assert [known.penalize(BAD) for _ in range(4)] == [False, False, False, True]
    assert (known.is_banned(BAD), known.is_banned(GOOD)) == (True, False)


def test_each_time_it_takes_longer() -> None:
    now = Watch()
    known = PeerScore(now, max_penalty=1, half_life_s=10, ban_s=100)
    for ban_s in (100, 200, 400):
        assert known.penalize(BAD)
        assert not known.penalize(BAD)  # it is cut off already
        now.time += ban_s - 1
        assert known.is_banned(BAD)
        now.time += 1
        assert not known.is_banned(BAD)


def test_what_is_remembered_is_bounded() -> None:
    known = PeerScore(Watch(), max_penalty=1e9, half_life_s=10, ban_s=100)
    for number in range(peer_score.REMEMBERED_PEERS + 10):
        known.penalize(ID(b"%d" % number))
    assert len(known._records) == peer_score.REMEMBERED_PEERS


async def test_a_peer_that_sends_wrong_frames_is_hung_up_on_and_may_come_back(network: Network) -> None:
    judge = await network.peer(1, max_penalty=3.0, ban_s=3.0)
    bad = await network.peer(2, judge)
    good = await network.peer(3, judge)
    await meshed(judge, bad, good)

    async def reject_bad(topic: str, frame: bytes, peer: str) -> Judgement:
        return Judgement.REJECT if frame.startswith(b"bad") else Judgement.ACCEPT

    judge.judge = reject_bad
    for number in range(4):
        await bad.gossip.publish(REVOCATIONS, b"bad %d" % number)
    await until(lambda: (bad.id, False) in judge.events)
    await until(lambda: judge.gossip.counters()["peers_cut"] == 1)
    await good.gossip.publish(CONSENTS, b"from good")
    await until(lambda: judge.heard(b"from good"))
    assert (good.id, False) not in judge.events
    await until(lambda: judge.sees(bad))  # its time is over
