"""Whatever a peer answers: the round fails, nothing becomes fresh, and what was good is kept."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.sync.peers import Peer
from sayso_node.errors import PeerUnreachable
from sayso_node.sync import asking
from sayso_protocol.envelope import encode
from sayso_protocol.packing import pack
from sayso_protocol.reconcile import BUNDLE_BYTES, PAGE, GetRequest, ListRequest, Request
from support.node_rig import NodeRig, consent, revocation

HELD = [consent(1), consent(2), consent(3)]
GOOD = revocation("everything")  # comes first, and is good
LAST = max(one.digest for one in HELD)
Answer = bytes | Callable[[Request], bytes]


def listing(*digests: bytes) -> Callable[[Request], bytes | None]:
    """Lists these consents whatever is asked."""

    def lie(request: Request) -> bytes | None:
        is_consents = isinstance(request, ListRequest) and request.kind == 1
        return pack(list(digests)) if is_consents else None

    return lie


def giving(body: bytes) -> Callable[[Request], bytes | None]:
    """Gives this whenever the consents are asked for."""

    def lie(request: Request) -> bytes | None:
        is_consents = isinstance(request, GetRequest) and LAST in request.digests
        return body if is_consents else None

    return lie


def listing_raw(body: bytes) -> Callable[[Request], bytes | None]:
    def lie(request: Request) -> bytes | None:
        return body if isinstance(request, ListRequest) and request.kind == 1 else None

    return lie


def others() -> bytes:
    """All but one of what is asked for."""
    return pack([encode(one) for one in HELD if one.digest != LAST])


def refusing(request: Request) -> bytes | None:
    if isinstance(request, GetRequest) and LAST in request.digests:
        raise PeerUnreachable("gone in the middle")
    return None


FORGED = encode(replace(HELD[0], signature=bytes(64) + b"\x1b"))
LIES = {
    "lists one that it does not give": giving(others()),
    "gives none": giving(pack([])),
    "gives another": giving(pack([encode(consent(7))])),
    "gives what it gave before": giving(pack([encode(GOOD)])),
    "gives garbage": giving(b"\xc1garbage"),
    "gives no bundle": giving(pack(7)),
    "gives things that are no messages": giving(pack([b"garbage"])),
    "gives a forged one": giving(pack([FORGED])),
    "gives a forged one among good ones": giving(pack([*map(encode, HELD), FORGED])),
    "gives a consent without sponsor": giving(pack([encode(consent(1, sponsor=None))])),
    "gives too much": giving(bytes(BUNDLE_BYTES + 1)),
    "gives nothing at all": giving(b""),
    "hangs up in the middle": refusing,
    "lists what does not exist": listing(b"\1" * 32),
    "lists downwards": listing(b"\2" * 32, b"\1" * 32),
    "lists one twice": listing(b"\2" * 32, b"\2" * 32),
    "lists the same page for ever": listing(*sorted(one.digest for one in HELD)),
    "lists short digests": listing(b"\1" * 31),
    "lists too many": listing_raw(pack([number.to_bytes(32) for number in range(1, PAGE + 2)])),
    "lists numbers": listing_raw(pack([1, 2])),
    "lists no list": listing_raw(pack(b"\1" * 32)),
    "lists garbage": listing_raw(b"\xdd\xff\xff\xff\xff"),
    "lists nothing at all": listing_raw(b""),
}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, peers=["peer"]) as rig:
        yield rig


def never_synced(rig: NodeRig) -> bool:
    return rig.freshness._peers_begun == {"peer": float("-inf")}


@pytest.mark.parametrize("name", LIES)
async def test_a_round_with_a_liar_fails_and_makes_nothing_fresh(rig: NodeRig, name: str) -> None:
    peer = Peer(rig, holds=[*HELD, GOOD])
    peer.lie = LIES[name]
    await rig.rounds.round("peer")
    assert (rig.count("sync_rounds"), rig.count("sync_failed")) == (0, 1)
    assert never_synced(rig)
    assert GOOD.digest in rig.digests()
    assert rig.digests() <= {one.digest for one in [*HELD, GOOD, consent(7)]}
    # The same peer, honest again, is as good as any other.
    peer.lie = lambda _request: None
    await rig.rounds.round("peer")
    assert rig.count("sync_rounds") == 1
    assert {one.digest for one in [*HELD, GOOD]} <= rig.digests()


async def test_a_peer_that_is_not_there_or_says_nothing(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "REQUEST_TIMEOUT_S", 0.05)
    await rig.rounds.round("peer")
    Peer(rig).silent = True
    await rig.rounds.round("peer")
    assert rig.count("sync_failed") == 2
    assert never_synced(rig)


async def test_what_came_before_the_lie_is_kept(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[*HELD, GOOD])
    peer.lie = LIES["lists one that it does not give"]
    await rig.rounds.round("peer")
    assert rig.digests() == {one.digest for one in [*HELD, GOOD] if one.digest != LAST}


async def test_an_old_success_is_no_answer_for_a_later_failure(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[GOOD])
    await rig.rounds.round("peer")
    before = rig.freshness._peers_begun["peer"]
    rig.clock.time += 100
    peer.holds += HELD
    peer.lie = LIES["gives none"]
    await rig.rounds.round("peer")
    assert rig.freshness._peers_begun["peer"] == before


async def test_our_own_store_failing_is_a_failed_round(rig: NodeRig) -> None:
    Peer(rig, holds=[GOOD])
    rig.store.stop()
    await rig.rounds.round("peer")
    assert rig.count("sync_failed") == 1
    assert never_synced(rig)
