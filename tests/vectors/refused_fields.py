"""Vectors of what is refused for its signed fields or item hashes (rules 3.1 to 3.10, and 5.3)."""

from typing import Any

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.encoding.packing import pack
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.primitives import address_text, sha256
from support.protocol_strategies import ADA, BEN, a_consent
from vectors.sealing import (
    CONSENT_TREE,
    ITEMS,
    STOP_TREE,
    STOPS,
    TERMS,
    Cases,
    around,
    consent_of,
    field,
    sealed,
)

ISSUED: int = TERMS["issued_at"]
_MANY = [b"%02d" % number + bytes(18) for number in range(17)]


def _consent(**fields: Any) -> bytes:
    """A consent in which some signed fields have other values."""
    return pack(sealed(CONSENT, TERMS | fields, ITEMS))


def _stop(**fields: Any) -> bytes:
    """A revocation in which some signed fields have other values."""
    return pack(sealed(REVOCATION, STOPS | fields))


def consents() -> Cases:
    """Rules 3.1 to 3.6."""
    return {**_people_and_purposes(), **_times_and_terms()}


def _people_and_purposes() -> Cases:
    long_parties = sorted([*_MANY[:16], ADA])
    many = tuple(f"p{number:02}" for number in range(17))
    return {
        "a consent of nobody": ("3.1.2", _consent(contributor=bytes(20), parties=(bytes(20),))),
        "a contributor of 19 bytes": ("3.1.1", field(CONSENT_TREE, 1, ADA[:19])),
        "a grantee of 21 bytes": ("3.1.1", field(CONSENT_TREE, 3, BEN + b"\0")),
        "a party of 19 bytes": ("3.1.1", field(CONSENT_TREE, 2, [ADA[:19]])),
        "a guardian of no bytes": ("3.1.1", field(CONSENT_TREE, 10, b"")),
        "no parties": ("3.1.3", _consent(parties=())),
        "parties unsorted": ("3.1.3", _consent(parties=tuple(sorted([ADA, BEN], reverse=True)))),
        "a party twice": ("3.1.3", _consent(parties=(ADA, ADA))),
        "parties without the contributor": (
            "3.1.4",
            _consent(parties=(BEN,), notice=_together_with(BEN)),
        ),
        "17 parties": ("3.1.3", _consent(parties=tuple(long_parties))),
        "items: 0": ("3.2.1", _consent(items=0)),
        "content of 31 bytes": ("3.2.2", field(CONSENT_TREE, 5, bytes(31))),
        "terms of 33 bytes": ("3.2.2", field(CONSENT_TREE, 8, bytes(33))),
        "no purposes": ("3.3.1", _consent(purposes=())),
        "purposes unsorted": ("3.3.1", _consent(purposes=("train-ai", "evaluate"))),
        "a purpose twice": ("3.3.1", _consent(purposes=("train-ai", "train-ai"))),
        "17 purposes": ("3.3.1", _consent(purposes=many)),
        "an upper-case purpose": ("3.3.2", _consent(purposes=("Train-ai",))),
        "a purpose of 33 characters": ("3.3.2", _consent(purposes=("p" * 33,))),
        "a purpose with a line end": ("3.3.2", _consent(purposes=("train-ai\n",))),
        "an empty purpose": ("3.3.2", _consent(purposes=("",))),
    }


def _times_and_terms() -> Cases:
    year = 253_402_300_800
    no_date = "I allow use of 3 items of mine for evaluate, train-ai until 10000-01-01 00:00 UTC."
    return {
        "it ends as it begins": ("3.4.1", _consent(expires_at=ISSUED)),
        "it ends a second after ten years": ("3.4.2", _consent(expires_at=ISSUED + 315_619_201)),
        "it ends in the year 10000": (
            "3.4.3",
            _consent(issued_at=year - 100, expires_at=year, notice=no_date),
        ),
        "rechecked after 0 hours": ("3.4.4", _consent(recheck_hours=0)),
        "rechecked after 8,761 hours": ("3.4.4", _consent(recheck_hours=8_761)),
        "rechecked after 65,704 hours, which are 168 modulo 2^16": (
            "3.4.4",
            _consent(recheck_hours=65_704),
        ),
        "removed within 0 days": ("3.4.5", _consent(removal_days=0)),
        "removed within 366 days": ("3.4.5", _consent(removal_days=366)),
        "removed within 65,566 days, which are 30 modulo 2^16": ("3.4.5", _consent(removal_days=65_566)),
        "terms by http": ("3.5.1", _consent(terms_uri="http://kled.ai/terms")),
        "terms with DEL": ("3.5.1", _consent(terms_uri="https://kled.ai/\x7f")),
        "terms that are not ASCII": ("3.5.1", _consent(terms_uri="https://kled.ai/\u00e4")),
        "terms at https:// alone": ("3.5.1", _consent(terms_uri="https://")),
        "terms with a query": ("3.5.2", _consent(terms_uri="https://kled.ai/?user=7")),
        "terms with a fragment": ("3.5.2", _consent(terms_uri="https://kled.ai/#7")),
        "terms with a space": ("3.5.2", _consent(terms_uri="https://kled.ai/a b")),
        "terms at an address of 2,049 bytes": ("3.5.3", _consent(terms_uri="https://" + "k" * 2_041)),
        "an upper-case marketplace": ("3.6.3", _consent(via="Kled.ai")),
        "a marketplace in another script": ("3.6.6", _consent(via="b\u00fccher.example")),
        "a marketplace of one label": ("3.6.2", _consent(via="kled")),
        "a marketplace with a dot at its end": ("3.6.2", _consent(via="kled.ai.")),
        "a marketplace with an empty label": ("3.6.3", _consent(via="kled..ai")),
        "a marketplace of 101 bytes": ("3.6.5", _consent(via="k" * 61 + "." + "l" * 36 + ".ai")),
        "a label of 64 characters": ("3.6.3", _consent(via="k" * 64 + ".ai")),
        "a label that begins with a hyphen": ("3.6.4", _consent(via="-kled.ai")),
        "a label that ends with a hyphen": ("3.6.4", _consent(via="kled-.ai")),
        "the last label ends with a hyphen": ("3.6.4", _consent(via="kled.ai-")),
    }


