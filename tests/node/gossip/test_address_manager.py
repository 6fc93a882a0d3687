"""Whatever peers tell, the table keeps its bounds, and what is chosen is spread over networks."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers import address_manager as bounds
from sayso_node.gossip.peers.address_manager import AddressManager
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.gossip.peers.network_groups import can_be_dialled, group_of, is_private, parse_told

US = peer_id_of(bytes(32))
IDS = [peer_id_of(n.to_bytes(32)) for n in range(1, 400)]


def address(ip: str, who: int) -> str:
    kind = "ip6" if ":" in ip else "ip4"
    return f"/{kind}/{ip}/tcp/4001/p2p/{IDS[who]}"


IPS = st.one_of(
    st.builds("{}.{}.{}.9".format, st.integers(11, 13), st.integers(0, 3), st.integers(0, 255)),
    st.builds("2a00:{:x}::{:x}".format, st.integers(1, 4), st.integers(1, 99)),
    st.sampled_from(["127.0.0.1", "10.1.1.1", "0.0.0.0", "224.0.0.1", "::1", "::ffff:11.1.2.3"]),
)
ADDRESSES = st.builds(address, IPS, st.integers(0, len(IDS) - 1))


class Table(RuleBasedStateMachine):
    """Anything in any order; the clock only moves on."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.proved: set[str] = set()
        self.table = AddressManager(
            US, private=False, redial_s=60.0, now=lambda: self.time, rng=Random(1)
        )

    @rule(told=st.lists(ADDRESSES, max_size=60), source=st.sampled_from("abcdefghijkl"))
    def hear(self, told: list[str], source: str) -> None:
        for one in told:
            self.table.hear(one, source)

    @rule(answers=st.booleans(), times=st.integers(1, 40))
    def meet(self, *, answers: bool, times: int) -> None:
        for _ in range(times):
            if one := self.table.next_to_meet():
                if answers:
                    self.table.met(one)
                    self.proved.add(one)
                else:
                    self.table.failed(one)

    @rule(seconds=st.integers(0, 100_000))
    def wait(self, seconds: int) -> None:
        self.time += seconds

    @rule()
    def connect(self) -> None:
        chosen: list[str] = []
        while one := self.table.choose(chosen, {parse_told(a)[1] for a in chosen}):
            chosen.append(one)
        groups = Counter(group_of(parse_told(one)[0]) for one in chosen)
        assert all(count <= bounds.MOST_CHOSEN_IN_GROUP for count in groups.values())
        assert set(chosen) <= self.proved
        assert len({parse_told(one)[1] for one in chosen}) == len(chosen)

    @invariant()
    def bounded(self) -> None:
        heard, met = self.table.sizes()
        assert heard <= bounds.MOST_HEARD
        assert met <= bounds.MOST_MET
        told = self.table.sample(bounds.MOST_MET)
        assert set(told) <= self.proved
        groups = Counter(group_of(parse_told(one)[0]) for one in told)
        assert all(count <= bounds.MOST_MET_IN_GROUP for count in groups.values())
        assert all(can_be_dialled(parse_told(one)[0], private=False) for one in told)


TestTable = Table.TestCase
TestTable.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def table(time: list[float], **options: bool) -> AddressManager:
    return AddressManager(
        US, private=options.get("private", False), redial_s=60.0, now=lambda: time[0], rng=Random(3)
    )


def test_a_source_that_tells_much_is_dialled_no_more_often_than_others() -> None:
    known = table([0.0])
    for n in range(30):
        known.hear(address(f"11.{n}.0.1", n), "loud")
    known.hear(address("12.0.0.1", 100), "quiet")
    drawn = [known.next_to_meet() for _ in range(8)]
    assert address("12.0.0.1", 100) in drawn


def test_who_does_not_answer_is_tried_less_and_less_and_then_forgotten() -> None:
    time = [0.0]
    known = table(time)
    one = address("11.1.1.1", 1)
    known.met(one)
    waits = []
    for _ in range(bounds.MOST_FAILURES - 1):
        assert not known.failed(one)
        begun = time[0]
        while known.choose([], ()) is None:
            time[0] += 10
        waits.append(time[0] - begun)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (120, bounds.MOST_REDIAL_S)
    assert known.failed(one)
    assert known.sizes() == (0, 0)


def test_nobody_is_forgotten_while_we_reach_nobody() -> None:
    known = table([0.0])
    one = address("11.1.1.1", 1)
    known.met(one)
    assert not any(known.failed(one, counts=False) for _ in range(100))


def test_who_answers_is_not_pushed_out_by_newcomers_of_its_network() -> None:
    known = table([0.0])
    first = [address(f"11.1.0.{n}", n) for n in range(bounds.MOST_MET_IN_GROUP)]
    assert all(map(known.met, first))
    assert not known.met(address("11.1.9.9", 99))
    known.failed(first[3])
    assert known.met(address("11.1.9.9", 99))
    assert set(known.sample(99)) == {*first, address("11.1.9.9", 99)} - {first[3]}


def test_who_was_not_met_for_a_day_is_dialled_again_and_not_told() -> None:
    time = [0.0]
    known = table(time)
    known.remember([address("11.1.1.1", 1)])
    assert known.sample(9) == []
    assert known.next_to_meet() == address("11.1.1.1", 1)
    known.met(address("11.1.1.1", 1))
    assert known.next_to_meet() is None
    assert len(known.sample(9)) == 1
    time[0] = bounds.TOLD_S + 1
    assert known.sample(9) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/dns4/example.org/tcp/1/p2p/" + IDS[0],
        "/dns4/example.org/tcp/1/ws/p2p/" + IDS[0],
        "/ip4/11.1.1.1/tcp/1/wss/p2p/" + IDS[0],
        "/ip4/11.1.1.1/tcp/70000/p2p/" + IDS[0],
        "/ip4/11.1.1.1/udp/1/p2p/" + IDS[0],
        "/ip4/11.1.1.1/tcp/1",
        "/ip4/11.1.1.1/tcp/1/p2p/nobody",
        "/ip4/11.1.1.1/tcp/" + "0" * 200 + "1/p2p/" + IDS[0],
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidNodeConfig):
        table([0.0]).hear(text, "a")


@given(IPS)
def test_private_addresses_are_of_use_at_home_only(ip: str) -> None:
    where = parse_told(address(ip, 1))[0]
    if is_private(where):
        assert not can_be_dialled(where, private=False)
    if can_be_dialled(where, private=False):
        assert can_be_dialled(where, private=True)
    for port in ("0", "00", "0/ws"):
        assert not can_be_dialled(f"{where.rpartition('/')[0]}/{port}", private=True)
    assert can_be_dialled(f"{where}/ws", private=False) == can_be_dialled(where, private=False)


def test_an_ipv4_address_in_ipv6_clothes_is_in_its_own_group() -> None:
    assert group_of("/ip6/::ffff:11.1.2.3/tcp/1") == group_of("/ip4/11.1.9.9/tcp/1") == "11.1.0.0/16"
    assert group_of("/ip6/2a00:1::1/tcp/1") == "2a00:1::/32"
