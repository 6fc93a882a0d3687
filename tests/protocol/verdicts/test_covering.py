"""What speaks against a permission (rules 5.4 and 8.2): which sentences, in which order, whose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.scopes import Scope, scope_word
from sayso_protocol.verdicts.covering import Place, covering, covering_all
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License
from support.histories import BUYERS, GUARDIAN, ITEMS, consents
from support.protocol_strategies import ADA, BEN, a_consent, addresses, domains, hashes, purposes

TRAINING = Query(BUYERS[0], "train-ai")


def places(consent: Consent, query: Query, position: int = 1, item: bytes = ITEMS[1]) -> list[Place]:
    return [one.at(consent, position, item) for one in covering(consent, query)]


def scopes_of(consent: Consent, query: Query, item: bytes = ITEMS[1]) -> list[str | None]:
    return [one.scope for one in places(consent, query, item=item)]


def subjects_of(consent: Consent, item: bytes, asker: bytes) -> list[str]:
    """Rule 5.4, from the document."""
    via = [f"via {consent.via}"] if consent.via else []
    people = [one for one in dict.fromkeys([consent.grantee, asker]) if any(one)]
    agreement = f"agreement 0x{consent.agreement.hex()}"
    return [
        "everything",
        agreement,
        f"file 0x{item.hex()}",
        *via,
        *(f"to 0x{one.hex()}" for one in people),
    ]


def both(subjects: list[str], purpose: str) -> list[str]:
    return [text for one in subjects for text in (one, f"{one} for {purpose}")]


@pytest.mark.parametrize("grantee", [BUYERS[0], BUYERS[1], bytes(20)])
@pytest.mark.parametrize("via", ["kled.ai", ""])
def test_they_come_in_the_order_of_a_chain_proof(grantee: bytes, via: str) -> None:
    """Rule 10.6."""
    changes = {
        "via": via,
        "guardian": GUARDIAN,
        "purposes": ("evaluate", "resale", "train-ai"),
        "grantee": grantee,
    }
    consent = a_consent(ITEMS, **changes)
    found = places(consent, TRAINING)
    subjects = subjects_of(consent, ITEMS[1], BUYERS[0])
    expected = [(ADA, None), *by_both(both(subjects, "train-ai"))]
    if grantee not in (bytes(20), BUYERS[0]):
        expected += [(ADA, None), *by_both([f"{one} for resale" for one in subjects])]
    assert [(one.address, one.scope) for one in found] == expected
    bits = [one for one in found if one.scope is None]
    assert bits == [Place(ADA, consent.base, 3 + at, None) for at in (2, 1)[: len(bits)]]
    for one in found:
        if one.scope is not None:
            assert one == Place(one.address, scope_word(Scope.parse(one.scope).text), 0, one.scope)


def by_both(sentences: list[str]) -> list[tuple[bytes, str]]:
    """Of the contributor, then of the guardian."""
    wards = [(GUARDIAN, f"ward 0x{ADA.hex()} {text}") for text in sentences]
    return [*((ADA, text) for text in sentences), *wards]


@given(
    st.just("") | domains,
    hashes,
    purposes,
    st.just(bytes(20)) | addresses,
    st.just(bytes(20)) | addresses,
)
def test_no_other_scopes_cover_a_permission(
    via: str, item: bytes, purpose: str, grantee: bytes, asker: bytes
) -> None:
    consent = a_consent(ITEMS, via=via, grantee=grantee)
    found = [one for one in scopes_of(consent, Query(asker, purpose), item) if one]
    subjects = subjects_of(consent, item, asker)
    for_resale = grantee not in (bytes(20), asker) and purpose != "resale"
    resale = [f"{one} for resale" for one in subjects] if for_resale else []
    assert found == [*both(subjects, purpose), *resale]
    assert len(set(found)) == len(found)


@given(st.sets(addresses, max_size=2))
def test_scopes_of_people_who_set_none_are_left_out(people: set[bytes]) -> None:
    consent = a_consent(ITEMS, guardian=GUARDIAN)
    for some in (people, {ADA}, {GUARDIAN}, {ADA, GUARDIAN}):
        found = list(covering(consent, TRAINING, some))
        assert found == [
            one for one in covering(consent, TRAINING) if one.scope is None or one.address in some
        ]


def test_renewals_and_hidden_twins_share_an_agreement_and_nothing_else_does() -> None:
    """Rule 5.5: grantee, marketplace, items and purposes make it; one sentence takes back all."""
    first = a_consent(ITEMS)
    for twin in (
        {"issued_at": 1_700_000_001},
        {"expires_at": 1_700_000_002},
        {"terms": b"\x01" * 32, "terms_uri": "https://kled.ai/terms"},
        {"guardian": GUARDIAN},
        {"parties": tuple(sorted([ADA, BUYERS[0]]))},
    ):
        assert a_consent(ITEMS, **twin).agreement == first.agreement
    for other in (
        {"grantee": bytes(20)},
        {"via": ""},
        {"purposes": ("train-ai",)},
    ):
        assert a_consent(ITEMS, **other).agreement != first.agreement
    assert a_consent(ITEMS[:2]).agreement != first.agreement


@given(domains, purposes, addresses)
def test_a_guardians_scopes_name_the_ward(via: str, purpose: str, guardian: bytes) -> None:
    query = Query(BEN, purpose)  # the grantee
    own = [one for one in scopes_of(a_consent(ITEMS, via=via), query) if one]
    with_guardian = [
        one for one in scopes_of(a_consent(ITEMS, via=via, guardian=guardian), query) if one
    ]
    assert with_guardian == [*own, *(f"ward 0x{ADA.hex()} {text}" for text in own)]


@given(consents(), st.sampled_from(["evaluate", "train-ai", "resale"]))
def test_what_covers_every_item_stands_at_one_place(held: License, purpose: str) -> None:
    consent = held.consent
    for one in covering(consent, Query(ADA, purpose)):
        found = {one.at(consent, at, item) for at, item in enumerate(held.items)}
        assert found == {one.wide} if one.wide else len(found) == len(held.items)


@given(consents(), hashes)
def test_what_covers_every_consent_covers_this(held: License, item: bytes) -> None:
    """Rule 9.7: whatever the terms, also those that name no marketplace."""
    wide = set(covering_all(held.consent.contributor, item, TRAINING))
    assert wide <= set(places(held.consent, TRAINING, 0, item))
    plain = ["everything", f"file 0x{item.hex()}", f"to 0x{TRAINING.grantee.hex()}"]
    assert {one.scope for one in wide} == set(both(plain, TRAINING.purpose))
    nobody = Query(bytes(20), TRAINING.purpose)
    assert {one.scope for one in covering_all(ADA, item, nobody)} == set(both(plain[:2], "train-ai"))


@given(consents(), st.data())
def test_a_permission_has_one_bit(held: License, data: st.DataObject) -> None:
    consent = held.consent
    position, purpose = (
        data.draw(st.integers(0, consent.items - 1)),
        data.draw(st.sampled_from(consent.purposes)),
    )
    word, bit = consent.bit_of(position, purpose)
    assert consent.masks([position], [purpose]) == {word: 1 << bit}
    number = position * len(consent.purposes) + consent.purposes.index(purpose)
    assert (word - consent.base) * 256 + bit == number == consent.bit_numbers(purpose)[position]
