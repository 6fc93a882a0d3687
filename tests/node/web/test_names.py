"""Names that people are shown are in one script each, and none looks like another (UTS 39)."""

import pytest

from sayso_node.web.names import NAME_CHARS, faults_of, shown_names
from sayso_protocol.network_file import Named


def named(number: int, name: str, domain: str = "") -> Named:
    return Named(bytes([number]) * 20, name, domain)


def fault(name: str, domain: str = "") -> str:
    return faults_of([named(1, name, domain)])[bytes([1]) * 20]


@pytest.mark.parametrize(
    "name",
    [
        "Kled",
        "O\u2019Reilly & Söhne (Berlin) 24/7",
        "Ψηφίο",
        "Голоса",
        "株式会社サンプル",
        "한국 소리",
        "आवाज़ संघ",
        "صوت",
        "x" * NAME_CHARS,
    ],
)
def test_a_name_in_one_script_is_shown(name: str) -> None:
    assert fault(name) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Kl\N{CYRILLIC SMALL LETTER IE}d", "mixes scripts: Cyrillic, Latin"),
        ("K\N{GREEK SMALL LETTER IOTA}ed", "mixes scripts"),
        ("Kled 株", "mixes scripts"),
        (
            "\N{CYRILLIC SMALL LETTER ES}\N{CYRILLIC SMALL LETTER O}\N{CYRILLIC SMALL LETTER ES}",
            "Latin one",
        ),
        ("Kled, kled.ai, listed by South", "U+002C"),
        ("Kled\N{RIGHT-TO-LEFT OVERRIDE}", "U+202E"),
        ("Kled\N{ZERO WIDTH SPACE}", "U+200B"),
        ("Kled\nNorth", "usual form"),
        ("Kled  AI", "usual form"),
        (" Kled", "usual form"),
        ("Ko\N{COMBINING DIAERESIS}ln", "usual form"),
        ("x" * (NAME_CHARS + 1), "more than"),
        ("24/7", "no letter"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "an address"),
        ("kled.ai", "a domain that is not its own"),
        ("<b>Kled</b>", "U+003C"),
    ],
)
def test_a_name_that_misleads_is_not_shown(name: str, why: str) -> None:
    assert why in fault(name)


def test_a_name_that_is_not_shown_hides_no_other() -> None:
    names = [named(1, "Kled"), named(2, "Kl\N{CYRILLIC SMALL LETTER IE}d")]
    assert shown_names(names) == names[:1]


def test_a_domain_of_its_own_may_be_a_name() -> None:
    assert fault("Kled.ai", "kled.ai") == ""
    assert fault("Kled.ai", "kled.example") != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("Kled", "KIed"), ("Kled", "K1ed"), ("modern", "rnodern"), ("Kled", "kled"), ("Kled AI", "KledAI")],
)
def test_two_names_that_look_alike_are_both_hidden(one: str, other: str) -> None:
    names = [named(1, one), named(2, other), named(3, "Silencio")]
    assert shown_names(names) == names[2:]
    assert "looks like another name" in faults_of(names)[names[0].address]
    assert shown_names(names[:1] + names[2:]) == names[:1] + names[2:]
