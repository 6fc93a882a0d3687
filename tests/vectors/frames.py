"""Vectors of bundles, read as a peer reads them (rules 7.1, 7.4 to 7.8): what is in them, or a code.

Where two rules refuse a bundle, one is an [IGNORE] of a message, and the other a [REJECT] of a message
behind it: the [REJECT] counts (rule 7.4.2).
"""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import FromTheFuture, Malformed, SaysoError, Unsupported
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.wire import TOPICS, Topic, check_topic, decode_bundle
from sayso_protocol.primitives import hex_text
from sayso_protocol.signatures.contract_wallets import MARK
from sayso_protocol.signatures.wallets import EoaVerifier
from support.holders import LABS, dispute, sublicense, use
from support.protocol_strategies import ADA, BEN, NETWORK, NODE, a_consent, item_hashes, signed

Json = dict[str, Any]
NOW = 1_700_000_000
ITEMS = tuple(sorted(item_hashes(3)))
CONSENT = signed(a_consent(ITEMS), ITEMS).sponsored_by(NODE)
OTHER = signed(a_consent(ITEMS, contributor=BEN, parties=(BEN,)), ITEMS).sponsored_by(NODE)
SUBLICENSE, USE = sublicense(BEN, LABS[0], ITEMS), use(BEN, ITEMS)
DISPUTE = dispute(ADA, ITEMS)
STOP, STOP_OF_BEN = (signed(Revocation(person, ("everything",))) for person in (ADA, BEN))


def _dated(ahead: int) -> Envelope:
    consent = a_consent(ITEMS, issued_at=NOW + ahead)
    return signed(consent, ITEMS).sponsored_by(NODE)


def _filled(size: int) -> bytes:
    """A bundle of two consents that has this size."""
    many, number = item_hashes(1_024), 1_024
    while True:
        rest = item_hashes(number, 1)
        number -= 1
        spare = size - len(_two(many, rest, "https://" + "k" * 300))
        if 0 <= spare <= 1_500:
            return _two(many, rest, "https://" + "k" * (300 + spare))


def _two(first: tuple[bytes, ...], second: tuple[bytes, ...], uri: str) -> bytes:
    consents = ((a_consent(first), first), (a_consent(second, terms_uri=uri), second))
    return pack([encode(signed(*one).sponsored_by(NODE)) for one in consents])


def _of_statements() -> dict[str, bytes]:
    first, second, third = (encode(one) for one in (SUBLICENSE, USE, DISPUTE))
    endorsed = encode(sublicense(BEN, LABS[0], ITEMS, endorsed=True))
    bare = encode(replace(USE, sponsor=None))
    late = [encode(use(BEN, ITEMS, used_at=NOW + ahead)) for ahead in (600, 601)]
    return {
        "statements of several kinds": pack([first, second, third]),
        "a use from ten minutes ahead": pack(late[:1]),
        "a use from a second more ahead": pack(late[1:]),
        "a dispute from a second more ahead": pack([encode(dispute(ADA, ITEMS, issued_at=NOW + 601))]),
        "a statement without a sponsor": pack([first, bare]),
        "an endorsed statement alone": pack([endorsed]),
        "an endorsed statement in company": pack([first, endorsed]),
        "one endorsed, one truncated": pack([endorsed, second[:-1]]),
        "a statement, then a consent": pack([first, encode(CONSENT)]),
        "a statement, then a revocation": pack([first, encode(STOP)]),
        "a revocation among statements": pack([encode(STOP)]),
    }


