"""Consents as they are signed: as few as possible, and exactly what EIP-712 wallets would sign."""

from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from sayso.contributor.licensing import Terms, build_consents, grant, sign_message
from sayso.files import HashedFile
from sayso_protocol.errors import InvalidConsent, InvalidPurpose, InvalidScope
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode, encode
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import ANYONE, address_from_text, keccak, sha256
from sayso_protocol.signatures.wallets import EoaVerifier

NETWORK = Network(31_337, bytes(range(20)))
ACCOUNT = Account.from_key(keccak(b"ada"))
ADA = address_from_text(ACCOUNT.address)
NOW = 1_760_000_000
TERMS = Terms(ANYONE, ("train-ai", "resale", "train-ai"), NOW + 1_000, via="kled.ai")


def files(count: int) -> list[HashedFile]:
    return [HashedFile(Path(str(one)), sha256(b"%d" % one)) for one in range(count)]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (1024, [1024]), (1025, [1024, 1]), (2500, [1024, 1024, 452])]
)
def test_as_few_consents_as_hold_the_items(count: int, sizes: list[int]) -> None:
    granted = grant(ACCOUNT, NETWORK, files(count), TERMS, NOW)
    assert [len(one.items) for one in granted.envelopes] == sizes
    licenses = {one.digest: one for one in granted.envelopes}
    assert all(file.item in licenses[license_hash].items for file, license_hash in granted.rows)
    assert [file.path for file, _ in granted.rows] == [file.path for file in files(count)]
    for envelope in granted.envelopes:
        envelope.check_signatures(EoaVerifier())
        assert decode(encode(envelope), NETWORK) == envelope


def test_identical_files_are_one_item() -> None:
    same = [HashedFile(Path(name), sha256(b"")) for name in ("a", "b", "c")]
    granted = grant(ACCOUNT, NETWORK, same, TERMS, NOW)
    assert [len(one.items) for one in granted.envelopes] == [1]
    assert len(granted.rows) == 3
    assert len({license_hash for _, license_hash in granted.rows}) == 1


def test_the_terms_are_those_given() -> None:
    other = b"\xff" * 20
    terms = Terms(
        b"\x07" * 20, ("b", "a", "b"), NOW + 9, "x.y", (other, ADA), other, b"t" * 32, "https://x.y/t",
        24, 7,
    )  # fmt: skip
    ((consent, items),) = build_consents(ADA, [b"i" * 32, b"i" * 32], terms, NOW)
    assert items == (b"i" * 32,)
    assert consent == Consent(
        ADA, tuple(sorted([ADA, other])), b"\x07" * 20, "x.y", consent.content, 1, ("a", "b"),
        b"t" * 32, "https://x.y/t", other, NOW, NOW + 9, 24, 7,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        (InvalidConsent, {"expires_at": NOW}),
        (InvalidConsent, {"expires_at": NOW + 4_000 * 86_400}),
        (InvalidConsent, {"recheck_hours": 0}),
        (InvalidConsent, {"recheck_hours": 8_761}),
        (InvalidConsent, {"removal_days": 0}),
        (InvalidConsent, {"removal_days": 366}),
        (InvalidConsent, {"purposes": ()}),
        (InvalidConsent, {"purposes": tuple(f"p{n}" for n in range(17))}),
        (InvalidPurpose, {"purposes": ("Train AI",)}),
        (InvalidScope, {"via": "Kled.AI"}),
        (InvalidConsent, {"terms_uri": "http://x.y"}),
        (InvalidConsent, {"parties": tuple(bytes([n]) * 20 for n in range(1, 18))}),
    ],
)
def test_terms_that_nobody_may_sign(error: type[Exception], changes: dict[str, object]) -> None:
    values = {"grantee": ANYONE, "purposes": ("train-ai",), "expires_at": NOW + 1} | changes
    with pytest.raises(error):
        grant(ACCOUNT, NETWORK, files(1), Terms(**values), NOW)  # type: ignore[arg-type]


def consent() -> Consent:
    return next(build_consents(ADA, [b"i" * 32], TERMS, NOW))[0]


@pytest.mark.parametrize(
    "message",
    [
        consent(),
        Revocation(ADA, ("everything", "via kled.ai for resale")),
        Revocation(ADA, (), (1, 2), (3, 1 << 255)),
    ],
)
def test_signed_as_a_wallet_would(message: Message) -> None:
    """eth-account's own EIP-712 is the oracle."""
    items = (b"i" * 32,) if isinstance(message, Consent) else ()
    ours = sign_message(ACCOUNT, message, NETWORK, items)
    theirs = ACCOUNT.sign_message(encode_typed_data(full_message=typed_data(message, NETWORK)))
    assert ours.signature == bytes(theirs.signature)
    ours.check_signatures(EoaVerifier())
