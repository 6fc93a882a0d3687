"""What the vectors of histories share: licenses that are passed on, and answers about what was told."""

from collections.abc import Iterable, Sequence
from typing import Any

from sayso_protocol.messages.envelope import encode
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Row, verdict
from support.known import Heard, Known, PassingOn, license_hash, message_hash
from support.passing import (
    AGENT,
    GUARDIAN,
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
from support.protocol_strategies import BEN

Json = dict[str, Any]
Asked = tuple[bytes, Query, int]  # an item, and the time
HELD = a_license(guardian=GUARDIAN)
HERS, HIS = a_license(parties=PAIR), a_license(parties=PAIR, contributor=BEN)
FOUR = chain_of(MARKET, RESELLER, AGENT, OTHER, LAB, of=(HELD,))
FIFTH = pass_on(LAB, BEN, HELD, parent=message_hash(FOUR[-1].terms))
MANY = [pass_on(MARKET, LAB, HELD, expires_at=LATE - 1 - at) for at in range(17)]
LAST = max(MANY, key=lambda one: (-one.terms.expires_at, message_hash(one.terms)))  # displaced


def statement(one: PassingOn) -> str:
    """The scope that withdraws one sublicense."""
    return f"statement {hex_text(message_hash(one.terms))}"


def to(address: bytes) -> str:
    """The scope that stops a holder."""
    return f"to {hex_text(address)}"


def envelopes(told: Iterable[Heard]) -> list[str]:
    """The messages as their signers send them."""
    return [hex_text(encode(sealed(one))) for one in told]


def history(name: str, told: Sequence[Heard], asked: Sequence[Asked]) -> Json:
    """What was told, and what is answered about each license in it."""
    known = Known(told)
    names = [license_hash(one.consent) for one in told if isinstance(one, License)]
    return {
        "name": name,
        "heard": envelopes(told),
        "answers": [
            {
                "license": hex_text(license_),
                "item": hex_text(item),
                "grantee": address_text(query.grantee),
                "purpose": query.purpose,
                "now": now,
                "heed": None if query.heed is None else [*map(address_text, query.heed)],
                "reason": verdict(known, Row(license_, item), query, now).value,
            }
            for license_ in names
            for item, query, now in asked
        ],
    }
