"""Vectors of what is refused, and of verdicts."""

from collections.abc import Callable
from typing import Any

from sayso_protocol.envelope import Envelope, decode, encode
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages import Revocation
from sayso_protocol.packing import pack, unpack
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.scopes import Scope, file_subject
from sayso_protocol.signatures import EoaVerifier
from sayso_protocol.verdict import License, Query, Row, verdict
from support.known import Known, license_hash
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE, a_consent, item_hashes, signed

Json = dict[str, Any]
PAIR = tuple(sorted([ADA, BEN]))
ITEMS = item_hashes(3)
BUYER = b"\x11" * 20
NOW = 1_750_000_000


def _code(data: bytes) -> str:
    try:
        decode(data, NETWORK).check_signatures(EoaVerifier())
    except SaysoError as error:
        return error.code
    raise AssertionError("this vector is not refused")


def _edited(envelope: Envelope, edit: Callable[[list[Any]], object]) -> bytes:
    tree = unpack(encode(envelope), max_bytes=65_536)
    edit(tree)
    return pack(tree)


def _put(struct: bool, place: int, value: Any) -> Callable[[list[Any]], object]:
    return lambda tree: (tree[2] if struct else tree).__setitem__(place, value)


def refused_cases() -> list[Json]:
    """Envelopes that nobody may take in, with the code of the refusal."""
    consent = signed(a_consent(ITEMS), ITEMS).sponsored_by(NODE)
    stop = signed(Revocation(ADA, ("everything",), (64,), (1,)))
    plain = encode(stop)
    high = bytearray(stop.signature)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high[32:64] = (order - int.from_bytes(high[32:64])).to_bytes(32)
    high[64] = 55 - high[64]
    cases = {
        "empty": b"",
        "truncated": plain[:-1],
        "one byte more": plain + b"\xc0",
        "an array header of two bytes too many": b"\xdc\x00\x07" + plain[1:],
        "the version as uint8": b"\x97\xcc\x01" + plain[2:],
        "true for 1": b"\x97\xc3" + plain[2:],
        "version 2": _edited(stop, _put(False, 0, 2)),
        "another notice": _edited(stop, _put(True, 0, "I agree.")),
        "a scope word": _edited(stop, _put(True, 3, [b"\0\x80" + bytes(30)])),
        "an empty mask": _edited(stop, _put(True, 4, [bytes(32)])),
        "a scope of two lines": _edited(stop, _put(True, 2, ["everything\neverything"])),
        "s in the upper half": _edited(stop, _put(False, 4, bytes(high))),
        "another signer": _edited(stop, _put(True, 1, BEN)),
        "another network": _edited(consent, _put(False, 5, [1, NETWORK.registry])),
        "purposes unsorted": _edited(consent, _put(True, 7, ["train-ai", "evaluate"])),
        "an upper-case purpose": _edited(consent, _put(True, 7, ["Train-ai"])),
        "terms with a query": _edited(consent, _put(True, 9, "https://kled.ai/?user=7")),
        "an upper-case marketplace": _edited(consent, _put(True, 4, "Kled.ai")),
        "items in another order": _edited(consent, _put(False, 3, list(ITEMS[::-1]))),
        "another sponsor": _edited(consent, _put(False, 6, [bytes(NODE.verify_key), bytes(64)])),
    }
    return [
        {"name": name, "envelope": hex_text(data), "code": _code(data)} for name, data in cases.items()
    ]


def _consents() -> dict[str, Envelope]:
    cases = {
        "alone": a_consent(ITEMS, grantee=BUYER),
        "anyone": a_consent(ITEMS, grantee=bytes(20), via=""),
        "guarded": a_consent(ITEMS, grantee=BUYER, guardian=CLEO, via="neon.example"),
        "call of ada": a_consent(ITEMS, grantee=BUYER, parties=PAIR),
        "call of ben": a_consent(ITEMS, grantee=BUYER, parties=PAIR, contributor=BEN),
    }
    return {name: signed(case, ITEMS).sponsored_by(NODE) for name, case in cases.items()}


def _revocations() -> dict[str, Envelope]:
    masks = a_consent(ITEMS, grantee=BUYER).masks([1], ["train-ai"])
    whole = a_consent(ITEMS, grantee=bytes(20), via="").license_masks
    cases = {
        "everything of ada": Revocation(ADA, ("everything",)),
        "everything of ada for evaluate": Revocation(ADA, ("everything for evaluate",)),
        "kled of ada": Revocation(ADA, ("via kled.ai",)),
        "item 1 of ada": Revocation(ADA, (file_subject(ITEMS[1]),)),
        "item 1 of ada for train-ai": Revocation(ADA, (), tuple(masks), tuple(masks.values())),
        "the license for anyone": Revocation(ADA, (), tuple(whole), tuple(whole.values())),
        "everything of ben": Revocation(BEN, ("everything",)),
        "ada by cleo": Revocation(CLEO, (Scope("everything", None, ADA).text,)),
        "ada by ben": Revocation(BEN, (Scope("everything", None, ADA).text,)),
    }
    return {name: signed(case) for name, case in cases.items()}


SHORT = [(BUYER, "train-ai", NOW), (BUYER, "evaluate", NOW)]
LONG = [
    *SHORT,
    (BUYER, "resale", NOW),
    (BEN, "train-ai", NOW),
    (BUYER, "train-ai", 1_699_999_999),
    (BUYER, "train-ai", 1_800_000_000),
]


def _answers(heard: list[str], envelopes: dict[str, Envelope]) -> list[Json]:
    """Each license on two items; without revocations also what clocks and other buyers see of it."""
    known = Known()
    for name in heard:
        envelope = envelopes[name]
        message = envelope.message
        known.hear(message if isinstance(message, Revocation) else License(message, envelope.items))
    queries = SHORT if set(heard) & set(_revocations()) else LONG
    return [
        {
            "license": name,
            "item": hex_text(item),
            "grantee": address_text(grantee),
            "purpose": purpose,
            "now": now,
            "reason": verdict(
                known, Row(license_hash(consent), item), Query(grantee, purpose), now
            ).value,
        }
        for name, consent in ((name, _consent(envelopes[name])) for name in _consents())
        for item in ITEMS[:2]
        for grantee, purpose, now in queries
    ]


def _consent(envelope: Envelope) -> Any:
    return envelope.message


def verdict_cases() -> Json:
    """Envelopes by name, and for each list of heard ones what is answered."""
    envelopes = _consents() | _revocations()
    consents = list(_consents())
    histories = [[], consents[:4], consents, *([*consents, stop] for stop in _revocations())]
    return {
        "envelopes": {name: hex_text(encode(one)) for name, one in envelopes.items()},
        "histories": [{"heard": heard, "answers": _answers(heard, envelopes)} for heard in histories],
    }
