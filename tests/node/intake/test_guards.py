"""Rules 7.4 to 7.9: what is refused, with which code, at which door, and that nothing of it is kept."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sayso_node.intake.outcome import SourceChannel, Status
from sayso_protocol.encoding.packing import pack
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.primitives import keccak
from support.held_bits import bits_of
from support.node_rig import NOW, NodeRig, consent, node_key, revocation
from support.packed import unpack
from support.protocol_strategies import (
    ADA,
    BEN,
    NETWORK,
    WALLETS,
    a_consent,
    item_hashes,
    sign_digest,
    signed,
)
from support.tries import tries

ELSEWHERE = (
    Network(NETWORK.chain_id + 1, NETWORK.registry),
    Network(NETWORK.chain_id, keccak(b"another registry")[12:]),
)


def by_another_wallet(envelope: Envelope) -> Envelope:
    return replace(envelope, signature=sign_digest(WALLETS[BEN], envelope.digest))


def with_sponsor_of(envelope: Envelope, other: Envelope) -> Envelope:
    return replace(envelope, sponsor=other.sponsor)


def on(network: Network) -> Envelope:
    items = item_hashes(1, 1)
    return signed(a_consent(items), items, network).sponsored_by(node_key("another"))


def changed(envelope: Envelope, field: int, change: Callable[[list[object]], object]) -> bytes:
    """The canonical bytes with one field of the envelope changed."""
    value = unpack(encode(envelope))
    value[field] = change(value[field])
    return pack(value)


def other_notice(struct: list[object]) -> list[object]:
    return ["I allow nothing at all.", *struct[1:]]


def not_canonical(envelope: Envelope) -> bytes:
    """The array header in its long form."""
    return b"\xdc\x00\x07" + encode(envelope)[1:]


STOP = Revocation(ADA, ("everything",))


class Case(NamedTuple):
    code: str
    data: bytes


CASES = {
    "nothing": Case("malformed", b""),
    "no msgpack": Case("malformed", b"\xc1" * 40),
    "another value": Case("malformed", pack([1, 2, 3])),
    "unknown version": Case("malformed", changed(consent(1), 0, lambda _: 2)),
    "unknown kind": Case("malformed", changed(consent(1), 1, lambda _: 3)),
    "a field too many": Case("malformed", pack([*unpack(encode(consent(1))), 1])),
    "truncated": Case("malformed", encode(consent(1))[:-1]),
    "followed by more": Case("malformed", encode(consent(1)) + b"\xc0"),
    "not canonical": Case("not-canonical", not_canonical(consent(1))),
    "not canonical revocation": Case("not-canonical", not_canonical(revocation("everything"))),
    "oversized": Case("too-large", encode(consent(1)) + bytes(LIMITS.message_bytes)),
    "another chain": Case("wrong-network", encode(on(ELSEWHERE[0]))),
    "another registry": Case("wrong-network", encode(on(ELSEWHERE[1]))),
    "a revocation for another registry": Case(
        "wrong-network", encode(signed(STOP, network=Network(31_337, b"\x11" * 20)))
    ),
    "a revocation under chain id 0": Case(
        "malformed", changed(revocation("everything"), 5, lambda place: [0, place[1]])
    ),
    "a revocation under chain id 2^53": Case(
        "malformed", changed(revocation("everything"), 5, lambda place: [1 << 53, place[1]])
    ),
    "a revocation for no network": Case(
        "malformed", changed(revocation("everything"), 5, lambda _: None)
    ),
    "a revocation under a chain id that was not signed": Case(
        "bad-signature", changed(revocation("everything"), 5, lambda place: [1, place[1]])
    ),
    "a notice that says less": Case("invalid-consent", changed(consent(1), 2, other_notice)),
    "an item missing": Case("invalid-consent", changed(consent(1, count=2), 3, lambda items: items[:1])),
    "other items": Case("invalid-consent", changed(consent(1), 3, lambda _: list(item_hashes(1, 2)))),
    "another notice to revoke": Case(
        "invalid-revocation", changed(revocation("everything"), 2, other_notice)
    ),
    "a stranger's consent": Case("bad-signature", encode(by_another_wallet(consent(1)))),
    "a stranger's revocation": Case(
        "bad-signature", encode(by_another_wallet(revocation("everything")))
    ),
    "a short signature": Case("bad-signature", encode(replace(consent(1), signature=b"\1" * 64))),
    "no signature": Case("bad-signature", encode(replace(revocation("everything"), signature=b""))),
    "somebody else's sponsorship": Case(
        "bad-signature", encode(with_sponsor_of(consent(1), consent(2)))
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_anybody_can_see_to_be_wrong(rig: NodeRig, name: str) -> None:
    case = CASES[name]
    for source in SourceChannel:
        rig.intake._failures.clear()
        for _ in range(2):  # the second time it is remembered, and the answer is the same
            [outcome] = await rig.take([case.data], source)
            assert outcome.status is Status.REFUSED
            assert outcome.error
            assert outcome.error.code == case.code
    assert rig.digests() == set()
    assert rig.count("intake_refused") == 6


@pytest.mark.parametrize("chain_id", [1, 31_336, (1 << 53) - 1])
@pytest.mark.parametrize("source", SourceChannel)
async def test_a_revocation_from_another_chain_stops(
    rig: NodeRig, source: SourceChannel, chain_id: int
) -> None:
    """Rule 6.2.5, at every door; under two chain ids it is two messages, which set the same bits."""
    held = consent(1)
    await rig.give(held)
    [outcome] = await rig.give(signed(STOP, network=Network(chain_id, NETWORK.registry)), source=source)
    assert outcome.status is Status.STORED
    with rig.store.read() as db:
        assert bits_of(db, ADA) == STOP.bits
    [again] = await rig.give(signed(STOP), source=source)
    assert again.status is Status.KNOWN


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (SourceChannel.HTTP, None),
        (SourceChannel.GOSSIP, "not-sponsored"),
        (SourceChannel.SYNC, "not-sponsored"),
    ],
)
async def test_only_our_own_door_takes_a_consent_without_sponsor(
    rig: NodeRig, source: SourceChannel, code: str | None
) -> None:
    [outcome] = await rig.give(consent(1, sponsor=None), source=source)
    assert (outcome.error.code if outcome.error else None) == code
    assert len(rig.digests()) == (0 if code else 1)


async def test_what_a_peer_may_not_send_its_author_may(rig: NodeRig) -> None:
    """A peer that sends a victim's unsponsored bytes first does not close our door to the victim."""
    mine = consent(1, sponsor=None)
    for source in (SourceChannel.GOSSIP, SourceChannel.SYNC):
        [refused] = await rig.give(mine, source=source)
        assert refused.status is Status.REFUSED
    [outcome] = await rig.give(mine)
    assert outcome.status is Status.STORED


