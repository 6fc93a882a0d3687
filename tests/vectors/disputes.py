"""Histories with disputes, and the answers of rules 8.17 and 8.18."""

from typing import Any

from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Row, verdict
from support.known import Heard, Known, license_hash
from support.passing import (
    AGENT,
    BASE,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    OTHER,
    PAIR,
    a_license,
    chain_of,
    disputing,
    sealed,
    withdrawal,
)
from support.protocol_strategies import ADA, BEN

Json = dict[str, Any]
NOW = BASE + 50
HELD = a_license()
HERS, HIS = (a_license(contributor=one, parties=PAIR) for one in (ADA, BEN))
FILE = disputing(OTHER, ITEMS[0])
ADAS = disputing(OTHER, contributor_hash(ADA), subject=CONTRIBUTORS)
BOTH = tuple(sorted((AGENT, OTHER)))


def _messages() -> dict[str, list[Heard]]:
    return {
        "a file": [HELD, FILE],
        "a file, heard before its license": [FILE, HELD],
        "two files": [HELD, disputing(OTHER, *ITEMS)],
        "a contributor": [HELD, ADAS],
        "another contributor": [HELD, disputing(OTHER, contributor_hash(BEN), subject=CONTRIBUTORS)],
        "a file that looks like a contributor": [HELD, disputing(OTHER, contributor_hash(ADA))],
        "one of two parties": [HERS, HIS, ADAS],
        "one party, whose consent is missing": [HIS, ADAS],
        "of two signers": [HELD, FILE, disputing(AGENT, ITEMS[1])],
        "ends now": [HELD, disputing(OTHER, ITEMS[0], expires_at=NOW)],
        "begins now": [HELD, disputing(OTHER, ITEMS[0], issued_at=NOW)],
        "begins later": [HELD, disputing(OTHER, ITEMS[0], issued_at=NOW + 1)],
        "withdrawn": [HELD, FILE, withdrawal(OTHER, FILE)],
        "all statements withdrawn": [HELD, FILE, Revocation(OTHER, ("statements",))],
        "withdrawn by somebody else": [HELD, FILE, withdrawal(ADA, FILE)],
        "withdrawn, another is open": [
            HELD, FILE, disputing(OTHER, ITEMS[0], code="likeness"), withdrawal(OTHER, FILE),
        ],
        "everything of its signer taken back": [HELD, FILE, Revocation(OTHER, ("everything",))],
        "revoked": [HELD, FILE, Revocation(ADA, (f"file {hex_text(ITEMS[0])}",))],
        "passed on": [HELD, *chain_of(MARKET, AGENT, LAB, of=(HELD,)), ADAS],
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
            "heed": None if heed is None else [address_text(one) for one in heed],
            "reason": verdict(
                known, Row(license_hash(held.consent), item), Query(asker, purpose, heed), now
            ).value,
        }
        for held in heard
        if isinstance(held, License)
        for item, asker, purpose, now, heed in [
            *((ITEMS[0], MARKET, "train-ai", NOW, one) for one in (None, (), (OTHER,), (AGENT,), BOTH)),
            (ITEMS[1], MARKET, "train-ai", NOW, BOTH),
            (bytes(32), MARKET, "train-ai", NOW, BOTH),
            (ITEMS[0], MARKET, "other", NOW, BOTH),
            (ITEMS[0], LAB, "train-ai", NOW, BOTH),
            (ITEMS[0], MARKET, "train-ai", LATE - 1, BOTH),
            (ITEMS[0], MARKET, "train-ai", LATE, BOTH),
        ]
    ]


def disputes() -> Json:
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
