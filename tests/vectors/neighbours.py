"""Messages at the limits that are still valid: the neighbours of those that `refused` has."""

from typing import Any

from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.words import FULL
from support.protocol_strategies import ADA, BEN, CLEO, NODE, a_consent, item_hashes, signed

_MANY = [b"%02d" % number + bytes(18) for number in range(15)]
_YEAR = 253_402_300_799
_TERMS = "https://kled.ai/!\"$%&'()*+,-./:;<=>@[]^_`{|}~"


def consents() -> dict[str, Envelope]:
    """Consents that keep rules 3.1 to 3.7 narrowly."""
    cases: dict[str, dict[str, Any]] = {
        "16 parties": {"parties": tuple(sorted([*_MANY, ADA]))},
        "a guardian who is a party": {"parties": tuple(sorted([ADA, BEN])), "guardian": BEN},
        "a purpose of 32 characters": {"purposes": ("p" * 32,)},
        "a purpose of one letter": {"purposes": ("a", "a-", "a0")},
        "it lasts a second": {"expires_at": 1_700_000_001},
        "it lasts ten years": {"expires_at": 1_700_000_000 + 315_619_200},
        "it began in 1970": {"issued_at": 0, "expires_at": 60},
        "it ends with the year 9999": {"issued_at": _YEAR - 1, "expires_at": _YEAR},
        "terms at one character": {"terms_uri": "https://k"},
        "terms of any printable character": {"terms_uri": _TERMS},
        "terms at an address of 2,048 bytes": {"terms_uri": "https://" + "k" * 2_040},
        "a marketplace of 100 bytes": {"via": "k" * 60 + "." + "l" * 36 + ".ai"},
        "a label of 63 characters": {"via": "k" * 63 + ".ai"},
        "labels of one character": {"via": "k.1"},
        "a label with hyphens": {"via": "k--1.xn--bcher-kva"},
        "times whose seconds are cut off": {"issued_at": 1_700_000_039, "expires_at": 1_800_000_059},
    }
    found = {name: (a_consent(item_hashes(3), **case), item_hashes(3)) for name, case in cases.items()}
    for name, count in (("one item", 1), ("33 items", 33), ("1,024 items", 1_024)):
        found[name] = (a_consent(item_hashes(count)), item_hashes(count))
    return {name: signed(*case).sponsored_by(NODE) for name, case in found.items()}


def revocations() -> dict[str, Envelope]:
    """Revocations that keep rules 3.8, 3.9 and 5.3 narrowly."""
    last = (1 << 247) - 1
    cases = {
        "16 scopes": Revocation(ADA, tuple(f"via s{number}.example" for number in range(16))),
        "64 words": Revocation(ADA, (), tuple(range(64)), tuple(range(1, 65))),
        "the largest word": Revocation(BEN, (), (last,), (1 << 255,)),
        "a word twice": Revocation(CLEO, (), (7, 7), (1, 2)),
        "words in no order": Revocation(CLEO, (), (9, 8), (1, FULL)),
        "scopes of no grammar": Revocation(CLEO, (" ~", "!", "Everything", "ward 0x1 to you for me")),
        "a scope twice": Revocation(CLEO, ("via kled.ai", "via kled.ai")),
        "a scope of 200 characters": Revocation(CLEO, ("e" * 200,)),
    }
    return {name: signed(case) for name, case in cases.items()}
