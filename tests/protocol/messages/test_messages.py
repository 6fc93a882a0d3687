"""Every rule of section 3 with an example that breaks it, and the code of the refusal."""

from typing import Any

import pytest
from hypothesis import given

from sayso_protocol.errors import (
    InvalidConsent,
    InvalidPurpose,
    InvalidRevocation,
    InvalidScope,
    SaysoError,
)
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import SCOPE_FLAG, scope_word
from sayso_protocol.permissions.words import FULL
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, item_hashes, revocations

ITEMS = item_hashes(3)
BEGIN = 1_700_000_000
PEOPLE = tuple(sorted([ADA, BEN, CLEO]))
MANY = tuple(sorted(bytes([number]) * 20 for number in range(1, 17)))
YEARS = LIMITS.validity_s

BROKEN_CONSENTS: list[tuple[str, dict[str, Any], type[SaysoError]]] = [
    ("3.1 short address", {"contributor": ADA[:-1]}, InvalidConsent),
    ("3.1 long grantee", {"grantee": BEN + b"\0"}, InvalidConsent),
    ("3.1 empty guardian", {"guardian": b""}, InvalidConsent),
    ("3.1 short party", {"parties": tuple(sorted([ADA, b"\x01"]))}, InvalidConsent),
    ("3.1 nobody", {"contributor": bytes(20), "parties": (bytes(20),)}, InvalidConsent),
    ("3.1 no parties", {"parties": ()}, InvalidConsent),
    ("3.1 not a party", {"parties": (BEN,)}, InvalidConsent),
    ("3.1 party twice", {"parties": (ADA, ADA)}, InvalidConsent),
    ("3.1 parties descend", {"parties": PEOPLE[::-1]}, InvalidConsent),
    ("3.1 too many parties", {"parties": tuple(sorted([ADA, *MANY]))}, InvalidConsent),
    ("3.2 no items", {"items": 0}, InvalidConsent),
    ("3.2 too many items", {"items": LIMITS.items + 1}, InvalidConsent),
    ("3.2 short content", {"content": b"\x01" * 31}, InvalidConsent),
    ("3.2 long terms", {"terms": b"\x01" * 33}, InvalidConsent),
    ("3.3 no purposes", {"purposes": ()}, InvalidConsent),
    ("3.3 unsorted", {"purposes": ("train-ai", "evaluate")}, InvalidConsent),
    ("3.3 twice", {"purposes": ("evaluate", "evaluate")}, InvalidConsent),
    ("3.3 too many", {"purposes": tuple(f"p{n:02}" for n in range(17))}, InvalidConsent),
    ("3.3 upper case", {"purposes": ("Train-ai",)}, InvalidPurpose),
    ("3.3 empty", {"purposes": ("",)}, InvalidPurpose),
    ("3.3 space", {"purposes": ("a b",)}, InvalidPurpose),
    ("3.3 digit first", {"purposes": ("1a",)}, InvalidPurpose),
    ("3.3 long", {"purposes": ("a" * 33,)}, InvalidPurpose),
    ("3.3 line end", {"purposes": ("train-ai\n",)}, InvalidPurpose),
    ("3.3 homoglyph", {"purposes": ("tr\u0430in-ai",)}, InvalidPurpose),
    ("3.4 ends at its beginning", {"expires_at": BEGIN}, InvalidConsent),
    ("3.4 ends before", {"expires_at": BEGIN - 1}, InvalidConsent),
    ("3.4 never ends", {"expires_at": 0}, InvalidConsent),
    ("3.4 eleven years", {"expires_at": BEGIN + YEARS + 1}, InvalidConsent),
    ("3.4 before time", {"issued_at": -1, "expires_at": 1}, InvalidConsent),
    ("3.4 year 10000", {"issued_at": 253_402_300_799, "expires_at": 253_402_300_800}, InvalidConsent),
    ("3.4 rechecked never", {"recheck_hours": 0}, InvalidConsent),
    ("3.4 rechecked in the past", {"recheck_hours": -1}, InvalidConsent),
    ("3.4 rechecked after a year", {"recheck_hours": 8_761}, InvalidConsent),
    ("3.4 rechecked after 65,537 hours", {"recheck_hours": 65_537}, InvalidConsent),
    ("3.4 removed at once", {"removal_days": 0}, InvalidConsent),
    ("3.4 removed before", {"removal_days": -1}, InvalidConsent),
    ("3.4 removed after a year", {"removal_days": 366}, InvalidConsent),
    ("3.4 removed after 65,537 days", {"removal_days": 65_537}, InvalidConsent),
    ("3.5 http", {"terms_uri": "http://kled.ai/terms"}, InvalidConsent),
    ("3.5 other scheme", {"terms_uri": "javascript:alert(1)"}, InvalidConsent),
    ("3.5 query", {"terms_uri": "https://kled.ai/terms?user=7"}, InvalidConsent),
    ("3.5 fragment", {"terms_uri": "https://kled.ai/terms#7"}, InvalidConsent),
    ("3.5 nothing", {"terms_uri": "https://"}, InvalidConsent),
    ("3.5 space", {"terms_uri": "https://kled.ai/a b"}, InvalidConsent),
    ("3.5 line end", {"terms_uri": "https://kled.ai/\n"}, InvalidConsent),
    ("3.5 not ASCII", {"terms_uri": "https://kled.ai/\u00e9"}, InvalidConsent),
    ("3.5 long", {"terms_uri": "https://kled.ai/" + "a" * 2_033}, InvalidConsent),
    ("3.6 upper case", {"via": "Kled.ai"}, InvalidScope),
    ("3.6 trailing dot", {"via": "kled.ai."}, InvalidScope),
    ("3.6 one label", {"via": "localhost"}, InvalidScope),
    ("3.6 not a domain", {"via": "kled.ai for train-ai"}, InvalidScope),
    ("3.6 long", {"via": "a." * 50 + "ai"}, InvalidScope),
]
ALLOWED_CONSENTS: list[tuple[str, dict[str, Any]]] = [
    ("three parties", {"parties": PEOPLE}),
    ("sixteen parties", {"parties": MANY, "contributor": MANY[0]}),
    ("nobody arranged it", {"via": ""}),
    ("an unknown purpose", {"purposes": ("zoology",)}),
    ("sixteen purposes", {"purposes": tuple(f"p{n:02}" for n in range(16))}),
    ("anyone", {"grantee": bytes(20)}),
    ("oneself", {"grantee": ADA, "guardian": ADA}),
    ("one second", {"expires_at": BEGIN + 1}),
    ("ten years", {"expires_at": BEGIN + YEARS}),
    ("rechecked every hour", {"recheck_hours": 1}),
    ("rechecked after a year", {"recheck_hours": 8_760}),
    ("removed within a day", {"removal_days": 1}),
    ("removed within a year", {"removal_days": 365}),
    ("from the epoch", {"issued_at": 0, "expires_at": 1}),
    ("terms", {"terms_uri": "https://kled.ai/" + "a" * 2_032, "terms": b"\x01" * 32}),
]
BROKEN_REVOCATIONS: list[tuple[str, dict[str, Any], type[SaysoError]]] = [
    ("3.8 short address", {"contributor": ADA[:-1]}, InvalidRevocation),
    ("3.8 nobody", {"contributor": bytes(20)}, InvalidRevocation),
    ("3.8 nothing", {"scopes": ()}, InvalidRevocation),
    ("3.8 too many scopes", {"scopes": ("everything",) * 17}, InvalidRevocation),
    ("3.8 too many words", {"words": (0,) * 65, "masks": (1,) * 65}, InvalidRevocation),
    ("3.9 words without masks", {"words": (0,)}, InvalidRevocation),
    ("3.9 masks without words", {"masks": (1,)}, InvalidRevocation),
    ("3.9 a scope word", {"words": (SCOPE_FLAG,), "masks": (1,)}, InvalidRevocation),
    (
        "3.9 everything as a word",
        {"words": (scope_word("everything"),), "masks": (1,)},
        InvalidRevocation,
    ),
    ("3.9 a negative word", {"words": (-1,), "masks": (1,)}, InvalidRevocation),
    ("3.9 an empty mask", {"words": (0,), "masks": (0,)}, InvalidRevocation),
    ("3.9 a mask too wide", {"words": (0,), "masks": (FULL + 1,)}, InvalidRevocation),
    ("3.9 a negative mask", {"words": (0,), "masks": (-1,)}, InvalidRevocation),
    ("5.3 an empty scope", {"scopes": ("",)}, InvalidScope),
    ("5.3 a long scope", {"scopes": ("a" * 201,)}, InvalidScope),
    ("5.3 a scope of two lines", {"scopes": ("everything\neverything",)}, InvalidScope),
    ("5.3 a homoglyph", {"scopes": ("\u0435verything",)}, InvalidScope),
]


