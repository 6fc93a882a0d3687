"""Vectors of verdicts: what was heard, and what is answered."""

from typing import Any

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, agreement_subject, file_subject, to_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Row, verdict
from support.known import Known, license_hash
from support.protocol_strategies import ADA, BEN, CLEO, NODE, a_consent, full_words, item_hashes, signed

Json = dict[str, Any]
PAIR = tuple(sorted([ADA, BEN]))
ITEMS = item_hashes(3)
BUYER = b"\x11" * 20
NOW = 1_750_000_000
AGAIN = a_consent(ITEMS, grantee=BUYER, parties=PAIR, contributor=BEN, via="neon.example")
MANY = item_hashes(70, 1)
WIDE = a_consent(MANY, grantee=BUYER, purposes=("a", "b", "c", "d", "evaluate", "f", "train-ai"), via="")


def _consents() -> dict[str, Envelope]:
    cases = {
        "alone": a_consent(ITEMS, grantee=BUYER),
        "anyone": a_consent(ITEMS, grantee=bytes(20), via=""),
        "guarded": a_consent(ITEMS, grantee=BUYER, guardian=CLEO, via="neon.example"),
        "call of ada": a_consent(ITEMS, grantee=BUYER, parties=PAIR),
        "call of ben": a_consent(ITEMS, grantee=BUYER, parties=PAIR, contributor=BEN),
        "call of ben again": AGAIN,
        "guarded by a party": a_consent(
            ITEMS, grantee=BUYER, parties=PAIR, guardian=BEN, via="a.example"
        ),
    }
    made = {name: signed(case, ITEMS).sponsored_by(NODE) for name, case in cases.items()}
    return made | {"many items": signed(WIDE, MANY).sponsored_by(NODE)}


def _beside() -> dict[str, Envelope]:
    """Consents of the other person of a call that do not complete it (rule 8.7)."""
    three, others = tuple(sorted([*PAIR, CLEO])), item_hashes(3, 7)
    cases = {
        "of ben with cleo": (a_consent(ITEMS, grantee=BUYER, parties=three, contributor=BEN), ITEMS),
        "of ben on others": (a_consent(others, grantee=BUYER, parties=PAIR, contributor=BEN), others),
    }
    return {name: signed(*case).sponsored_by(NODE) for name, case in cases.items()}


def _revocations() -> dict[str, Envelope]:
    masks = a_consent(ITEMS, grantee=BUYER).masks([1], ["train-ai"])
    to_anyone = a_consent(ITEMS, grantee=bytes(20), via="")
    whole = full_words(to_anyone)
    cases = {
        "everything of ada": Revocation(ADA, ("everything",)),
        "everything of ada for evaluate": Revocation(ADA, ("everything for evaluate",)),
        "kled of ada": Revocation(ADA, ("via kled.ai",)),
        "item 1 of ada": Revocation(ADA, (file_subject(ITEMS[1]),)),
        "the agreement for anyone": Revocation(ADA, (agreement_subject(to_anyone.agreement),)),
        "the agreement for anyone, for evaluate": Revocation(
            ADA, (agreement_subject(to_anyone.agreement) + " for evaluate",)
        ),
        "the agreement of alone and the call": Revocation(
            ADA, (agreement_subject(a_consent(ITEMS, grantee=BUYER).agreement),)
        ),
        "to the buyer by ada": Revocation(ADA, (to_subject(BUYER),)),
        "to ben by ada for train-ai": Revocation(ADA, (to_subject(BEN) + " for train-ai",)),
        "to the buyer by ben": Revocation(BEN, (to_subject(BUYER),)),
        "to ben by ben": Revocation(BEN, (to_subject(BEN),)),
        "to the buyer by cleo": Revocation(CLEO, (Scope(to_subject(BUYER), None, ADA).text,)),
        "to ben by cleo": Revocation(CLEO, (Scope(to_subject(BEN), "train-ai", ADA).text,)),
        "to nobody, which is no scope": Revocation(ADA, ("to 0x" + "00" * 20,)),
        "the statements of ada": Revocation(ADA, ("statements", "statements " + to_subject(BUYER))),
        "item 1 of ada for train-ai": Revocation(ADA, (), tuple(masks), tuple(masks.values())),
        "the license for anyone": Revocation(ADA, (), tuple(whole), tuple(whole.values())),
        "the last of many items": _bits(WIDE.masks([69], ["train-ai"])),
        "the first of many items, in the last word": _bits({max(full_words(WIDE)): 1 << 6}),
        "half of item 1, then the other": Revocation(ADA, (), _two_halves()[0], _two_halves()[1]),
        "the agreement of ben's call": Revocation(BEN, (agreement_subject(_ben().agreement),)),
        "the agreements of both calls of ben": Revocation(
            BEN, (agreement_subject(_ben().agreement), agreement_subject(AGAIN.agreement))
        ),
        "ada by ben, a party": Revocation(BEN, (Scope("via a.example", None, ADA).text,)),
        "everything of ben": Revocation(BEN, ("everything",)),
        "ada by cleo": Revocation(CLEO, (Scope("everything", None, ADA).text,)),
        "ada by ben": Revocation(BEN, (Scope("everything", None, ADA).text,)),
    }
    return {name: signed(case) for name, case in cases.items()}