@pytest.mark.parametrize("source", SourceChannel)
async def test_a_future_date_is_refused_until_it_is_near(rig: NodeRig, source: SourceChannel) -> None:
    early = consent(1, issued_at=int(NOW) + LIMITS.clock_skew_s + 1)
    for _ in range(2):
        [refused] = await rig.give(early, source=source)
        assert refused.error
        assert refused.error.code == "from-the-future"
    rig.clock.time += 0.5
    [refused] = await rig.give(early, source=source)
    assert refused.status is Status.REFUSED
    rig.clock.time += 0.5
    [outcome] = await rig.give(early, source=source)
    assert outcome.status is Status.STORED


@pytest.mark.parametrize("source", SourceChannel)
async def test_a_wallet_that_cannot_be_judged_yet_is_nobodys_fault(
    rig: NodeRig, source: SourceChannel
) -> None:
    [outcome] = await rig.give(replace(revocation("everything"), signature=bytes(100)), source=source)
    assert outcome.error
    assert outcome.error.code == "unsupported"
    assert rig.digests() == set()


@settings(
    deadline=None, max_examples=tries(60), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from([consent(1, count=3), revocation("everything", words={5: 1})]), st.data())
async def test_no_cut_or_flipped_bytes_get_in(
    rig: NodeRig, envelope: Envelope, data: st.DataObject
) -> None:
    whole = encode(envelope)
    end = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    for outcome in await rig.take([whole[:end], bytes(flipped)], SourceChannel.SYNC):
        assert outcome.status is Status.REFUSED
    assert rig.digests() == set()


def test_the_cases_are_wrong_in_one_thing_only() -> None:
    """Their unbroken forms are good: otherwise the cases would prove nothing."""
    for envelope in (consent(1), consent(1, count=2), revocation("everything"), on(ELSEWHERE[0])):
        assert envelope.message.signer == ADA
        assert digest(envelope.message, envelope.network) == envelope.digest
