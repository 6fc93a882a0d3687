"""Rules 7.2 and 7.4: what is rejected follows from the frame alone, so no honest node blames another."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.errors import ChainUnreachable
from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.interfaces import Judgement
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.sponsors import Quotas
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, REVOCATION, USE
from sayso_protocol.messages.wire import TOPICS, encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.signatures.contract_wallets import MARK
from sayso_protocol.signatures.wallets import EOA_SIGNATURE_BYTES
from support.holders import dispute, removal, sublicense, use
from support.node_rig import NOW, ManualClock, NodeRig, consent, node_key, revocation
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    WALLETS,
    a_consent,
    item_hashes,
    sign_digest,
    signed,
)
from support.tries import tries

CONSENTS, REVOCATIONS = TOPICS[CONSENT].on(NETWORK), TOPICS[REVOCATION].on(NETWORK)
STATEMENTS = TOPICS[USE].on(NETWORK)
REJECT = Judgement.REJECT
ACCEPTED, REFUSED = (1).to_bytes(32), (2).to_bytes(32)  # what WalletProbe says
EARLY = int(NOW) + 700  # too early for a clock that is right


class Wallets:
    """A chain whose contract wallets all say the same, or say nothing."""

    def __init__(self, says: bytes | None) -> None:
        self._says = says

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        if self._says is None:
            raise ChainUnreachable("there is no chain")
        return self._says


def by_another(one: Envelope) -> Envelope:
    return replace(one, signature=sign_digest(WALLETS[BEN], bytes(32)))


def by_contract(one: Envelope) -> Envelope:
    return replace(one, signature=bytes(EOA_SIGNATURE_BYTES + 35))


def by_no_contract(one: Envelope) -> Envelope:
    """The mark of ERC-6492 without its form."""
    return replace(one, signature=bytes(EOA_SIGNATURE_BYTES) + MARK)


def of_another_sponsor(one: Envelope) -> Envelope:
    return one.sponsored_by(node_key("another"))


def of_no_sponsor(one: Envelope) -> Envelope:
    other = consent(50).sponsor
    return replace(one, sponsor=other) if one.sponsor else one


def unsponsored(one: Envelope) -> Envelope:
    return replace(one, sponsor=None)


def unsigned(one: Envelope) -> Envelope:
    """As a contract wallet's statement (rule 4.8)."""
    return replace(one, signature=b"")


def both(one: Envelope) -> Envelope:
    return of_no_sponsor(by_contract(one))


CHANGES: list[Callable[[Envelope], Envelope]] = [
    lambda one: one,
    by_another,
    by_contract,
    by_no_contract,
    of_no_sponsor,
    unsponsored,
    unsigned,
    both,
]
ITEMS = item_hashes(1, 60)
ELSEWHERE = signed(a_consent(ITEMS), ITEMS, Network(NETWORK.chain_id + 1, NETWORK.registry))
SIGNED = {
    CONSENTS: [consent(1), consent(2), consent(5, issued_at=EARLY)],
    REVOCATIONS: [revocation("everything"), revocation("via a.test"), revocation(words={5: 1})],
    STATEMENTS: [
        sublicense(BEN, CLEO, [consent(1).digest]),
        use(CLEO, [consent(1).digest]),
        removal(BEN, [consent(2).digest]),
        dispute(CLEO, [ITEMS[0]], issued_at=EARLY),
    ],
}
WRONG = [encode(ELSEWHERE.sponsored_by(node_key("another"))), encode(consent(1))[:-1], b"garbage"]
RIGHT = st.just(CHANGES[0])


def bundles(topic: str) -> st.SearchStrategy[list[bytes]]:
    """Mostly right messages, and at most one that everybody must find wrong whatever else there is."""
    right = st.one_of(RIGHT, RIGHT, st.just(of_another_sponsor) if topic != REVOCATIONS else RIGHT)
    message = st.builds(lambda one, change: encode(change(one)), st.sampled_from(SIGNED[topic]), right)
    changed = st.builds(
        lambda one, change: encode(change(one)), st.sampled_from(SIGNED[topic]), st.sampled_from(CHANGES)
    )
    others = (encode(some[0]) for some in SIGNED.values())
    stray = st.sampled_from([*WRONG, *others])
    odd = st.one_of(changed, changed, changed, stray)
    return st.builds(
        lambda some, one, at: [*some[:at], one, *some[at:]],
        st.lists(message, max_size=2),
        odd,
        st.integers(0, 2),
    )


FRAMES = st.sampled_from([CONSENTS, REVOCATIONS, STATEMENTS]).flatmap(
    lambda topic: st.tuples(st.just(topic), bundles(topic).map(encode_bundle))
)
HISTORY = st.lists(
    st.tuples(
        st.sampled_from([one for some in SIGNED.values() for one in some]),
        st.one_of(RIGHT, RIGHT, st.sampled_from(CHANGES)),
        st.sampled_from(SourceChannel),
    ),
    max_size=5,
)
SAYS = st.sampled_from([None, ACCEPTED, REFUSED])


