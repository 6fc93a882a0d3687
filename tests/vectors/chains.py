"""Vectors of who may use a license besides its grantee: what was heard, and what is answered."""

from typing import Any

from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Row, verdict
from support.known import Heard, Known, PassingOn, license_hash, message_hash
from support.passing import (
    AGENT,
    BASE,
    GUARDIAN,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    OTHER,
    PAIR,
    RESELLER,
    a_license,
    chain_of,
    pass_on,
    sealed,
)
from support.protocol_strategies import ADA, BEN

Json = dict[str, Any]
NOW = BASE + 50
HELD = a_license(guardian=GUARDIAN)
NARROW = a_license(purposes=("train-ai",), via="kled.ai")
HERS, HIS = a_license(parties=PAIR), a_license(parties=PAIR, contributor=BEN)
DIRECT = pass_on(MARKET, LAB, HELD)
FOUR = chain_of(MARKET, RESELLER, AGENT, OTHER, LAB, of=(HELD,))
MANY = [pass_on(MARKET, LAB, HELD, expires_at=LATE - 1 - at) for at in range(17)]
LAST = max(MANY, key=lambda one: (-one.terms.expires_at, message_hash(one.terms)))


def _statement(one: PassingOn) -> str:
    return f"statement {hex_text(message_hash(one.terms))}"


def _to(address: bytes) -> str:
    return f"to {hex_text(address)}"


def _changed(**changes: Any) -> list[Heard]:
    """Two hops, of which the first is changed."""
    first = pass_on(MARKET, RESELLER, HELD, **changes)
    return [HELD, first, pass_on(RESELLER, LAB, HELD, parent=message_hash(first.terms))]


def _messages() -> dict[str, list[Heard]]:
    masks = HELD.consent.masks([0], ["resale"])
    bit = Revocation(ADA, (), tuple(masks), tuple(masks.values()))
    ward = f"ward {hex_text(ADA)} "
    fifth = pass_on(LAB, BEN, HELD, parent=message_hash(FOUR[-1].terms))
    elsewhere = pass_on(MARKET, RESELLER, HERS)
    return {
        "nothing passed on": [HELD],
        "one hop": [HELD, DIRECT],
        "four hops": [HELD, *FOUR],
        "a fifth hop": [HELD, *FOUR, fifth],
        "the parent is missing": [HELD, *FOUR[1:]],
        "a stranger's": [HELD, pass_on(OTHER, LAB, HELD)],
        "withdrawn": [HELD, *FOUR, Revocation(RESELLER, (_statement(FOUR[1]),))],
        "withdrawn by somebody else": [HELD, *FOUR, Revocation(LAB, (_statement(FOUR[1]),))],
        "all withdrawn": [HELD, *FOUR, Revocation(MARKET, ("statements",))],
        "all to one grantee withdrawn": [
            HELD, *FOUR, Revocation(AGENT, (f"statements {_to(OTHER)}",)),
        ],
        "withdrawn and passed on again": [
            HELD, DIRECT, Revocation(MARKET, (_statement(DIRECT),)),
            pass_on(MARKET, LAB, HELD, expires_at=LATE - 1),
        ],
        "an expired hop": _changed(expires_at=NOW),
        "a hop not yet valid": _changed(issued_at=NOW + 1),
        "a hop without resale": _changed(purposes=("evaluate", "train-ai")),
        "a hop without the purpose": _changed(purposes=("evaluate", "resale")),
        "a license without resale": [NARROW, pass_on(MARKET, LAB, NARROW)],
        "a parent of another license": [
            HELD, HERS, elsewhere,
            pass_on(RESELLER, LAB, HELD, HERS, parent=message_hash(elsewhere.terms)),
        ],
        "one party's license": [HERS, HIS, pass_on(MARKET, LAB, HERS)],
        "both parties' licenses": [HERS, HIS, pass_on(MARKET, LAB, HERS, HIS)],
        "resale of one party taken back": [
            HERS, HIS, pass_on(MARKET, LAB, HERS, HIS), Revocation(BEN, ("everything for resale",)),
        ],
        "resale taken back": [HELD, *FOUR, Revocation(ADA, ("everything for resale",))],
        "the bit of resale": [HELD, *FOUR, bit],
        "resale taken back, nothing passed on": [HELD, Revocation(ADA, ("everything for resale",))],
        "a holder between": [HELD, *FOUR, Revocation(ADA, (_to(AGENT),))],
        "a holder between, for resale": [HELD, *FOUR, Revocation(ADA, (_to(AGENT) + " for resale",))],
        "a holder between, by the guardian": [HELD, *FOUR, Revocation(GUARDIAN, (ward + _to(OTHER),))],
        "a holder between, for another purpose": [
            HELD, *FOUR, Revocation(ADA, (_to(AGENT) + " for evaluate",)),
        ],
        "the asker, for resale": [HELD, *FOUR, Revocation(ADA, (_to(LAB) + " for resale",))],
        "the grantee": [HELD, *FOUR, Revocation(ADA, (_to(MARKET),))],
        "seventeen, the last alone not withdrawn": [
            HELD, *MANY, *(Revocation(MARKET, (_statement(one),)) for one in MANY if one is not LAST),
        ],
    }  # fmt: skip


def _answers(heard: list[Heard]) -> list[Json]:
    known = Known(heard)
    return [
        {
            "license": hex_text(license_hash(held.consent)),
            "item": hex_text(item),
            "grantee": address_text(asker),
            "purpose": purpose,
            "now": now,
            "reason": verdict(
                known, Row(license_hash(held.consent), item), Query(asker, purpose), now
            ).value,
        }
        for held in heard
        if isinstance(held, License)
        for item, asker, purpose, now in [
            *((ITEMS[0], one, "train-ai", NOW) for one in (MARKET, RESELLER, AGENT, LAB, BEN)),
            *((ITEMS[0], LAB, one, NOW) for one in ("evaluate", "resale", "other")),
            (ITEMS[1], LAB, "train-ai", NOW),
            (ITEMS[0], LAB, "train-ai", LATE),
        ]
    ]


def chains() -> Json:
    """The envelopes of each history, and its answers."""
    histories = [
        {
            "name": name,
            "heard": [hex_text(encode(sealed(one))) for one in heard],
            "answers": _answers(heard),
        }
        for name, heard in _messages().items()
    ]
    return {"histories": histories}
