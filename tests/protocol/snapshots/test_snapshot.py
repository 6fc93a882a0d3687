"""A snapshot is believed as a whole, or refused with a code."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_protocol.errors import (
    BadSignature,
    Malformed,
    MissingDelta,
    SaysoError,
    SnapshotExpired,
    SnapshotTampered,
    UnknownSigner,
    WrongNetwork,
)
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import FULL
from sayso_protocol.primitives import sha256
from sayso_protocol.snapshots import hash_list
from sayso_protocol.snapshots.fuse_filter import Shape
from sayso_protocol.snapshots.hash_list import license_key, person_key
from sayso_protocol.snapshots.head import read_head
from sayso_protocol.snapshots.keys import as_keys, bit_key, permissions_key, scopes_key, word_key
from sayso_protocol.snapshots.part import Part, read_parts, signed_part
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots, packed_lists, read_snapshot
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE
from support.snapshot_making import Content, make_snapshot
from support.snapshots import (
    AS_OF,
    DAY,
    OTHER,
    STRANGER,
    TRUSTED,
    add_delta,
    content_of,
    moment_at,
    parts_of,
    salts,
    snapshot_of,
)
from support.tries import tries

STATES = ({ADA: {0: 5}}, {ADA: {0: 5, SCOPE_FLAG: 1}}, {ADA: {0: FULL, SCOPE_FLAG: 1}, BEN: {64: 1}})
PEOPLE = [*map(person_key, (ADA, BEN, CLEO))]
NAMES = [*PEOPLE, *(license_key(sha256(b"%d" % at)) for at in range(9))]
PARTS = [*parts_of(*STATES, named=NAMES)]
PARTS.append(
    add_delta(
        PARTS,
        Content(as_keys(b""), (), [person_key(BEN)]),
        moment=moment_at(AS_OF + 30),
        salt=next(salts("withdrawn")),
    )
)
FILE = b"".join(part.data for part in PARTS)
words = st.integers(0, 3) | st.integers(SCOPE_FLAG, SCOPE_FLAG + 3)
masks = st.sampled_from([1, 2, 1 << 255, FULL]) | st.integers(1, FULL)
states = st.dictionaries(
    st.sampled_from([ADA, BEN, CLEO]), st.dictionaries(words, masks, min_size=1), max_size=3
)


def expected_keys(state: dict[bytes, dict[int, int]]) -> set[bytes]:
    """Rule 13.3, said a second time."""
    keys = set()
    for address, entries in state.items():
        for word, mask in entries.items():
            is_scope = word >= 1 << 247
            if not is_scope or mask % 2:
                keys.add(scopes_key(address) if is_scope else permissions_key(address))
            if (is_scope and mask % 2) or (not is_scope and mask == FULL):
                keys.add(word_key(address, word))
            elif not is_scope:
                keys |= {bit_key(address, word, bit) for bit in range(256) if mask >> bit & 1}
    return keys


@given(states)
def test_a_snapshot_has_a_key_for_everything_revoked(state: dict[bytes, dict[int, int]]) -> None:
    keys = expected_keys(state)
    content = content_of(state)
    assert {row.tobytes() for row in content.keys} == keys
    snapshot = read_snapshot(make_snapshot(NODE, NETWORK, moment_at(), content, salts()).data, TRUSTED)
    assert snapshot.holds(as_keys(b"".join(keys))).all()
    assert snapshot.keys == len(keys)


def test_deltas_are_appended_and_the_last_one_speaks() -> None:
    snapshot = read_snapshot(FILE, TRUSTED)
    assert snapshot.operator.name == "north"
    assert [head.counts.keys for head in snapshot.heads] == [3, 2, 3, 0]
    assert [head.counts.named for head in snapshot.heads] == [6, 6, 0, 0]
    assert snapshot.head.moment.as_of == AS_OF + 30
    assert snapshot.holds(content_of(STATES[-1]).keys).all()
    assert not read_snapshot(PARTS[0].data, TRUSTED).holds(content_of(STATES[-1]).keys).all()
    again = list(read_parts(FILE))
    assert again == PARTS
    assert b"".join(one.data for one in again) == FILE


@settings(max_examples=tries(300))
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_flipping_any_byte_is_refused(at: int, flip: int) -> None:
    changed = FILE[:at] + bytes([FILE[at] ^ flip]) + FILE[at + 1 :]
    with pytest.raises(SaysoError):
        read_snapshot(changed, TRUSTED)


@given(st.integers(0, len(FILE) - 1))
def test_cutting_it_short_is_refused_or_is_an_older_one(length: int) -> None:
    ends = [sum(len(part.data) for part in PARTS[:count]) for count in (1, 2, 3)]
    if length in ends:
        assert len(read_snapshot(FILE[:length], TRUSTED).heads) < 4
        return
    with pytest.raises((Malformed, SnapshotTampered)):
        read_snapshot(FILE[:length], TRUSTED)


@given(st.binary(max_size=200))
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    for one in (data, b"sayso-snapshot-1" + data):
        with pytest.raises(SaysoError):
            read_snapshot(one, TRUSTED)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ((0, 2), MissingDelta),
        ((1, 2), MissingDelta),
        ((0, 2, 1), MissingDelta),
        ((0, 1, 1), MissingDelta),
        ((0, 0), MissingDelta),
        ((), MissingDelta),
    ],
)
def test_a_missing_delta_is_noticed(order: tuple[int, ...], error: type[SaysoError]) -> None:
    with pytest.raises(error):
        Snapshot([PARTS[number] for number in order], TRUSTED)


def test_a_delta_of_another_snapshot_is_refused() -> None:
    other = parts_of({CLEO: {0: 1}}, STATES[1])
    with pytest.raises(MissingDelta):
        Snapshot([PARTS[0], other[1]], TRUSTED)
    with pytest.raises(UnknownSigner):
        Snapshot([PARTS[0], parts_of(*STATES, key=OTHER)[1]], TRUSTED)


def resigned(part: Part, **changes: object) -> Part:
    """A part that a trusted node signed like this, though it is wrong."""
    head = replace(part.head, **changes)  # type: ignore[arg-type]
    return signed_part(NODE, head.network, head.moment, head.counts, head.salt, part.body, head.form)


def test_who_is_not_trusted_is_not_believed() -> None:
    with pytest.raises(UnknownSigner):
        read_snapshot(parts_of(STATES[0], key=STRANGER)[0].data, TRUSTED)
    elsewhere = resigned(PARTS[0], network=Network(1, NETWORK.registry))
    with pytest.raises(WrongNetwork):
        read_snapshot(elsewhere.data, TRUSTED)
    with pytest.raises(WrongNetwork):
        read_snapshot(FILE, NetworkFile(Network(1, NETWORK.registry), 1, 0, TRUSTED.operators))
    forged = replace(PARTS[0], signature=PARTS[1].signature)
    with pytest.raises(BadSignature):
        read_snapshot(forged.data, TRUSTED)


@pytest.mark.parametrize(
    "changes",
    [
        {"form": Shape(4, 2)},
        {"form": Shape(1, 0)},
        {"counts": replace(PARTS[0].head.counts, keys=1), "form": Shape(1, 0)},
    ],
)
def test_a_filter_of_another_shape_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        read_snapshot(resigned(PARTS[0], **changes).data, TRUSTED)


def test_keys_without_cells_are_refused() -> None:
    empty = parts_of({})[0]
    with pytest.raises(Malformed):
        read_snapshot(resigned(empty, counts=replace(empty.head.counts, keys=1)).data, TRUSTED)


@pytest.mark.parametrize("form", [Shape(3, 2), Shape(0, 0), Shape(1 << 18, 1 << 14)])
def test_an_impossible_shape_is_refused(form: Shape) -> None:
    with pytest.raises(Malformed):
        read_head(resigned(PARTS[0], form=form).head.content())


def test_heads_are_read_as_they_are_written() -> None:
    for part in PARTS:
        assert read_head(part.head.content()) == part.head


def test_it_says_when_it_has_expired() -> None:
    snapshot = snapshot_of({})
    snapshot.check_fresh(AS_OF + 60, 60)
    for now, max_age_s in ((AS_OF + 61, 60), (AS_OF + DAY, 10 * DAY), (AS_OF - 601, 60)):
        with pytest.raises(SnapshotExpired, match="north"):
            snapshot.check_fresh(now, max_age_s)


def test_who_is_withdrawn_is_named_no_more() -> None:
    whole, before = read_snapshot(FILE, TRUSTED), Snapshot(PARTS[:3], TRUSTED)
    assert before.name(NAMES).all()
    assert whole.name(NAMES).tolist() == [key != person_key(BEN) for key in NAMES]
    assert not whole.name([license_key(ADA.rjust(32, b"\0")), person_key(bytes(20))]).any()
    assert Snapshot(PARTS[:1], TRUSTED).name(NAMES).tolist() == [True] * 6 + [False] * 6


def test_no_later_part_names_again_who_was_withdrawn() -> None:
    salt = next(salts("again"))
    moment = moment_at(AS_OF + 40)
    again = add_delta(PARTS, Content(as_keys(b""), [person_key(BEN)]), moment=moment, salt=salt)
    assert not Snapshot([*PARTS, again], TRUSTED).name([person_key(BEN)]).any()


def test_several_files_name_only_what_each_of_them_names() -> None:
    north, south = snapshot_of({}, NAMES[:2]), snapshot_of({}, NAMES[1:3], key=OTHER)
    assert Snapshots([north, south]).name(NAMES[:3]).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "counts",
    [{"named": 5}, {"named": 7}, {"withdrawn": 1}, {"named": 1 << 60}, {"named": 5, "withdrawn": 1}],
)
def test_other_counts_of_names_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(Malformed):
        read_snapshot(resigned(PARTS[0], counts=replace(PARTS[0].head.counts, **counts)).data, TRUSTED)


def test_a_snapshot_cannot_withdraw() -> None:
    """It would say two things of one person."""
    _, lists = packed_lists(PARTS[0].head.salt, 3, NAMES[:6], NAMES[:1])
    first = len(PARTS[0].body) - hash_list.list_bytes(6)
    part = replace(PARTS[0], body=PARTS[0].body[:first] + lists)
    wrong = resigned(part, counts=replace(PARTS[0].head.counts, withdrawn=1))
    with pytest.raises(Malformed, match="withdraw"):
        read_snapshot(wrong.data, TRUSTED)


def test_several_operators_know_what_any_of_them_knows() -> None:
    north, south = snapshot_of(STATES[0]), snapshot_of({CLEO: {7: 1}}, key=OTHER)
    both = Snapshots([north, south])
    for state in (STATES[0], {CLEO: {7: 1}}):
        assert both.holds(content_of(state).keys).all()
    assert not north.holds(content_of({CLEO: {7: 1}}).keys).any()
