"""Signed consents to measure with: each of its own contributor, of a few marketplaces, over a month."""

import time
from dataclasses import replace

from eth_account import Account
from hexbytes import HexBytes

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.consent import RECHECK_HOURS, REMOVAL_DAYS, Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.primitives import ANYONE, HASH_BYTES, NOBODY, address_from_text, sha256

NETWORK = Network(31_337, bytes(range(20)))
ISSUED_AT = 1_760_000_000  # the latest of them
EXPIRES_AT = 1_790_000_000  # the earliest
BUYERS = [sha256(b"buyer %d" % number)[:20] for number in range(8)]
DAY_S = 86_400
_MONTH_S = 30 * 86_400
_MARKETPLACES = 5


def consent(number: int, items: int = 1, grantee: bytes = ANYONE) -> Envelope:
    """A consent of its own contributor, signed."""
    account = Account.from_key(sha256(b"bench %d" % number))
    contributor = address_from_text(account.address)
    hashes = tuple(sha256(b"%d/%d" % (number, index)) for index in range(items))
    moment = int.from_bytes(hashes[0][:4])
    message = Consent(
        contributor,
        (contributor,),
        grantee,
        f"market{number % _MARKETPLACES}.example",
        content_root(hashes),
        items,
        ("train-ai",),
        bytes(HASH_BYTES),
        "",
        NOBODY,
        ISSUED_AT - moment % _MONTH_S,
        EXPIRES_AT + moment % (10 * _MONTH_S),
        RECHECK_HOURS,
        REMOVAL_DAYS,
    )
    signed = account.unsafe_sign_hash(HexBytes(digest(message, NETWORK)))
    return Envelope(message, NETWORK, bytes(signed.signature), hashes)


def current(number: int, items: int, network: Network = NETWORK, grantee: bytes = ANYONE) -> Envelope:
    """One that holds today, on a network."""
    some, today = consent(number, items, grantee), int(time.time())
    assert isinstance(some.message, Consent)
    message = replace(some.message, issued_at=today - DAY_S, expires_at=today + DAY_S)
    account = Account.from_key(sha256(b"bench %d" % number))
    signature = bytes(account.unsafe_sign_hash(HexBytes(digest(message, network))).signature)
    return Envelope(message, network, signature, some.items)