@pytest.mark.parametrize(
    ("changes", "error"), [row[1:] for row in BROKEN_CONSENTS], ids=[row[0] for row in BROKEN_CONSENTS]
)
def test_a_consent_that_breaks_a_rule_cannot_be_built(
    changes: dict[str, Any], error: type[SaysoError]
) -> None:
    with pytest.raises(error):
        a_consent(ITEMS, **changes)


@pytest.mark.parametrize(
    "changes", [row[1] for row in ALLOWED_CONSENTS], ids=[row[0] for row in ALLOWED_CONSENTS]
)
def test_a_consent_at_the_edge_of_a_rule_is_valid(changes: dict[str, Any]) -> None:
    consent = a_consent(ITEMS, **changes)
    assert all(getattr(consent, name) == value for name, value in changes.items())


@pytest.mark.parametrize(
    ("changes", "error"),
    [row[1:] for row in BROKEN_REVOCATIONS],
    ids=[row[0] for row in BROKEN_REVOCATIONS],
)
def test_a_revocation_that_breaks_a_rule_cannot_be_built(
    changes: dict[str, Any], error: type[SaysoError]
) -> None:
    values: dict[str, Any] = {"contributor": ADA, "scopes": ("everything",)}
    with pytest.raises(error):
        Revocation(**(values | changes))