def _ben() -> Consent:
    return a_consent(ITEMS, grantee=BUYER, parties=PAIR, contributor=BEN)


def _bits(masks: Masks) -> Revocation:
    return Revocation(ADA, (), tuple(masks), tuple(masks.values()))


def _two_halves() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """One word twice: what its masks say together (rule 3.9.5)."""
    alone = a_consent(ITEMS, grantee=BUYER)
    both = [alone.masks([1], [purpose]) for purpose in ("train-ai", "evaluate")]
    return tuple(word for one in both for word in one), tuple(
        mask for one in both for mask in one.values()
    )


SHORT = [(BUYER, "train-ai", NOW), (BUYER, "evaluate", NOW), (BEN, "train-ai", NOW)]
LONG = [
    *SHORT,
    (BUYER, "resale", NOW),
    (BUYER, "train-ai", 1_699_999_999),
    (BUYER, "train-ai", 1_700_000_000),
    (BUYER, "train-ai", 1_799_999_999),
    (BUYER, "train-ai", 1_800_000_000),
    (BUYER, "resale", 1_800_000_000),
    (BEN, "train-ai", 1_699_999_999),
    (BEN, "resale", NOW),
    (bytes(20), "train-ai", NOW),
]


def _answers(heard: list[str], envelopes: dict[str, Envelope]) -> list[Json]:
    """Each license on two items for two buyers; without revocations also what other clocks see."""
    known = Known()
    for name in heard:
        envelope = envelopes[name]
        message = envelope.message
        if isinstance(message, Revocation):
            known.hear(message)
        else:
            known.hear(License(as_kind(message, Consent), envelope.items))
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
        for item in _asked(name, envelopes[name])
        for grantee, purpose, now in queries
    ]


def _asked(name: str, envelope: Envelope) -> tuple[bytes, ...]:
    """Two items, the last of many, and once an item of another license."""
    return (*envelope.items[:2], *envelope.items[69:], *(MANY[:1] if name == "alone" else ()))


def _consent(envelope: Envelope) -> Any:
    return envelope.message


def verdict_cases() -> Json:
    """Envelopes by name, and for each list of heard ones what is answered."""
    envelopes = _consents() | _beside() | _revocations()
    consents = list(_consents())
    histories = [[], consents[:4], consents, *([*consents, stop] for stop in _revocations())]
    histories += [["call of ada", one] for one in _beside()]
    return {
        "envelopes": {name: hex_text(encode(one)) for name, one in envelopes.items()},
        "histories": [{"heard": heard, "answers": _answers(heard, envelopes)} for heard in histories],
    }