def _of_consents() -> dict[str, bytes]:
    first, second, early = encode(CONSENT), encode(OTHER), encode(_dated(601))
    unsaid, no_sponsor = replace(CONSENT, signature=bytes(66)), replace(CONSENT, sponsor=None)
    others = replace(CONSENT, sponsor=OTHER.sponsor)
    return {
        "two consents": pack([first, second]),
        "a consent from ten minutes ahead": pack([encode(_dated(600))]),
        "a consent from a second more ahead": pack([early]),
        "nothing": pack([]),
        "no array": first,
        "a message alone": pack(first),
        "text for bytes": pack(["message"]),
        "an array that is not canonical": b"\xdc\x00\x01" + pack(first),
        "1,025 messages": pack([b"\xc0"] * (LIMITS.items + 1)),
        "65,544 bytes": _filled(LIMITS.frame_bytes),
        "65,545 bytes": _filled(LIMITS.frame_bytes + 1),
        "an empty message": pack([b""]),
        "a consent twice": pack([first, first]),
        "one good, one truncated": pack([first, second[:-1]]),
        "a consent without a sponsor": pack([encode(no_sponsor)]),
        "a contract wallet's consent of another sponsor": pack(
            [encode(replace(unsaid, sponsor=OTHER.sponsor))]
        ),
        "one too early, one good": pack([early, first]),
        "one too early, one of another signer": pack(
            [early, encode(replace(CONSENT, signature=bytes(65)))]
        ),
        "one too early, one of another sponsor": pack([early, encode(others)]),
        "one too early, one without a sponsor": pack([early, encode(no_sponsor)]),
        "one too early, one a contract wallet's": pack([early, encode(unsaid)]),
        "a consent, then a revocation": pack([first, encode(STOP)]),
        "a revocation among consents": pack([encode(STOP)]),
        "a statement among consents": pack([encode(SUBLICENSE)]),
        "a consent, then a statement": pack([first, encode(SUBLICENSE)]),
        "one early, then one from a second more ahead": pack([encode(_dated(600)), early]),
    }


def _of_revocations() -> dict[str, bytes]:
    first, wallets = encode(STOP), encode(replace(STOP, signature=bytes(66)))
    return {
        "a revocation": pack([first]),
        "two revocations": pack([first, encode(STOP_OF_BEN)]),
        "one good, of another signer": pack([first, encode(replace(STOP, signature=bytes(65)))]),
        "a contract wallet's in company": pack([first, wallets]),
        "a contract wallet's, then another": pack([wallets, first]),
        "a signature of 64 bytes in company": pack(
            [first, encode(replace(STOP, signature=STOP.signature[:64]))]
        ),
        "a contract wallet's alone": pack([wallets]),
        "a contract wallet's in another form": pack([encode(replace(STOP, signature=bytes(65) + MARK))]),
        "a revocation, then a consent": pack([first, encode(CONSENT)]),
        "a consent among revocations": pack([encode(CONSENT)]),
    }


def _read(frame: bytes, topic: Topic) -> list[Envelope]:
    """As a peer without a chain reads it at NOW."""
    bundle = decode_bundle(frame)
    check_topic(bundle, topic.on(NETWORK), NETWORK)
    envelopes = [decode(data, NETWORK) for data in bundle]
    if len(envelopes) > 1 and any(one.claim.travels_alone for one in envelopes):  # 4.4.17
        raise Malformed("a contract wallet's message is not alone")
    for envelope in envelopes:
        envelope.check_sponsored()
        with suppress(Unsupported):
            envelope.check_signatures(EoaVerifier())
    for envelope in envelopes:
        envelope.check_signatures(EoaVerifier())
        issued = getattr(envelope.message, "issued_at", getattr(envelope.message, "used_at", 0))
        if issued > NOW + LIMITS.clock_skew_s:
            raise FromTheFuture(f"issued at {issued}")
    return envelopes


def _case(topic: Topic, name: str, frame: bytes) -> Json:
    case: Json = {"name": name, "topic": topic.name, "frame": hex_text(frame)}
    try:
        return case | {"digests": [hex_text(one.digest) for one in _read(frame, topic)]}
    except SaysoError as error:
        return case | {"code": error.code}


def bundles() -> Json:
    """Frames with the digests of their messages, or the code of the refusal of one of them."""
    topics = (
        (TOPICS[Consent.kind], _of_consents()),
        (TOPICS[Revocation.kind], _of_revocations()),
        (TOPICS[Sublicense.kind], _of_statements()),
    )
    frames = [_case(topic, *case) for topic, cases in topics for case in cases.items()]
    return {"now": NOW, "frames": frames}