def _together_with(party: bytes) -> str:
    """The notice of a consent with this party beside its contributor."""
    right: str = CONSENT_TREE[2][0]
    return right.replace(". I can revoke", f"; together with {address_text(party)}. I can revoke")


def items() -> Cases:
    """Rules 3.7 and 3.10 of consents."""
    short, twice = [ITEMS[0][:31], *ITEMS[1:]], (ITEMS[0], ITEMS[1], ITEMS[1])
    right: str = CONSENT_TREE[2][0]
    return {
        "no items": ("3.7.1", around(CONSENT_TREE, 3, [])),
        "items: one more than there are": ("3.7.1", _consent(items=4)),
        "items: one less than there are": ("3.7.1", _consent(items=2)),
        "items: 1,025": ("3.2.1", _consent(items=1_025)),
        "an item hash of 31 bytes": (
            "3.7.2",
            pack(sealed(CONSENT, TERMS | {"content": content_root(short)}, short)),
        ),
        "an item twice": ("3.7.3", consent_of(a_consent(ITEMS), twice)),
        "items in another order": ("3.7.4", around(CONSENT_TREE, 3, list(ITEMS[::-1]))),
        "other content": ("3.7.4", _consent(content=sha256(b"other"))),
        "content without level 0": ("3.7.4", _bare_root()),
        "a consent with another notice": ("3.10", _consent(notice="I agree.")),
        "the notice of another recheck": ("3.10", _consent(recheck_hours=167, notice=right)),
        "the notice of another removal": ("3.10", _consent(removal_days=29, notice=right)),
        "a notice with an address in lower case": ("3.10", _consent(notice=_lowered(right))),
        "a notice with white space behind it": ("3.10", _consent(notice=right + " ")),
        "a notice after a byte order mark": ("3.10", _consent(notice="\ufeff" + right)),
    }


def _bare_root() -> bytes:
    """A consent for one item whose content is that item, without a node above it."""
    fields = TERMS | {"items": 1, "content": ITEMS[0]}
    assert content_root(ITEMS[:1]) != ITEMS[0]
    return pack(sealed(CONSENT, fields, ITEMS[:1]))


def _lowered(notice: str) -> str:
    return " ".join(one.lower() if one.startswith("0x") else one for one in notice.split(" "))


def revocations() -> Cases:
    """Rules 3.8 to 3.10, and 5.3."""
    words = tuple(range(65))
    return {
        "another notice": ("3.10", _stop(notice="I agree.")),
        "a revocation's notice after a byte order mark": (
            "3.10",
            _stop(notice="\ufeff" + STOP_TREE[2][0]),
        ),
        "a revocation of nobody": ("3.8.1", _stop(contributor=bytes(20))),
        "a revocation of 19 bytes": ("3.1.1", field(STOP_TREE, 1, ADA[:19])),
        "17 scopes": ("3.8.2", _stop(scopes=tuple(f"via s{number}.example" for number in range(17)))),
        "65 words": ("3.8.2", _stop(words=words, masks=(1,) * 65)),
        "nothing to revoke": ("3.8.2", _stop(scopes=(), words=(), masks=())),
        "a word without a mask": ("3.9.1", _stop(masks=())),
        "a mask without a word": ("3.9.1", _stop(masks=(1, 1))),
        "a scope word": ("3.9.2", _stop(words=(1 << 247,))),
        "a word of 256 bits": ("3.9.2", _stop(words=((1 << 256) - 1,))),
        "an empty mask": ("3.9.3", _stop(masks=(0,))),
        "a scope of two lines": ("5.3.3", _stop(scopes=("everything\neverything",))),
        "a scope with DEL": ("5.3.3", _stop(scopes=("everything\x7f",))),
        "a scope after a byte order mark": ("5.3.3", _stop(scopes=("\ufeffeverything",))),
        "an empty scope": ("5.3.3", _stop(scopes=("",))),
        "a scope of 201 characters": ("5.3.3", _stop(scopes=("e" * 201,))),
        "a scope that is not ASCII": ("5.3.3", _stop(scopes=("everythin\u01f5",))),
    }
