"""Vectors of who may use a license besides its grantee: what was heard, and what is answered."""

from typing import Any

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.query import Query
from support.known import Heard, message_hash
from support.passing import (
    AGENT,
    BASE,
    GUARDIAN,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    OTHER,
    RESELLER,
    a_license,
    pass_on,
)
from support.protocol_strategies import ADA, BEN
from vectors.told import FIFTH, FOUR, HELD, HERS, HIS, LAST, MANY, history, statement, to

NOW = BASE + 50
NARROW = a_license(purposes=("train-ai",), via="kled.ai")
DIRECT = pass_on(MARKET, LAB, HELD)
ASKED = [
    *((ITEMS[0], Query(one, "train-ai"), NOW) for one in (MARKET, RESELLER, AGENT, LAB, BEN)),
    *((ITEMS[0], Query(LAB, one), NOW) for one in ("evaluate", "resale", "other")),
    (ITEMS[1], Query(LAB, "train-ai"), NOW),
    (ITEMS[0], Query(LAB, "train-ai"), LATE),
]


def _changed(**changes: Any) -> list[Heard]:
    """Two hops, of which the first is changed."""
    first = pass_on(MARKET, RESELLER, HELD, **changes)
    return [HELD, first, pass_on(RESELLER, LAB, HELD, parent=message_hash(first.terms))]


def _sold() -> dict[str, list[Heard]]:
    """What is passed on, rightly or not."""
    elsewhere = pass_on(MARKET, RESELLER, HERS)
    first = message_hash(FOUR[0].terms)  # to the reseller
    return {
        "nothing passed on": [HELD],
        "one hop": [HELD, DIRECT],
        "four hops": [HELD, *FOUR],
        "a fifth hop": [HELD, *FOUR, FIFTH],
        "the parent is missing": [HELD, *FOUR[1:]],
        "a stranger's": [HELD, pass_on(OTHER, LAB, HELD)],
        "an expired hop": _changed(expires_at=NOW),
        "a hop not yet valid": _changed(issued_at=NOW + 1),
        "a hop that begins now": _changed(issued_at=NOW),
        "a hop without resale": _changed(purposes=("evaluate", "train-ai")),
        "a hop without the purpose": _changed(purposes=("evaluate", "resale")),
        "a license without resale": [NARROW, pass_on(MARKET, LAB, NARROW)],
        "a parent to somebody else": [HELD, FOUR[0], pass_on(AGENT, LAB, HELD, parent=first)],
        "a parent of another license": [
            HELD, HERS, elsewhere,
            pass_on(RESELLER, LAB, HELD, HERS, parent=message_hash(elsewhere.terms)),
        ],
        "one party's license": [HERS, HIS, pass_on(MARKET, LAB, HERS)],
        "both parties' licenses": [HERS, HIS, pass_on(MARKET, LAB, HERS, HIS)],
    }  # fmt: skip


def _stopped() -> dict[str, list[Heard]]:
    """What is withdrawn or revoked."""
    masks = HELD.consent.masks([0], ["resale"])
    bit = Revocation(ADA, (), tuple(masks), tuple(masks.values()))
    ward = f"ward {hex_text(ADA)} "
    return {
        "withdrawn": [HELD, *FOUR, Revocation(RESELLER, (statement(FOUR[1]),))],
        "withdrawn by somebody else": [HELD, *FOUR, Revocation(LAB, (statement(FOUR[1]),))],
        "all withdrawn": [HELD, *FOUR, Revocation(MARKET, ("statements",))],
        "all to one grantee withdrawn": [
            HELD, *FOUR, Revocation(AGENT, (f"statements {to(OTHER)}",)),
        ],
        "withdrawn and passed on again": [
            HELD, DIRECT, Revocation(MARKET, (statement(DIRECT),)),
            pass_on(MARKET, LAB, HELD, expires_at=LATE - 1),
        ],
        "resale of one party taken back": [
            HERS, HIS, pass_on(MARKET, LAB, HERS, HIS), Revocation(BEN, ("everything for resale",)),
        ],
        "resale taken back": [HELD, *FOUR, Revocation(ADA, ("everything for resale",))],
        "the bit of resale": [HELD, *FOUR, bit],
        "resale taken back, nothing passed on": [HELD, Revocation(ADA, ("everything for resale",))],
        "a holder between": [HELD, *FOUR, Revocation(ADA, (to(AGENT),))],
        "a holder between, for resale": [HELD, *FOUR, Revocation(ADA, (to(AGENT) + " for resale",))],
        "a holder between, by the guardian": [HELD, *FOUR, Revocation(GUARDIAN, (ward + to(OTHER),))],
        "a holder between, for another purpose": [
            HELD, *FOUR, Revocation(ADA, (to(AGENT) + " for evaluate",)),
        ],
        "the asker, for resale": [HELD, *FOUR, Revocation(ADA, (to(LAB) + " for resale",))],
        "the grantee": [HELD, *FOUR, Revocation(ADA, (to(MARKET),))],
        "seventeen, the last alone not withdrawn": [
            HELD, *MANY, *(Revocation(MARKET, (statement(one),)) for one in MANY if one is not LAST),
        ],
    }  # fmt: skip


def chains() -> dict[str, Any]:
    """The envelopes of each history, and its answers."""
    told = _sold() | _stopped()
    return {"histories": [history(name, one, ASKED) for name, one in told.items()]}
