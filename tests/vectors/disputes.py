"""Histories with disputes, and the answers of rules 8.17 and 8.18."""

from typing import Any

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.query import Query
from support.known import Heard
from support.passing import (
    AGENT,
    BASE,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    OTHER,
    a_license,
    chain_of,
    disputing,
    withdrawal,
)
from support.protocol_strategies import ADA, BEN
from vectors.told import HERS, HIS, history

NOW = BASE + 50
HELD = a_license()
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


ASKED = [
    *((ITEMS[0], Query(MARKET, "train-ai", one), NOW) for one in (None, (), (OTHER,), (AGENT,), BOTH)),
    (ITEMS[1], Query(MARKET, "train-ai", BOTH), NOW),
    (bytes(32), Query(MARKET, "train-ai", BOTH), NOW),
    (ITEMS[0], Query(MARKET, "other", BOTH), NOW),
    (ITEMS[0], Query(LAB, "train-ai", BOTH), NOW),
    (ITEMS[0], Query(MARKET, "train-ai", BOTH), LATE - 1),
    (ITEMS[0], Query(MARKET, "train-ai", BOTH), LATE),
]


def disputes() -> dict[str, Any]:
    """The envelopes of each history, and its answers."""
    return {"histories": [history(name, one, ASKED) for name, one in _messages().items()]}
