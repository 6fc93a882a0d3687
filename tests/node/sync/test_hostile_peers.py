"""Whatever a peer answers: the round fails, nothing becomes fresh, and what was good is kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from node.sync.peers import Lie, Peer
from sayso_node.errors import PeerUnreachable
from sayso_node.sync import talk
from sayso_protocol.encoding.packing import pack
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.sync.answers import BUNDLE_BYTES
from sayso_protocol.sync.requests import (
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    RangeRequest,
    Request,
)
from support.node_rig import NodeRig, consent, revocation

HELD = [consent(1), consent(2), consent(3)]
GOOD = revocation("everything")  # comes last, and is good
BEFORE = consent(8)  # makes it matter
LAST = max(one.digest for one in HELD)


def on(kind: type[Request], answer: Callable[..., bytes | None]) -> Lie:
    """Lies to one sort of question about consents, and else tells the truth."""

    def lie(request: Request) -> bytes | None:
        is_revocations = getattr(request, "kind", CONSENT) == REVOCATION
        return answer(request) if isinstance(request, kind) and not is_revocations else None

    return lie


def always(body: bytes) -> Callable[[Request], bytes]:
    return lambda _request: body


def given(*envelopes: bytes) -> Lie:
    """Gives this, however the consents are asked for."""
    get, ranged = on(GetRequest, always(pack(list(envelopes)))), on(RangeRequest, _first(envelopes))
    return lambda request: get(request) or ranged(request)


def _first(envelopes: Sequence[bytes]) -> Callable[[RangeRequest], bytes]:
    return lambda request: pack([] if request.after and not envelopes else list(envelopes))


def refusing(_request: Request) -> bytes:
    raise PeerUnreachable("gone in the middle")


def random_fingerprints(request: FingerprintsRequest) -> bytes:
    return pack(Random(repr(request)).randbytes(5 * len(request.nodes) << request.step))


FORGED = encode(replace(HELD[0], signature=bytes(64) + b"\x1b"))
LIES: dict[str, Lie] = {
    "shows one that it does not give": on(RangeRequest, always(pack([]))),
    "gives others than were asked for": given(encode(consent(7))),
    "gives garbage": given(b"\xc1garbage"),
    "gives no bundle": on(RangeRequest, always(pack(7))),
    "gives a forged one": given(FORGED),
    "gives a forged one among good ones": given(*map(encode, HELD), FORGED),
    "gives a consent without sponsor": given(encode(consent(1, sponsor=None))),
    "gives too much": on(RangeRequest, always(bytes(BUNDLE_BYTES + 1))),
    "gives nothing at all": on(RangeRequest, always(b"")),
    "hangs up in the middle": on(RangeRequest, refusing),
    "gives the same range for ever": on(RangeRequest, always(pack([encode(HELD[0])]))),
    "random fingerprints": on(FingerprintsRequest, random_fingerprints),
    "too few fingerprints": on(FingerprintsRequest, always(pack(bytes(5)))),
    "too many fingerprints": on(FingerprintsRequest, always(pack(bytes(500)))),
    "fingerprints that are none": on(FingerprintsRequest, always(pack(["a"]))),
    "nothing at all": on(FingerprintsRequest, always(b"")),
    "an endless array": on(FingerprintsRequest, always(b"\xdd\xff\xff\xff\xff")),
    "a check that is none": on(CheckRequest, always(pack(b"short"))),
}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, peers=["peer"]) as rig:
        yield rig


def never_synced(rig: NodeRig) -> bool:
    return rig.freshness._peers_begun == {"peer": float("-inf")}


@pytest.mark.parametrize("name", LIES)
async def test_a_round_with_a_liar_fails_and_makes_nothing_fresh(rig: NodeRig, name: str) -> None:
    await rig.give(BEFORE)
    peer = Peer(rig, holds=[BEFORE, *HELD, GOOD] if "check" not in name else [BEFORE, GOOD])
    peer.lie = LIES[name]
    assert not await rig.rounds.round("peer")
    assert (rig.count("sync_rounds"), rig.count("sync_failed")) == (0, 1)
    assert never_synced(rig)
    assert GOOD.digest in rig.digests()
    assert rig.digests() <= {one.digest for one in [*HELD, GOOD, BEFORE, consent(7)]}
    # The same peer, honest again, is as good as any other.
    peer.lie, peer.holds = (lambda _request: None), [BEFORE, *HELD, GOOD]
    await rig.rounds.round("peer")
    assert rig.count("sync_rounds") == 1
    assert {one.digest for one in [*HELD, GOOD]} <= rig.digests()


async def test_a_peer_that_is_not_there_or_says_nothing(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "REQUEST_TIMEOUT_S", 0.05)
    await rig.rounds.round("peer")
    Peer(rig).silent = True
    await rig.rounds.round("peer")
    assert rig.count("sync_failed") == 2
    assert never_synced(rig)


async def test_whatever_is_wrong_with_a_consent_revocations_get_through(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[*HELD, GOOD])
    await rig.give(BEFORE)
    peer.lie = LIES["random fingerprints"]
    assert not await rig.rounds.round("peer")
    assert GOOD.digest in rig.digests()


async def test_an_old_success_is_no_answer_for_a_later_failure(rig: NodeRig) -> None:
    peer = Peer(rig, holds=[GOOD])
    await rig.rounds.round("peer")
    before = rig.freshness._peers_begun["peer"]
    rig.clock.time += 100
    peer.holds += HELD
    peer.lie = LIES["shows one that it does not give"]
    await rig.rounds.round("peer")
    assert rig.freshness._peers_begun["peer"] == before


async def test_our_own_store_failing_is_a_failed_round(rig: NodeRig) -> None:
    Peer(rig, holds=[GOOD])
    rig.store.stop()
    await rig.rounds.round("peer")
    assert rig.count("sync_failed") == 1
    assert never_synced(rig)
