"""The verdict by examples: every reason, every scope, guardians, parties and strangers."""

from typing import Any

import pytest

from sayso_protocol.errors import InvalidPurpose
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, file_subject, scope_word
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, Row, verdict
from support.known import Known, license_hash
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, full_words, item_hashes

ITEMS = item_hashes(300)
ITEM = ITEMS[200]
NOW = 1_750_000_000
BUYER, OTHER_BUYER, STRANGER, GUARDIAN = (bytes([number]) * 20 for number in range(1, 5))
PAIR = tuple(sorted([ADA, BEN]))
QUERY = Query(BUYER, "train-ai")
Heard = list[License | Revocation]


def licensed(**changes: Any) -> License:
    return License(a_consent(ITEMS, **({"grantee": BUYER} | changes)), ITEMS)


LICENSE = licensed()
CALL = licensed(parties=PAIR)
CALL_OF_BEN = licensed(parties=PAIR, contributor=BEN, via="")


def judge(
    heard: Heard,
    held: License = LICENSE,
    item: bytes = ITEM,
    query: Query = QUERY,
    now: float = NOW,
) -> Reason:
    return verdict(Known(heard), Row(license_hash(held.consent), item), query, now)


def revoke(*scopes: str, by: bytes = ADA) -> Revocation:
    return Revocation(by, scopes)


def revoke_bits(held: License, items: list[int], purposes: list[str]) -> Revocation:
    masks = held.consent.masks(items, purposes)
    return Revocation(held.consent.contributor, (), tuple(masks), tuple(masks.values()))


def test_what_was_licensed_is_clear() -> None:
    assert judge([LICENSE]) is Reason.GRANTED
    assert judge([licensed(grantee=bytes(20))], licensed(grantee=bytes(20))) is Reason.GRANTED


def test_a_license_that_is_not_held_is_unknown() -> None:
    assert judge([]) is Reason.UNKNOWN
    assert judge([revoke("everything")]) is Reason.UNKNOWN


def test_an_item_outside_the_license_is_unknown() -> None:
    assert judge([LICENSE], item=b"\x09" * 32) is Reason.UNKNOWN


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (1_699_999_999.9, Reason.NOT_YET_VALID),
        (1_700_000_000, Reason.GRANTED),
        (1_799_999_999.9, Reason.GRANTED),
        (1_800_000_000, Reason.EXPIRED),
        (float("inf"), Reason.EXPIRED),
        (float("-inf"), Reason.NOT_YET_VALID),
        (float("nan"), Reason.NOT_YET_VALID),
    ],
)
def test_a_license_has_its_time(now: float, reason: Reason) -> None:
    assert judge([LICENSE], now=now) is reason


@pytest.mark.parametrize("grantee", [OTHER_BUYER, ADA, bytes(20)])
def test_a_license_has_its_grantee(grantee: bytes) -> None:
    assert judge([LICENSE], query=Query(grantee, "train-ai")) is Reason.OTHER_GRANTEE


@pytest.mark.parametrize("purpose", ["train", "train-a", "train-ai-x", "train-generative-ai", "resale"])
def test_no_purpose_implies_another(purpose: str) -> None:
    assert judge([LICENSE], query=Query(BUYER, purpose)) is Reason.PURPOSE_NOT_GRANTED


@pytest.mark.parametrize("purpose", ["", "Train-ai", "train-ai ", "train-ai for evaluate", "a" * 33])
def test_nobody_asks_for_what_is_not_a_purpose(purpose: str) -> None:
    with pytest.raises(InvalidPurpose):
        Query(BUYER, purpose)


SCOPES = ["everything", "via kled.ai", file_subject(ITEM)]


@pytest.mark.parametrize("subject", SCOPES)
def test_each_of_the_six_scopes_stops_it(subject: str) -> None:
    for scope in (subject, f"{subject} for train-ai"):
        assert judge([LICENSE, revoke(scope)]) is Reason.REVOKED
        assert judge([revoke(scope), LICENSE]) is Reason.REVOKED