@settings(deadline=None, max_examples=tries(80))
@given(
    st.lists(FRAMES, min_size=1, max_size=4),
    st.tuples(HISTORY, HISTORY),
    st.tuples(SAYS, SAYS),
    st.tuples(st.sampled_from([-800, 0, 800]), st.sampled_from([-800, 0, 800])),
    st.sampled_from([Quotas(), Quotas(strangers=0)]),
)
async def test_no_two_nodes_disagree_about_what_is_rejected(
    tmp_path_factory: pytest.TempPathFactory,
    frames: list[tuple[str, bytes]],
    histories: tuple[list[tuple[Envelope, Callable[[Envelope], Envelope], SourceChannel]], ...],
    says: tuple[bytes | None, ...],
    errors_s: tuple[int, ...],
    quotas: Quotas,
) -> None:
    """Whatever they hold, remember, are set to, and whatever their clocks and chains say."""
    folder = tmp_path_factory.mktemp("blame")
    clocks = [ManualClock(NOW + one) for one in errors_s]
    tight = PendingRoom(pending=1, source=1)
    with (
        NodeRig(folder, name="a", clock=clocks[0], prober=Wallets(says[0])) as a,
        NodeRig(
            folder, name="b", clock=clocks[1], prober=Wallets(says[1]), room=tight, quotas=quotas
        ) as b,
    ):
        for rig, history in ((a, histories[0]), (b, histories[1])):
            for envelope, change, channel in history:
                await rig.give(change(envelope), source=channel)
        for topic, frame in frames:
            judged = [await rig.broadcast.on_frame(topic, frame, "peer") for rig in (a, b)]
            assert (judged[0] is REJECT) == (judged[1] is REJECT)


KNOWN, NEW = consent(1), consent(2)
STOP, NEW_STOP = revocation("everything"), revocation("via a.test")
STATED, NEW_STATED = use(BEN, [KNOWN.digest]), use(BEN, [NEW.digest])
TRICKS = {
    "a known consent of another wallet": (CONSENTS, [by_another(KNOWN), NEW]),
    "a known consent of no sponsor": (CONSENTS, [of_no_sponsor(KNOWN), NEW]),
    "a known consent of a contract wallet": (CONSENTS, [by_contract(KNOWN), NEW]),
    "a known revocation of another wallet": (REVOCATIONS, [by_another(STOP), NEW_STOP]),
    "a known revocation of a contract wallet": (REVOCATIONS, [by_contract(STOP), NEW_STOP]),
    "a known statement of another wallet": (STATEMENTS, [by_another(STATED), NEW_STATED]),
    "a known statement without signature": (STATEMENTS, [unsigned(STATED), NEW_STATED]),
    "a known statement of a contract wallet": (STATEMENTS, [by_contract(STATED)]),
    "a contract wallet's consent of no sponsor": (CONSENTS, [both(NEW)]),
}


@pytest.mark.parametrize("name", TRICKS)
async def test_a_trick_is_rejected_by_who_knows_the_digest_and_by_who_does_not(
    rig: NodeRig, name: str
) -> None:
    topic, messages = TRICKS[name]
    frame = encode_bundle([encode(one) for one in messages])
    await rig.give(consent(3))
    assert await rig.broadcast.on_frame(topic, frame, "peer") is REJECT
    rig.intake._failures.clear()
    await rig.give(KNOWN, STOP, STATED, source=SourceChannel.SYNC)
    assert await rig.broadcast.on_frame(topic, frame, "peer") is REJECT


async def test_a_known_message_with_another_right_signature_is_passed_on(rig: NodeRig) -> None:
    await rig.give(KNOWN)
    frame = encode_bundle([encode(of_another_sponsor(KNOWN)), encode(NEW)])
    assert await rig.broadcast.on_frame(CONSENTS, frame, "peer") is Judgement.ACCEPT


@pytest.mark.parametrize("channel", SourceChannel)
async def test_a_known_digest_under_a_wrong_signature_is_refused_at_every_door(
    rig: NodeRig, channel: SourceChannel
) -> None:
    await rig.give(KNOWN, STOP)
    for wrong in (by_another(KNOWN), of_no_sponsor(KNOWN), by_another(STOP)):
        [outcome] = await rig.give(wrong, source=channel)
        assert outcome.status is Status.REFUSED
        assert outcome.error
        assert outcome.error.code == "bad-signature"
    assert rig.digests() == {KNOWN.digest, STOP.digest}


async def test_nothing_of_a_bundle_on_the_wrong_topic_is_kept(rig: NodeRig) -> None:
    await rig.give(KNOWN)
    frame = encode_bundle([encode(NEW), encode(NEW_STOP)])
    for topic in (CONSENTS, REVOCATIONS):
        assert await rig.broadcast.on_frame(topic, frame, "peer") is REJECT
    assert rig.digests() == {KNOWN.digest}
    assert KNOWN.message.signer == ADA
