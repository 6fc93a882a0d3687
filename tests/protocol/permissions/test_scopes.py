"""The grammar of scopes (rules 5.1 to 5.4) and what people might try against it."""

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import InvalidPurpose, InvalidScope, SaysoError
from sayso_protocol.limits import LIMITS
from sayso_protocol.permissions.scopes import (
    SCOPE_FLAG,
    Scope,
    check_carried,
    check_domain,
    scope_word,
)
from support.protocol_strategies import carried, scopes

ITEM = "0x" + "ab" * 32
ADDRESS = "0x" + "cd" * 20
BAD_SUBJECTS = [
    "",
    " ",
    "Everything",
    "everything ",
    " everything",
    "everything\n",
    "\u0435verything",  # a Cyrillic letter
    "everything for",
    "anything",
    "via",
    "via ",
    "via  kled.ai",
    "via kled.ai.",
    "via .kled.ai",
    "via kled..ai",
    "via kled",
    "via Kled.ai",
    "via kled.AI",
    "via kl\u0435d.ai",
    "via k led.ai",
    "via -kled.ai",
    "via kled-.ai",
    "via kled_a.ai",
    "via kled.ai/x",
    "via kled.ai:443",
    "via https://kled.ai",
    "via " + "a" * 64 + ".ai",
    "via " + "a." * 50 + "ai",
    "file",
    "file " + ITEM[2:],
    "file " + ITEM[:-1],
    "file " + ITEM + "0",
    "file " + ITEM.upper().replace("X", "x"),
    "file  " + ITEM,
    "ward",
    f"ward {ADDRESS}",
    f"ward {ADDRESS} ",
    f"ward {ADDRESS[:-1]} everything",
    f"ward {ADDRESS.upper().replace('X', 'x')} everything",
    f"ward {ADDRESS} ward {ADDRESS} everything",
    f"ward {ADDRESS} Everything",
    "agreement",
    "agreement " + ITEM[2:],
    "agreement " + ITEM[:-1],
    "agreement " + ITEM + "0",
    "agreement " + ITEM.upper().replace("X", "x"),
    "agreements " + ITEM,
    "agreement  " + ITEM,
    "agreement " + ADDRESS,
    "to",
    "to ",
    "to " + ADDRESS[2:],
    "to " + ADDRESS[:-1],
    "to " + ADDRESS + "0",
    "to " + ADDRESS.upper().replace("X", "x"),
    "to  " + ADDRESS,
    "to anyone",
    "to " + ITEM,
    "to 0x" + "00" * 20,
    f"ward {ADDRESS} to 0x" + "00" * 20,
    "to 0x" + "00" * 20 + " for train-ai",
    "to " + ADDRESS + " to " + ADDRESS,
    "statement",
    "statement " + ADDRESS,
    "statement " + ITEM[:-1],
    "statement " + ITEM.upper().replace("X", "x"),
    "statement " + ITEM + " for train-ai",
    f"ward {ADDRESS} statement {ITEM}",
    "statements ",
    "statements for train-ai",
    f"ward {ADDRESS} statements",
    "statements to",
    "statements to " + ADDRESS[:-1],
    "statements to " + ADDRESS.upper().replace("X", "x"),
    "statements to 0x" + "00" * 20,
    "statements to " + ADDRESS + " for train-ai",
    f"ward {ADDRESS} statements to {ADDRESS}",
    "statements " + ITEM,
    "statements via kled.ai",
]
BAD_PURPOSES = [
    "everything for ",
    "everything for train-ai ",
    "everything for Train-ai",
    "everything for train_ai",
    "everything for 1train",
    "everything for -train",
    "everything for train-\u0430i",
    "everything for train-ai for train-ai",
    "everything for everything for train-ai",
    "via kled.ai for kled.ai",
    "everything for " + "a" * 33,
]


@given(scopes)
def test_a_scope_reads_back_as_itself(scope: Scope) -> None:
    assert Scope.parse(scope.text) == scope
    assert check_carried(scope.text) == scope.text


@given(carried)
def test_what_parses_is_written_exactly_so(text: str) -> None:
    try:
        scope = Scope.parse(text)
    except SaysoError:
        return
    assert scope.text == text


@given(carried)
def test_the_word_is_the_hash_of_the_sentence(text: str) -> None:
    number = int(keccak(text=text).hex(), 16)
    word = scope_word(text)
    assert word == number % 2**248 | 2**247
    assert word & SCOPE_FLAG


@pytest.mark.parametrize("text", BAD_SUBJECTS)
def test_what_is_not_a_subject(text: str) -> None:
    with pytest.raises(InvalidScope):
        Scope.parse(text)


@pytest.mark.parametrize("text", BAD_PURPOSES)
def test_what_is_not_a_purpose_of_a_scope(text: str) -> None:
    with pytest.raises((InvalidPurpose, InvalidScope)):
        Scope.parse(text)


@pytest.mark.parametrize("ward", [b"", bytes(19), bytes(21), bytes(32)])
def test_a_ward_is_an_address(ward: bytes) -> None:
    with pytest.raises(InvalidScope):
        Scope("everything", ward=ward)


@pytest.mark.parametrize("text", ["", "a" * 201, "a\n", "\x00", "\x7f", "\u00e9", "\ud800", "\t"])
def test_what_no_node_carries(text: str) -> None:
    with pytest.raises(InvalidScope):
        check_carried(text)


@pytest.mark.parametrize("text", ["a" * 200, "everything but cats", " ", "~"])
def test_nodes_carry_sentences_of_later_grammars(text: str) -> None:
    assert check_carried(text) == text


def test_a_domain_may_have_a_hundred_bytes() -> None:
    domain = "a" * 60 + "." + "b" * 39
    assert check_domain(domain) == domain
    with pytest.raises(InvalidScope):
        check_domain(domain + "b")


def test_every_subject_is_read() -> None:
    for subject in ("everything", "via kled.ai", f"file {ITEM}", f"agreement {ITEM}", f"to {ADDRESS}"):
        for purpose in (None, "train-ai"):
            for ward in (None, b"\xcd" * 20):
                scope = Scope(subject, purpose, ward)
                assert Scope.parse(scope.text) == scope
                assert not scope.is_of_statements
    for subject in (f"statement {ITEM}", "statements", f"statements to {ADDRESS}"):
        assert Scope.parse(subject) == Scope(subject)
        assert Scope(subject).is_of_statements
        for wrong in ({"purpose": "train-ai"}, {"ward": b"\xcd" * 20}):
            with pytest.raises(InvalidScope):
                Scope(subject, **wrong)


def test_punycode_is_a_domain() -> None:
    assert check_domain("xn--bcher-kva.example") == "xn--bcher-kva.example"


def test_the_longest_scope_fits_the_limit() -> None:
    domain = "a" * 60 + "." + "b" * 39
    scope = Scope(f"via {domain}", "p" * LIMITS.purpose_chars, b"\xff" * 20)
    assert len(scope.text) <= LIMITS.scope_bytes


@given(st.lists(scopes, min_size=2, max_size=2, unique_by=lambda scope: scope.text))
def test_different_sentences_set_different_words(pair: list[Scope]) -> None:
    assert scope_word(pair[0].text) != scope_word(pair[1].text)
