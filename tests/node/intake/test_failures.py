"""What is remembered of failures: by bytes, few, and nothing but the error."""

from dataclasses import replace

import pytest

from sayso_node.intake import intake as intake_module
from sayso_node.intake.outcome import SourceChannel, Status
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.signatures.wallets import WalletVerifier
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import BEN, WALLETS, sign_digest


class Counted:
    """How many signatures were looked at."""

    def __init__(self) -> None:
        self.asked = 0


@pytest.fixture
def verifier(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted, check = Counted(), Envelope.check_signatures

    def counting(envelope: Envelope, wallets: WalletVerifier) -> None:
        counted.asked += 1
        check(envelope, wallets)

    monkeypatch.setattr(Envelope, "check_signatures", counting)
    return counted


def forged(envelope: Envelope, number: int = 0) -> bytes:
    """A victim's message with a stranger's signature; each number gives other bytes."""
    signature = sign_digest(WALLETS[BEN], number.to_bytes(32))
    return encode(replace(envelope, signature=signature))


@pytest.mark.parametrize("source", SourceChannel)
async def test_garbage_under_a_victims_digest_blocks_nothing(
    rig: NodeRig, source: SourceChannel
) -> None:
    """Rule 7.11: before, in the same bundle, and after."""
    for victim in (consent(1), revocation("everything")):
        bundle = [forged(victim), encode(victim), forged(victim, 1)]
        await rig.take(bundle[:1], source)
        outcomes = await rig.take(bundle, source)
        assert [one.status for one in outcomes][:2] == [Status.REFUSED, Status.STORED]
        assert outcomes[2].status is not Status.STORED
        assert victim.digest in rig.digests()


async def test_what_failed_is_not_verified_again(rig: NodeRig, verifier: Counted) -> None:
    for _ in range(5):
        await rig.take([forged(consent(1))], SourceChannel.GOSSIP)
    assert verifier.asked == 1


async def test_what_is_known_is_not_verified_again(rig: NodeRig, verifier: Counted) -> None:
    for _ in range(5):
        await rig.give(consent(1), revocation("everything"))
    assert verifier.asked == 2


async def test_failures_are_forgotten_in_the_order_they_came(
    rig: NodeRig, verifier: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "REMEMBERED_FAILURES", 10)
    for number in range(50):
        await rig.take([forged(consent(1), number)], SourceChannel.GOSSIP)
    assert len(rig.intake._failures) == 10
    assert verifier.asked == 50
    for number in range(40, 50):
        await rig.take([forged(consent(1), number)], SourceChannel.GOSSIP)
    assert verifier.asked == 50
    await rig.take([forged(consent(1), 39)], SourceChannel.GOSSIP)
    assert verifier.asked == 51


async def test_what_may_be_right_later_is_not_remembered(rig: NodeRig) -> None:
    early = consent(1, issued_at=int(rig.clock.now()) + 700)
    unjudged = replace(revocation("everything"), signature=bytes(100))
    await rig.give(early, unjudged)
    await rig.give(consent(2, sponsor=None), source=SourceChannel.SYNC)
    assert len(rig.intake._failures) == 0


async def test_a_remembered_failure_holds_no_message(rig: NodeRig) -> None:
    """A raised error keeps the frames it went through, with the message in them: 64 KiB each."""
    bad = encode(consent(1, count=1_000)) + b"\0"
    await rig.take([bad], SourceChannel.GOSSIP)
    for _ in range(2):
        [outcome] = await rig.take([bad], SourceChannel.GOSSIP)
        error = outcome.error
        assert error
        assert (error.code, error.__traceback__, error.__cause__) == ("malformed", None, None)
        with pytest.raises(type(error)):
            raise error  # as sync does
