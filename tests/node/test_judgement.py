"""Rules 7.1 and 7.2: a heard bundle is accepted, ignored or rejected as a whole."""

from dataclasses import replace

import pytest

from sayso_node.interfaces import Judgement
from sayso_protocol.encoding.packing import pack
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.wire import TOPICS, encode_bundle
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import CLEO, NETWORK

CONSENTS, REVOCATIONS = TOPICS[CONSENT].on(NETWORK), TOPICS[REVOCATION].on(NETWORK)
ACCEPT, IGNORE, REJECT = Judgement.ACCEPT, Judgement.IGNORE, Judgement.REJECT
KNOWN, NEW, OTHER = encode(consent(1)), encode(consent(2)), encode(consent(3))
KNOWN_REVOCATION, NEW_REVOCATION = encode(revocation("everything")), encode(revocation("via kled.ai"))
UNSPONSORED = encode(consent(4, sponsor=None))
EARLY = encode(consent(5, issued_at=1_760_000_000))
STRANGER = encode(revocation("everything", contributor=CLEO))
UNJUDGED = encode(replace(revocation("via b.test"), signature=bytes(100)))
BAD = encode(replace(consent(6), signature=bytes(64) + b"\x1b"))

BUNDLES = {
    "all new": (CONSENTS, [NEW, OTHER], ACCEPT),
    "one new": (CONSENTS, [KNOWN, NEW], ACCEPT),
    "a new revocation": (REVOCATIONS, [KNOWN_REVOCATION, NEW_REVOCATION], ACCEPT),
    "new beside one from the future": (CONSENTS, [EARLY, NEW], ACCEPT),
    "new beside a contract wallet's": (REVOCATIONS, [NEW_REVOCATION, UNJUDGED], REJECT),
    "the same twice": (CONSENTS, [NEW, NEW], ACCEPT),
    "nothing new": (CONSENTS, [KNOWN], IGNORE),
    "of nobody known": (REVOCATIONS, [STRANGER], IGNORE),
    "of nobody known beside a new one": (REVOCATIONS, [STRANGER, NEW_REVOCATION], ACCEPT),
    "no new revocation": (REVOCATIONS, [KNOWN_REVOCATION], IGNORE),
    "from the future": (CONSENTS, [EARLY], IGNORE),
    "not to be judged": (REVOCATIONS, [UNJUDGED], IGNORE),
    "one bad among new": (CONSENTS, [NEW, BAD], REJECT),
    "without sponsor": (CONSENTS, [NEW, UNSPONSORED], REJECT),
    "garbage in it": (REVOCATIONS, [NEW_REVOCATION, b"garbage"], REJECT),
    "a consent among revocations": (REVOCATIONS, [NEW_REVOCATION, NEW], REJECT),
    "a known consent among revocations": (REVOCATIONS, [KNOWN], REJECT),
    "a future consent among revocations": (REVOCATIONS, [EARLY], REJECT),
    "revocations among consents": (CONSENTS, [NEW_REVOCATION], REJECT),
    "on a topic of nobody": (CONSENTS + "s", [NEW], REJECT),
}


@pytest.mark.parametrize("name", BUNDLES)
async def test_bundles(rig: NodeRig, name: str) -> None:
    topic, bundle, judgement = BUNDLES[name]
    await rig.give(consent(1), revocation("everything"))
    before = rig.digests()
    assert await rig.broadcast.on_frame(topic, encode_bundle(bundle), "peer") is judgement
    if judgement is ACCEPT:
        assert len(rig.digests()) > len(before)
    elif judgement is IGNORE:
        assert rig.digests() == before
    # Heard again, nothing in it is new; what was wrong is still wrong.
    again = await rig.broadcast.on_frame(topic, encode_bundle(bundle), "peer")
    assert again is (REJECT if judgement is REJECT else IGNORE)


FRAMES = {
    "nothing": b"",
    "no bundle": pack(7),
    "empty": pack([]),
    "of other things": pack([1, 2]),
    "not canonical": b"\xdc\x00\x01" + encode_bundle([NEW])[1:],
    "cut": encode_bundle([NEW])[:-1],
    "too large": encode_bundle([NEW, bytes(LIMITS.frame_bytes)]),
    "a huge array": b"\xdd\xff\xff\xff\xff",
}


@pytest.mark.parametrize("name", FRAMES)
async def test_what_is_no_bundle_is_rejected(rig: NodeRig, name: str) -> None:
    for topic in (CONSENTS, REVOCATIONS):
        assert await rig.broadcast.on_frame(topic, FRAMES[name], "peer") is REJECT
    assert rig.digests() == set()


async def test_what_is_good_in_a_rejected_bundle_is_kept(rig: NodeRig) -> None:
    """A revocation gets through whatever stands beside it."""
    await rig.give(consent(1))
    frame = encode_bundle([b"garbage", NEW_REVOCATION])
    assert await rig.broadcast.on_frame(REVOCATIONS, frame, "peer") is REJECT
    assert rig.digests() == {consent(1).digest, revocation("via kled.ai").digest}


async def test_a_store_that_fails_is_not_the_peers_fault(rig: NodeRig) -> None:
    rig.store.stop()
    assert await rig.broadcast.on_frame(CONSENTS, encode_bundle([NEW]), "peer") is IGNORE
