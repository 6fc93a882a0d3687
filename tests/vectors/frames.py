"""Vectors of bundles, read as a peer reads them (rules 7.1, 7.4 to 7.8): what is in them, or a code."""

from dataclasses import replace
from typing import Any

from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import FromTheFuture, SaysoError
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import check_company, decode_bundle
from sayso_protocol.primitives import hex_text
from sayso_protocol.signatures.wallets import EoaVerifier
from support.protocol_strategies import ADA, BEN, NETWORK, NODE, a_consent, item_hashes, signed

Json = dict[str, Any]
NOW = 1_700_000_000
ITEMS = item_hashes(3)
CONSENT = signed(a_consent(ITEMS), ITEMS).sponsored_by(NODE)
OTHER = signed(a_consent(ITEMS, contributor=BEN, parties=(BEN,)), ITEMS).sponsored_by(NODE)
STOP, STOP_OF_BEN = (signed(Revocation(person, ("everything",))) for person in (ADA, BEN))


def _dated(ahead: int) -> Envelope:
    consent = a_consent(ITEMS, issued_at=NOW + ahead)
    return signed(consent, ITEMS).sponsored_by(NODE)


def _cases() -> dict[str, bytes]:
    first, second = encode(CONSENT), encode(OTHER)
    wallets = encode(replace(STOP, signature=bytes(66)))
    return {
        "a revocation": pack([encode(STOP)]),
        "two revocations": pack([encode(STOP), encode(STOP_OF_BEN)]),
        "two consents": pack([first, second]),
        "a consent from ten minutes ahead": pack([encode(_dated(600))]),
        "a consent from a second more ahead": pack([encode(_dated(601))]),
        "nothing": pack([]),
        "no array": first,
        "a message alone": pack(first),
        "text for bytes": pack(["message"]),
        "an array that is not canonical": b"\xdc\x00\x01" + pack(first),
        "1,025 messages": pack([b"\xc0"] * (LIMITS.items + 1)),
        "65,545 bytes": pack([bytes(LIMITS.frame_bytes - 4)]),
        "one good, one truncated": pack([first, second[:-1]]),
        "one good, of another signer": pack([encode(STOP), encode(replace(STOP, signature=bytes(65)))]),
        "a consent without a sponsor": pack([encode(replace(CONSENT, sponsor=None))]),
        "a contract wallet's in company": pack([encode(STOP), wallets]),
        "a contract wallet's alone": pack([wallets]),
    }


def _read(frame: bytes) -> list[Envelope]:
    """As a peer without a chain reads it at NOW."""
    envelopes = [decode(data, NETWORK) for data in decode_bundle(frame)]
    check_company(envelopes)
    for envelope in envelopes:
        if isinstance(envelope.message, Consent):
            envelope.check_sponsored()
        envelope.check_signatures(EoaVerifier())
        issued = getattr(envelope.message, "issued_at", 0)
        if issued > NOW + LIMITS.clock_skew_s:
            raise FromTheFuture(f"issued at {issued}")
    return envelopes


def _case(name: str, frame: bytes) -> Json:
    case: Json = {"name": name, "frame": hex_text(frame)}
    try:
        return case | {"digests": [hex_text(one.digest) for one in _read(frame)]}
    except SaysoError as error:
        return case | {"code": error.code}


def bundles() -> Json:
    """Frames with the digests of their messages, or the code of the refusal of one of them."""
    return {"now": NOW, "frames": [_case(name, frame) for name, frame in _cases().items()]}
