"""The answering half: pages in order, bundles never empty of what is held, nothing for nonsense."""

import pytest

from sayso_node.sync import answering
from sayso_node.sync.answering import answer
from sayso_protocol.envelope import CONSENT, REVOCATION, encode
from sayso_protocol.errors import SaysoError
from sayso_protocol.packing import pack, unpack
from sayso_protocol.reconcile import GetRequest, ListRequest, decode_page, encode_request
from support.node_rig import NodeRig, consent, revocation


def ask(rig: NodeRig, request: ListRequest | GetRequest) -> list[bytes]:
    value: list[bytes] = unpack(answer(rig.store, encode_request(request)), max_bytes=1 << 23)
    return value


async def test_pages_follow_each_other(rig: NodeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PAGE", 2)
    held = [consent(number) for number in range(5)]
    await rig.give(*held, revocation("everything"))
    listed: list[bytes] = []
    while page := ask(rig, ListRequest(CONSENT, listed[-1] if listed else b"")):
        assert decode_page(pack(page), listed[-1] if listed else b"") == page
        assert len(page) <= 2
        listed += page
        assert len(listed) <= len(held)
    assert listed == sorted(one.digest for one in held)
    assert ask(rig, ListRequest(REVOCATION, b"")) == [revocation("everything").digest]


async def test_an_answer_holds_what_is_held_as_far_as_it_fits(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [consent(number, count=50) for number in range(4)]
    await rig.give(*held)
    wanted = GetRequest((b"\0" * 32, *(one.digest for one in held)))
    assert ask(rig, wanted) == [encode(one) for one in held]
    for limit, given in ((1, 1), (len(encode(held[0])) * 2 + 30, 2)):
        monkeypatch.setattr(answering, "BUNDLE_BYTES", limit)
        assert ask(rig, wanted) == [encode(one) for one in held[:given]]


async def test_of_what_is_not_held_nothing_is_given(rig: NodeRig) -> None:
    assert ask(rig, GetRequest((b"\0" * 32,))) == []
    assert ask(rig, ListRequest(CONSENT, b"")) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        pack([]),
        pack([3, 1, b""]),
        pack([1, 3, b""]),
        pack([1, 1, b"\0" * 31]),
        pack([2, 0, b""]),
        pack([2, 2, b"\0" * 32]),
        pack([2, 1_025, b"\0" * 32 * 1_025]),
        pack([1, 1, ""]),
        pack([1, 1, b"", 1]),
        b"\xdc\x00\x03" + pack([1, 1, b""])[1:],
        bytes(70_000),
    ],
)
def test_nonsense_is_refused(rig: NodeRig, body: bytes) -> None:
    with pytest.raises(SaysoError):
        answer(rig.store, body)