@pytest.mark.parametrize(
    "scope",
    [
        "everything for evaluate",
        "via kled.ai for evaluate",
        "via neon.example",
        "via kled.ai.example",
        file_subject(ITEMS[0]),
        f"ward 0x{ADA.hex()} everything",
        "everything but this",
        "Everything",
    ],
)
def test_a_scope_stops_nothing_it_does_not_name(scope: str) -> None:
    assert judge([LICENSE, revoke(scope)]) is Reason.GRANTED


def test_only_bit_0_of_a_scope_word_means_something() -> None:
    """Rule 5.2; a wallet's own transaction may set the others."""
    known = Known([LICENSE])
    known.state[ADA] = {scope_word(scope): (1 << 256) - 2 for scope in SCOPES}
    row = Row(license_hash(LICENSE.consent), ITEM)
    assert verdict(known, row, QUERY, NOW) is Reason.GRANTED


def test_one_bit_stops_one_item_for_one_purpose() -> None:
    heard: Heard = [LICENSE, revoke_bits(LICENSE, [200], ["train-ai"])]
    assert judge(heard) is Reason.REVOKED
    assert judge(heard, query=Query(BUYER, "evaluate")) is Reason.GRANTED
    assert judge(heard, item=ITEMS[199]) is Reason.GRANTED
    assert judge(heard, item=ITEMS[201]) is Reason.GRANTED


def test_the_whole_license_and_every_consent_on_the_same_terms() -> None:
    renewal = licensed(issued_at=1_740_000_000, expires_at=1_900_000_000, terms=b"\x01" * 32)
    masks = full_words(LICENSE.consent)
    heard: Heard = [
        LICENSE,
        renewal,
        Revocation(ADA, (), tuple(masks), tuple(masks.values())),
    ]
    assert {judge(heard, held, item) for held in (LICENSE, renewal) for item in ITEMS} == {
        Reason.REVOKED
    }


def test_revoked_comes_before_every_other_reason() -> None:
    heard: Heard = [LICENSE, revoke("everything")]
    assert judge(heard, now=0) is Reason.REVOKED
    assert judge(heard, now=2e9) is Reason.REVOKED
    assert judge(heard, query=Query(OTHER_BUYER, "zoology")) is Reason.REVOKED


@pytest.mark.parametrize("by", [BEN, STRANGER, BUYER])
def test_nobody_else_revokes_it(by: bytes) -> None:
    masks = full_words(LICENSE.consent)
    theirs = Revocation(by, tuple(SCOPES), tuple(masks), tuple(masks.values()))
    ward = revoke(*(f"ward 0x{ADA.hex()} {scope}" for scope in SCOPES), by=by)
    assert judge([LICENSE, theirs, ward]) is Reason.GRANTED


@pytest.mark.parametrize("subject", SCOPES)
def test_a_guardian_stops_what_names_him(subject: str) -> None:
    guarded = licensed(guardian=GUARDIAN)
    for scope in (Scope(subject, None, ADA), Scope(subject, "train-ai", ADA)):
        heard: Heard = [guarded, LICENSE, revoke(scope.text, by=GUARDIAN)]
        assert judge(heard, guarded) is Reason.REVOKED
        assert judge(heard, LICENSE) is Reason.GRANTED


def test_a_guardian_speaks_only_for_the_ward_he_names() -> None:
    guarded = licensed(guardian=GUARDIAN)
    masks = full_words(guarded.consent)
    heard: Heard = [
        guarded,
        revoke("everything", f"ward 0x{BEN.hex()} everything", by=GUARDIAN),
        Revocation(GUARDIAN, (), tuple(masks), tuple(masks.values())),
    ]
    assert judge(heard, guarded) is Reason.GRANTED


def test_nobody_is_no_guardian() -> None:
    """Nobody can sign as the zero address; even so its bits would not count."""
    known = Known([LICENSE])
    known.state[bytes(20)] = {scope_word(Scope("everything", None, ADA).text): 1}
    row = Row(license_hash(LICENSE.consent), ITEM)
    assert verdict(known, row, QUERY, NOW) is Reason.GRANTED


