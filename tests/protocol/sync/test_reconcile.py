"""Sync as arithmetic and codec (section 11): any two sets are told apart, whatever was forged."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import Malformed, SaysoError
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.primitives import sha256
from sayso_protocol.sync import answers, solving, walk
from sayso_protocol.sync.answers import Listed
from sayso_protocol.sync.findings import Finding, Outcome
from sayso_protocol.sync.fingerprints import (
    Entry,
    Sum,
    cell,
    check_of,
    fingerprint,
    level_of,
    lone,
    node_at,
    pack_nodes,
    places_of,
    short_id,
    sum_of,
    unpack_nodes,
)
from sayso_protocol.sync.requests import (
    CellsRequest,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    ListRequest,
    OfferRequest,
    RangeRequest,
    Request,
    decode_request,
    encode_request,
)
from sayso_protocol.sync.walk import differences
from support.protocol_strategies import hashes

SALT = bytes(range(16))
kinds = st.sampled_from([CONSENT, REVOCATION])
salts = st.binary(min_size=16, max_size=16)
levels = st.integers(0, 59)
node_lists = levels.flatmap(
    lambda level: st.lists(
        st.integers(1 << level, (2 << level) - 1), min_size=1, max_size=20, unique=True
    )
).map(lambda nodes: tuple(sorted(nodes)))
ids = st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=3).map(b"".join)
requests = (
    st.builds(FingerprintsRequest, kinds, salts, st.integers(1, 4), node_lists)
    | st.builds(ListRequest, kinds, salts, node_lists)
    | node_lists.flatmap(
        lambda nodes: st.builds(
            GetRequest,
            kinds,
            salts,
            st.just(nodes),
            st.lists(ids, min_size=len(nodes), max_size=len(nodes)).map(tuple),
        )
    )
    | st.builds(GetRequest, kinds, salts, node_lists, st.just(()))
    | node_lists.filter(lambda nodes: level_of(nodes[0]) <= 23).map(
        lambda nodes: CellsRequest(CONSENT, nodes)
    )
    | st.builds(RangeRequest, st.sampled_from([1, 3]), st.integers(1, 2**64 - 1), st.just(b"") | hashes)
    | st.builds(CheckRequest, kinds, salts, st.integers(1, 2**64 - 1))
    | st.builds(OfferRequest, st.lists(st.binary(max_size=9), min_size=1, max_size=9).map(tuple))
)
# Entries crowd together, as an attacker could make them: a few first bytes only.
entry_ids = st.builds(
    lambda crowd, number: crowd + sha256(b"%d" % number)[len(crowd) :],
    st.sampled_from([b"", b"\0", b"\0\0\0\0", b"\xff" * 7]),
    st.integers(0, 300),
)
entry_sets = st.sets(entry_ids, max_size=60)


@dataclass
class Holder:
    """A set of entries, by brute force: the View of a walk, and a peer that answers one."""

    kind: int
    digests: set[bytes]
    asked: list[Request] = field(default_factory=list)
    grain: int = 63

    def forget(self, node: int) -> None:
        """Nothing is remembered."""

    def held(self, node: int) -> list[Entry]:
        first, end = places_of(node)
        places = ((int.from_bytes(one[:8]), one) for one in sorted(self.digests))
        return [Entry(place, one, (one,)) for place, one in places if first <= place < end]

    def ids(self, node: int) -> list[bytes]:
        return [one.id for one in self.held(node)]

    def sums(self, nodes: Sequence[int], step: int) -> list[Sum]:
        at = {c: Sum(0, 0) for n in nodes for c in range(n << step, (n + 1) << step)}
        level = level_of(nodes[0]) + step
        for one in self.digests:
            child = node_at(level, int.from_bytes(one[:8]))
            if child in at:
                at[child] = at[child].plus(int.from_bytes(one), 1)
        return list(at.values())

    def answer(self, body: bytes) -> bytes:
        request = decode_request(body)
        self.asked.append(request)
        match request:
            case FingerprintsRequest(_, salt, step, nodes):
                return answers.encode_fingerprints(
                    [fingerprint(salt, one) for one in self.sums(nodes, step)]
                )
            case ListRequest(kind, salt, nodes):
                return answers.encode_lists(kind, [self.listed(salt, node) for node in nodes])
            case CellsRequest(_, nodes):
                return answers.encode_cells([cell(n, sum_of(self.ids(n))) for n in nodes])
            case CheckRequest(_, salt, node):
                return answers.encode_check(check_of(salt, self.ids(node)))
        raise AssertionError(request)

    def listed(self, salt: bytes, node: int) -> list[Listed] | None:
        shorts = [short_id(salt, one) for one in self.ids(node)]
        return [Listed(one, (one,)) for one in shorts] if len(shorts) <= answers.LISTED else None


@dataclass
class Compared:
    """A walk, with all that it found and brought."""

    outcome: Outcome
    found: list[Finding]
    came: set[bytes]

    @property
    def ours(self) -> set[bytes]:
        return {entry.id for one in self.found for entry in one.ours}

    @property
    def ranges(self) -> list[int]:
        return [node for one in self.found for node in one.ranges]

    @property
    def untold(self) -> int:
        return sum(one.untold for one in self.found)


def compare(
    ours: Holder,
    peer: Callable[[bytes], bytes],
    theirs: Holder | None = None,
    draw: int = 0,
) -> Compared:
    """Walk; what is found comes from `theirs`, and counts as held at once."""
    walk = differences(ours, ours.kind, SALT, draw)
    found, came = list[Finding](), set[bytes]()

    def bring(one: Finding) -> set[bytes]:
        found.append(one)
        given = brought(one, theirs) if theirs else set()
        came.update(given)
        ours.digests |= given
        return given

    try:
        step = next(walk)
        while True:
            step = walk.send(bring(step) if isinstance(step, Finding) else peer(encode_request(step)))
    except StopIteration as stop:
        return Compared(stop.value, found, came)


def brought(found: Finding, theirs: Holder) -> set[bytes]:
    """What comes when everything is fetched that was found."""
    wanted = {one for names in found.wanted.values() for one in names}
    whole = {one for node in (*found.ranges, *found.whole) for one in theirs.ids(node)}
    return whole | {one for one in theirs.digests if short_id(SALT, one) in wanted}


@given(
    kinds, st.sets(entry_ids, max_size=60), st.sets(entry_ids, max_size=60), st.integers(0, 2**64 - 1)
)
def test_any_two_sets_end_equal(kind: int, left: set[bytes], right: set[bytes], draw: int) -> None:
    ours, theirs = Holder(kind, set(left)), Holder(kind, right)
    done = compare(ours, theirs.answer, theirs, draw)
    assert done.outcome == Outcome(complete=True, forged=False)
    assert ours.digests == left | right
    assert done.came == right - left
    assert done.ours == left - right
    assert done.untold == 0


def test_of_many_only_what_differs_is_found() -> None:
    rng = random.Random(7)
    common = {rng.randbytes(32) for _ in range(5_000)}
    mine, his = ({rng.randbytes(32) for _ in range(90)} for _ in range(2))
    ours, theirs = Holder(CONSENT, common | mine), Holder(CONSENT, common | his)
    done = compare(ours, theirs.answer, theirs)
    assert ours.digests == common | mine | his
    assert (done.came, done.ours) == (his, mine)


def test_who_has_nothing_fetches_ranges_and_is_offered_nothing_one_by_one() -> None:
    full = Holder(CONSENT, {sha256(b"%d" % number) for number in range(8_000)})
    done = compare(Holder(CONSENT, set()), full.answer)
    assert len(done.ranges) == 16
    assert len(full.asked) == 1
    done = compare(full, Holder(CONSENT, set()).answer)
    assert (done.untold, done.ours) == (8_000, set())


@pytest.mark.parametrize("kind", [CONSENT, REVOCATION])
def test_sums_that_were_made_equal_are_found_by_a_check(kind: int) -> None:
    """Rule 11.6: x + y = (x + 1) + (y - 1), at the same places, in any tree of sums."""
    common = {sha256(b"%d" % number) for number in range(50)}
    x, y = b"\7" * 32, b"\7" * 31 + b"\x20"
    forged = {x[:-1] + b"\x08", y[:-1] + b"\x1f"}
    assert sum_of({x, y}) == sum_of(forged)
    ours, theirs = Holder(kind, common | {x, y}), Holder(kind, common | forged)
    assert compare(ours, theirs.answer, theirs).outcome.forged
    assert ours.digests == common | {x, y} | forged


@given(kinds, st.integers(0, 6), st.integers(0, 6))
def test_nobody_is_accused_for_what_comes_meanwhile(kind: int, here: int, there: int) -> None:
    """A message comes to both while they compare, to each before the answer to some question."""
    common, news = {sha256(b"%d" % number) for number in range(9)}, sha256(b"news")
    ours, theirs = Holder(kind, set(common)), Holder(kind, set(common))

    def answer(body: bytes) -> bytes:
        for holder, at in ((ours, here), (theirs, there)):
            if len(theirs.asked) == at:
                holder.digests.add(news)
        return theirs.answer(body)

    assert not compare(ours, answer).outcome.forged


def test_a_check_looks_everywhere_in_time() -> None:
    """With more entries than one check reads, the draw decides where."""
    held = {sha256(b"%d" % number) for number in range(walk.CHECKED * 3)}
    peer = Holder(CONSENT, held)
    ours = Holder(CONSENT, set(held))
    seen = set()
    for draw in range(0, 1 << 64, 1 << 62):
        compare(ours, peer.answer, draw=draw)
        (request,) = (one for one in peer.asked if isinstance(one, CheckRequest))
        seen.add(request.node)
        peer.asked.clear()
    assert seen == {4, 5, 6, 7}


def lies(body: bytes) -> bytes:
    """Whatever is asked, something else."""
    match decode_request(body):
        case FingerprintsRequest(_, _, step, nodes):
            rng = random.Random(body)
            return answers.encode_fingerprints([rng.randbytes(5) for _ in range(len(nodes) << step)])
        case ListRequest(kind, _, nodes):
            return answers.encode_lists(kind, [None] * len(nodes))
        case CellsRequest(_, nodes):
            return answers.encode_cells([random.Random(body).randbytes(6)] * len(nodes))
    return answers.encode_check(bytes(16))


@pytest.mark.parametrize("kind", [CONSENT, REVOCATION])
@pytest.mark.parametrize("size", [0, 2_000])
def test_a_lying_peer_costs_bounded_work(kind: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "BUDGET", 3_000)
    asked = 0

    def peer(body: bytes) -> bytes:
        nonlocal asked
        request = decode_request(body)
        asked += len(getattr(request, "nodes", ()))
        return lies(body)

    done = compare(Holder(kind, {sha256(b"%d" % number) for number in range(size)}), peer)
    assert asked <= 3_000 + 1_024
    assert not done.came
    assert not done.outcome.complete or done.ranges  # which it then does not give


@given(requests)
def test_a_request_reads_back_as_itself(request: Request) -> None:
    assert decode_request(encode_request(request)) == request


@given(node_lists)
def test_nodes_read_back_and_only_so(nodes: tuple[int, ...]) -> None:
    packed = pack_nodes(nodes)
    assert unpack_nodes(packed) == list(nodes)
    for wrong in (b"", packed[:-1] + b"\x80", packed + b"\0", packed + b"\x80\x80", b"\x80\0" + packed):
        with pytest.raises(SaysoError):
            unpack_nodes(wrong)
    with pytest.raises(SaysoError):
        unpack_nodes(pack_nodes([*nodes, nodes[-1] << 1]))


lists = st.lists(
    st.none()
    | st.lists(
        st.builds(
            Listed,
            st.binary(min_size=5, max_size=5),
            st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=3).map(tuple),
        ),
        max_size=5,
    ),
    min_size=1,
    max_size=5,
)


@given(lists)
def test_lists_read_back_as_themselves(value: list[list[Listed] | None]) -> None:
    data = answers.encode_lists(REVOCATION, value)
    assert answers.decode_lists(data, REVOCATION, len(value)) == value
    plain = [one and [Listed(e.entry, (e.entry,)) for e in one] for one in value]
    data = answers.encode_lists(CONSENT, plain)
    assert answers.decode_lists(data, CONSENT, len(plain) + 1) == plain


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], 1, [7], [0], [1, 1], ["a"]),
        *([1, 9, SALT, 1, b"\1"], [1, 1, SALT[1:], 1, b"\1"], [1, 1, SALT, 0, b"\1"]),
        *([1, 1, SALT, 5, b"\1"], [1, 1, SALT, 1, b""], [1, 1, SALT, 1, b"\x80"]),
        *([2, 1, SALT], [2, 1, SALT, b"\1\1"], [3, 1, SALT, b"\1", 0], [3, 1, SALT, b"\1", [b""]]),
        *([3, 1, SALT, b"\1", [b"1234"]], [3, 1, SALT, b"\1", [b"12345" * 1_025]]),
        *(
            [4, 1, 0, b""],
            [4, 1, 1, b"a"],
            [4, 2, 1, b""],
            [4, 9, 1, b""],
            [4, 1, b""],
            [5, 1, SALT, 0],
            [5, 9, SALT, 1],
            [6, []],
            [6, [1]],
            [6, b""],
        ),
        *([7, 2, b"\1"], [7, 1, b""], [7, 1, b"\x80\x80\x80\x08"], [7, 1]),
    ],
)
def test_what_is_not_a_request(value: object) -> None:
    with pytest.raises(Malformed):
        decode_request(pack(value))


@given(st.binary(max_size=200))
def test_only_our_errors_come_out_of_bytes(data: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [
        decode_request,
        answers.decode_messages,
        answers.decode_check,
        lambda one: answers.decode_fingerprints(one, 1),
        lambda one: answers.decode_cells(one, 1),
        lambda one: answers.decode_lists(one, REVOCATION, 2),
        lambda one: answers.decode_taken(one, 1),
    ]
    for read in readers:
        try:
            read(data)
        except SaysoError:
            continue


@given(st.sets(hashes, max_size=40), hashes, st.integers(0, 23))
def test_a_cell_shows_where_the_only_difference_is(common: set[bytes], one: bytes, level: int) -> None:
    node = node_at(level, int.from_bytes(one[:8]))
    few, many = ({d for d in common if d != one}, common | {one})
    for ours, theirs, sign in ((few, many, 1), (many, few, -1)):
        own, other = (sum_of(Holder(CONSENT, held).ids(node)) for held in (ours, theirs))
        found, small = lone(node, cell(node, other), own)
        assert found == sign
        assert 1 <= len(small) <= 2
        assert {level_of(each) for each in small} == {level + 32}
        assert node_at(level + 32, int.from_bytes(one[:8])) in small


@given(st.binary(min_size=6, max_size=6), st.integers(1, 2**24 - 1), st.integers(0, 2**256 - 1))
def test_whatever_a_cell_says_it_names_places_in_its_node(data: bytes, node: int, total: int) -> None:
    sign, small = lone(node, data, Sum(total, 7))
    assert sign in (-1, 0, 1)
    assert all(one >> 32 == node for one in small)
