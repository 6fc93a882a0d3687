"""The answering half: what it says is true, costs a bounded share, and nonsense is refused."""

import pytest

from node.sync.peers import entries_of
from sayso_node.sync import reading
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.sync import answers
from sayso_protocol.sync.fingerprints import (
    ROOT,
    cell,
    check_of,
    fingerprint,
    node_at,
    short_id,
    sum_of,
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
    encode_request,
)
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import CLEO

SALT = b"\5" * 16
HELD: list[Envelope] = [consent(number) for number in range(5)]
STOPS = [revocation("everything", "via kled.ai")]
KINDS = pytest.mark.parametrize("kind", [CONSENT, REVOCATION])


async def ask(rig: NodeRig, request: Request) -> bytes:
    return await rig.answering.answer(encode_request(request), "asker")


def held(kind: int) -> list[bytes]:
    return [one.id for one in entries_of([*HELD, *STOPS], kind)]


@KINDS
@pytest.mark.parametrize("level", [3, 4, 6, 16, 17, 40, 63])
async def test_fingerprints_are_those_of_what_is_held(rig: NodeRig, kind: int, level: int) -> None:
    await rig.give(*HELD, *STOPS)
    entries = entries_of([*HELD, *STOPS], kind)
    nodes = sorted({node_at(level, one.place) for one in entries})
    parents = tuple(sorted({node >> 1 for node in nodes}))
    answer = await ask(rig, FingerprintsRequest(kind, SALT, 1, parents))
    children = [child for one in parents for child in (2 * one, 2 * one + 1)]
    said = dict(zip(children, answers.decode_fingerprints(answer, len(children)), strict=True))
    for child, given in said.items():
        within = [one.id for one in entries if node_at(level, one.place) == child]
        assert given == fingerprint(SALT, sum_of(within))


@pytest.mark.parametrize("level", [0, 3, 4, 16, 17, 23])
async def test_cells_are_those_of_what_is_held(rig: NodeRig, level: int) -> None:
    await rig.give(*HELD)
    places = {node_at(level, int.from_bytes(one[:8])) for one in held(CONSENT)}
    nodes = tuple(sorted(places | {1 << level}))
    cells = answers.decode_cells(await ask(rig, CellsRequest(CONSENT, nodes)), len(nodes))
    for node, given in zip(nodes, cells, strict=True):
        within = [one for one in held(CONSENT) if node_at(level, int.from_bytes(one[:8])) == node]
        assert given == cell(node, sum_of(within))


@KINDS
async def test_all_messages_of_small_nodes_are_given_and_of_large_ones_none(
    rig: NodeRig, kind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.give(*HELD, *STOPS)
    entries = entries_of([*HELD, *STOPS], kind)
    nodes = tuple(sorted({node_at(40, one.place) for one in entries} | {1 << 40}))
    request = GetRequest(kind, SALT, nodes, ())
    messages = HELD if kind == CONSENT else STOPS
    assert set(answers.decode_messages(await ask(rig, request))) == {encode(one) for one in messages}
    monkeypatch.setattr(reading, "LISTED", 1)
    whole = GetRequest(kind, SALT, (ROOT,), ())
    assert answers.decode_messages(await ask(rig, whole)) == []


@KINDS
async def test_lists_and_checks_are_of_what_is_held(rig: NodeRig, kind: int) -> None:
    await rig.give(*HELD, *STOPS)
    (listed,) = answers.decode_lists(await ask(rig, ListRequest(kind, SALT, (ROOT,))), kind, 1)
    assert listed is not None
    assert {one.entry for one in listed} == {short_id(SALT, one) for one in held(kind)}
    check = answers.decode_check(await ask(rig, CheckRequest(kind, SALT, ROOT)))
    assert check == check_of(SALT, held(kind))


async def test_what_is_too_much_to_list_is_said_to_be(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.give(*HELD)
    monkeypatch.setattr(reading, "LISTED", 4)
    monkeypatch.setattr(reading, "CHECKED_AT_MOST", 4)
    lists = answers.decode_lists(await ask(rig, ListRequest(CONSENT, SALT, (ROOT,))), CONSENT, 1)
    assert lists == [None]
    assert answers.decode_check(await ask(rig, CheckRequest(CONSENT, SALT, ROOT))) is None
    names = b"".join(short_id(SALT, one.digest) for one in HELD)
    got = await ask(rig, GetRequest(CONSENT, SALT, (ROOT,), (names,)))
    assert answers.decode_messages(got) == []


async def test_messages_are_given_by_name_as_far_as_they_fit(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.give(*HELD, *STOPS)
    bodies = {encode(one) for one in HELD}
    names = b"".join(short_id(SALT, one.digest) for one in HELD) + b"other"
    wanted = GetRequest(CONSENT, SALT, (ROOT,), (names,))
    assert set(answers.decode_messages(await ask(rig, wanted))) == bodies
    monkeypatch.setattr(reading, "BUNDLE_BYTES", 1)
    (one,) = answers.decode_messages(await ask(rig, wanted))
    assert one in bodies
    stop = GetRequest(REVOCATION, SALT, (ROOT,), (short_id(SALT, STOPS[0].digest),))
    assert answers.decode_messages(await ask(rig, stop)) == [encode(STOPS[0])]


async def test_a_range_goes_on_where_it_ended(rig: NodeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.give(*HELD, *STOPS)
    monkeypatch.setattr(reading, "RANGE_MESSAGES", 2)
    expected = sorted(HELD, key=lambda one: one.digest)
    got: list[bytes] = []
    after = b""
    while page := answers.decode_messages(await ask(rig, RangeRequest(1, ROOT, after))):
        assert len(page) <= 2
        got += page
        after = expected[len(got) - 1].digest
    assert got == [encode(one) for one in expected]


async def test_what_is_offered_is_taken_or_declined(rig: NodeRig) -> None:
    stranger = revocation("everything", contributor=CLEO)
    offer = OfferRequest((encode(HELD[0]), encode(stranger), b"garbage", encode(STOPS[0])))
    assert answers.decode_taken(await ask(rig, offer), 4) == bytes([0, 1, 1, 0])
    assert rig.digests() == {HELD[0].digest, STOPS[0].digest}


@pytest.mark.parametrize("body", [b"", b"\xc1", pack([]), pack([9, 1]), bytes(70_000), bytes(2_000_000)])
async def test_nonsense_is_refused(rig: NodeRig, body: bytes) -> None:
    with pytest.raises(SaysoError):
        await rig.answering.answer(body, "asker")
