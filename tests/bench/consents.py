"""Signed consents to measure with."""

from eth_account import Account
from hexbytes import HexBytes

from sayso_protocol.envelope import Envelope
from sayso_protocol.merkle import content_root
from sayso_protocol.messages import Consent
from sayso_protocol.primitives import ANYONE, HASH_BYTES, NOBODY, address_from_text, sha256
from sayso_protocol.typed_data import Network, digest

NETWORK = Network(31_337, bytes(range(20)))
ISSUED_AT = 1_760_000_000
EXPIRES_AT = 1_790_000_000


def consent(number: int, items: int = 1) -> Envelope:
    """A consent of its own contributor, signed."""
    account = Account.from_key(sha256(b"bench %d" % number))
    contributor = address_from_text(account.address)
    hashes = tuple(sha256(b"%d/%d" % (number, index)) for index in range(items))
    message = Consent(
        contributor,
        (contributor,),
        ANYONE,
        "market.example",
        content_root(hashes),
        items,
        ("train-ai",),
        bytes(HASH_BYTES),
        "",
        NOBODY,
        ISSUED_AT,
        EXPIRES_AT,
    )
    signed = account.unsafe_sign_hash(HexBytes(digest(message, NETWORK)))
    return Envelope(message, NETWORK, bytes(signed.signature), hashes)
