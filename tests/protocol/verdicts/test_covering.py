"""What speaks against a permission (rules 5.4 and 8.2): which sentences, in which order, whose."""

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.verdicts.covering import Place, covering, covering_all
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License
from support.histories import BUYERS, GUARDIAN, ITEMS, consents
from support.protocol_strategies import ADA, a_consent, addresses, domains, hashes, purposes

TRAINING = Query(BUYERS[0], "train-ai")
FILE = f"file 0x{ITEMS[1].hex()}"


def places(consent: Consent, query: Query, position: int = 1, item: bytes = ITEMS[1]) -> list[Place]:
    return [one.at(consent, position, item) for one in covering(consent, query)]


def scopes_of(consent: Consent, query: Query, item: bytes = ITEMS[1]) -> list[str | None]:
    return [one.scope for one in places(consent, query, item=item)]


def test_they_come_in_the_order_of_a_chain_proof() -> None:
    """Rule 10.6."""
    changes = {"via": "kled.ai", "guardian": GUARDIAN, "purposes": ("evaluate", "train-ai")}
    consent = a_consent(ITEMS, **changes)
    found = places(consent, TRAINING)
    subjects = ["everything", FILE, "via kled.ai"]
    own = [text for one in subjects for text in (one, f"{one} for train-ai")]
    wards = [f"ward 0x{ADA.hex()} {text}" for text in own]
    assert [one.scope for one in found] == [None, *own, *wards]
    assert [one.address for one in found] == [ADA] * 7 + [GUARDIAN] * 6
    assert found[0] == Place(ADA, consent.base, 1 * 2 + 1, None)
    for one in found[1:]:
        assert one == Place(one.address, Scope.parse(one.scope or "").word, 0, one.scope)


@given(domains, hashes, purposes)
def test_exactly_six_scopes_cover_a_permission(via: str, item: bytes, purpose: str) -> None:
    consent, file = a_consent(ITEMS, via=via), "file 0x" + item.hex()
    assert {one for one in scopes_of(consent, Query(ADA, purpose), item) if one} == {
        "everything",
        f"everything for {purpose}",
        f"via {via}",
        f"via {via} for {purpose}",
        file,
        f"{file} for {purpose}",
    }


@given(hashes, purposes)
def test_four_cover_it_when_nobody_arranged_it(item: bytes, purpose: str) -> None:
    scopes = [one for one in scopes_of(a_consent(ITEMS, via=""), Query(ADA, purpose), item) if one]
    assert len(set(scopes)) == len(scopes) == 4
    assert scopes[::2] == ["everything", "file 0x" + item.hex()]


@given(domains, purposes, addresses)
def test_a_guardians_scopes_name_the_ward(via: str, purpose: str, guardian: bytes) -> None:
    query = Query(ADA, purpose)
    own = [one for one in scopes_of(a_consent(ITEMS, via=via), query) if one]
    both = [one for one in scopes_of(a_consent(ITEMS, via=via, guardian=guardian), query) if one]
    assert both == [*own, *(f"ward 0x{ADA.hex()} {text}" for text in own)]


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
    plain = scopes_of(a_consent(ITEMS, via=""), TRAINING, item)
    assert {one.scope for one in wide} == {one for one in plain if one}


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
