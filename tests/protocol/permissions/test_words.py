"""Permission words against eth_abi, and the arithmetic of bits against plain counting."""

from math import ceil

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.limits import LIMITS
from sayso_protocol.permissions.words import agreement_id, base_word, masks_of
from sayso_protocol.verdicts.verdict import License
from support.protocol_strategies import a_consent, addresses, full_words, hashes, item_hashes, licenses

any_text = st.text(st.characters(codec="utf-8"), max_size=70)
bases = st.integers(0, (1 << 241) - 1).map(lambda value: value << 6)


def oracle_agreement(grantee: bytes, via: str, content: bytes, purposes: list[str]) -> bytes:
    types = ["address", "string", "bytes32", "string[]"]
    return keccak(encode(types, [grantee, via, content, purposes]))


def oracle_base(agreement: bytes) -> int:
    return int(agreement.hex(), 16) % 2**247 // 64 * 64


@given(addresses, any_text, hashes, st.lists(any_text, max_size=5))
def test_an_agreement_is_the_hash_of_what_eth_abi_encodes(
    grantee: bytes, via: str, content: bytes, purposes: list[str]
) -> None:
    found = agreement_id(grantee, via, content, tuple(purposes))
    assert found == oracle_agreement(grantee, via, content, purposes)
    assert base_word(found) == oracle_base(found)


@given(licenses())
def test_a_consent_has_that_agreement(held: License) -> None:
    consent = held.consent
    terms = (consent.grantee, consent.via, consent.content, list(consent.purposes))
    assert consent.agreement == oracle_agreement(*terms)
    assert consent.base == oracle_base(consent.agreement)


@given(bases, st.sets(st.integers(0, 16_383), max_size=40))
def test_masks_hold_exactly_the_chosen_bits(base: int, bits: set[int]) -> None:
    masks = masks_of(base, bits)
    found = {
        (word - base) * 256 + bit
        for word, mask in masks.items()
        for bit in range(256)
        if mask >> bit & 1
    }
    assert found == bits
    assert all(masks.values())


@given(bases, st.integers(1, LIMITS.items * LIMITS.purposes))
def test_the_words_of_a_license_are_those_of_its_permissions(base: int, count: int) -> None:
    words = masks_of(base, range(count))
    assert [*words] == [*range(base, base + ceil(count / 256))]
    assert len(words) <= LIMITS.words


def test_the_largest_consent_fits_one_revocation() -> None:
    purposes = tuple(sorted(f"p{number}" for number in range(LIMITS.purposes)))
    consent = a_consent(item_hashes(LIMITS.items), purposes=purposes)
    assert len(full_words(consent)) == LIMITS.words
    assert max(full_words(consent)) < 2**247
    last = consent.masks([LIMITS.items - 1], [purposes[-1]])
    assert last == {consent.base + 63: 1 << 255}


@given(licenses(), st.data())
def test_masks_of_one_permission_follow_rule_5_5(held: License, data: st.DataObject) -> None:
    consent = held.consent
    item = data.draw(st.integers(0, consent.items - 1))
    purpose = data.draw(st.sampled_from(consent.purposes))
    number = item * len(consent.purposes) + consent.purposes.index(purpose)
    assert consent.masks([item], [purpose]) == {consent.base + number // 256: 1 << number % 256}