@pytest.mark.parametrize("scope", ["everything", "via kled.ai", file_subject(ITEM)])
def test_a_hidden_consent_on_the_same_bytes_is_stopped_by_scopes(scope: str) -> None:
    hidden = licensed(purposes=("train-ai",), issued_at=1_600_000_000, expires_at=1_900_000_000)
    assert judge([revoke(scope), LICENSE, hidden], hidden) is Reason.REVOKED


def test_bits_alone_do_not_stop_a_hidden_consent_on_other_terms() -> None:
    hidden = licensed(purposes=("train-ai",))
    masks = full_words(LICENSE.consent)
    mine = Revocation(ADA, (), tuple(masks), tuple(masks.values()))
    assert judge([mine, LICENSE, hidden], hidden) is Reason.GRANTED


def test_via_stops_only_what_declares_it() -> None:
    hidden = licensed(via="")
    assert judge([revoke("via kled.ai"), hidden], hidden) is Reason.GRANTED
    assert judge([revoke("everything"), hidden], hidden) is Reason.REVOKED


def test_a_call_needs_both() -> None:
    assert judge([CALL], CALL) is Reason.INCOMPLETE
    assert judge([CALL, CALL_OF_BEN], CALL) is Reason.GRANTED
    assert judge([CALL, CALL_OF_BEN], CALL_OF_BEN) is Reason.GRANTED


@pytest.mark.parametrize(
    "changes",
    [
        {"parties": (BEN,)},
        {"parties": tuple(sorted([ADA, BEN, CLEO]))},
        {"contributor": ADA},
        {"grantee": OTHER_BUYER},
        {"purposes": ("evaluate",)},
        {"expires_at": NOW},
        {"issued_at": NOW + 1},
    ],
)
def test_another_consent_of_the_party_does_not_complete_it(changes: dict[str, Any]) -> None:
    other = licensed(**({"contributor": BEN, "parties": PAIR} | changes))
    assert judge([CALL, other], CALL) is Reason.INCOMPLETE


def test_the_party_must_have_consented_to_this_very_item() -> None:
    others = item_hashes(3, seed=1)
    consent = a_consent(others, grantee=BUYER, contributor=BEN, parties=PAIR)
    assert judge([CALL, License(consent, others)], CALL) is Reason.INCOMPLETE


@pytest.mark.parametrize("scope", ["everything", file_subject(ITEM), "everything for train-ai"])
def test_either_party_stops_the_call(scope: str) -> None:
    for by in (ADA, BEN):
        heard: Heard = [CALL, CALL_OF_BEN, revoke(scope, by=by)]
        assert judge(heard, CALL) is Reason.REVOKED
        assert judge(heard, CALL_OF_BEN) is Reason.REVOKED


def test_a_party_may_consent_anew_on_other_terms() -> None:
    anew = licensed(parties=PAIR, contributor=BEN, via="neon.example")
    heard: Heard = [
        CALL,
        CALL_OF_BEN,
        revoke_bits(CALL_OF_BEN, [200], ["train-ai"]),
    ]
    assert judge(heard, CALL) is Reason.REVOKED
    assert judge([*heard, anew], CALL) is Reason.GRANTED


def test_strangers_neither_complete_nor_block_a_call() -> None:
    three = tuple(sorted([ADA, BEN, STRANGER]))
    theirs = [
        licensed(contributor=STRANGER, parties=(STRANGER,)),
        licensed(contributor=STRANGER, parties=three),
    ]
    stop = revoke("everything", file_subject(ITEM), by=STRANGER)
    assert judge([CALL, *theirs], CALL) is Reason.INCOMPLETE
    assert judge([CALL, CALL_OF_BEN, *theirs, stop], CALL) is Reason.GRANTED


def test_stale_is_never_said_by_the_rules_alone() -> None:
    assert {reason.value for reason in Reason} == {
        "granted",
        "revoked",
        "expired",
        "not-yet-valid",
        "purpose-not-granted",
        "other-grantee",
        "incomplete",
        "unknown",
        "stale",
        "disputed",
        "withdrawn",
    }