def test_the_largest_revocation_is_valid() -> None:
    revocation = Revocation(ADA, ("everything",) * 16, (*range(63), SCOPE_FLAG - 1), (FULL,) * 64)
    assert len(revocation.bits) == 65


@pytest.mark.parametrize(
    "items",
    [
        (),
        ITEMS[:2],
        (*ITEMS, b"\x01" * 32),
        (ITEMS[1], ITEMS[0], ITEMS[2]),
        (ITEMS[0], ITEMS[1], b"\x01" * 32),
        (ITEMS[0], ITEMS[1], ITEMS[2][:-1]),
        (ITEMS[0], ITEMS[1], ITEMS[1]),
    ],
)
def test_items_that_are_not_those_of_the_consent(items: tuple[bytes, ...]) -> None:
    """Rule 3.7."""
    with pytest.raises(InvalidConsent):
        a_consent(ITEMS).check_items(items)


def test_an_item_may_not_occur_twice_even_if_it_was_signed_so() -> None:
    """Rule 3.7."""
    twice = (ITEMS[0], ITEMS[0])
    with pytest.raises(InvalidConsent, match="twice"):
        a_consent(twice).check_items(twice)


@pytest.mark.parametrize(
    ("items", "purposes"), [([3], ["evaluate"]), ([-1], ["evaluate"]), ([0], ["resale"])]
)
def test_only_what_was_licensed_has_a_bit(items: list[int], purposes: list[str]) -> None:
    with pytest.raises(InvalidRevocation):
        a_consent(ITEMS).masks(items, purposes)


@given(revocations())
def test_a_revocation_sets_what_it_names_and_no_more(revocation: Revocation) -> None:
    expected: dict[int, int] = {scope_word(scope): 1 for scope in revocation.scopes}
    for word, mask in zip(revocation.words, revocation.masks, strict=True):
        expected[word] = expected.get(word, 0) | mask
    assert revocation.bits == expected
