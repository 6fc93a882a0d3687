"""Which names people are shown: each in one script, and none that looks like another.

A name decides whom a person trusts, so whoever writes the file is told what is wrong with it (`sayso
network show`, `sayso node doctor`), and a node serves no name that has a fault. The scripts and the
letters that look alike are those of Unicode Technical Standard 39, as the package confusable-homoglyphs
has them.

    [one for one in trusted.names if not faults_of(trusted.names)[one.address]]
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Final

from confusable_homoglyphs.categories import alias
from confusable_homoglyphs.confusables import confusables_data, is_confusable

from sayso_protocol.network_file import Named

NAME_CHARS: Final = 64
_NEUTRAL: Final = {"COMMON", "INHERITED"}
# Scripts that one language writes together (UTS 39, 5.1).
_TOGETHER: Final = (
    {"HAN", "HIRAGANA", "KATAKANA"},
    {"HAN", "BOPOMOFO"},
    {"HAN", "HANGUL"},
)
# No comma: the page says "NAME, DOMAIN, listed by NODE". No quotation marks but the apostrophe.
_MARKS: Final = set(" &'\u2019.-+!/()\u00b7")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{4}", re.IGNORECASE)
_LONGEST: Final = 4  # characters of a sequence that looks like one letter, as rn like m


def faults_of(names: Sequence[Named]) -> dict[bytes, str]:
    """Return why a name is not shown, by its address; empty for a name that is."""
    found = {one.address: _fault_of(one) for one in names}
    alike = defaultdict[str, set[bytes]](set)
    right = [one for one in names if not found[one.address]]
    for one in right:
        for look in looks_of(one.name):
            alike[look].add(one.address)
    for one in right:
        if any(len(alike[look]) > 1 for look in looks_of(one.name)):
            found[one.address] = "it looks like another name here"
    return found


def shown_names(names: Sequence[Named]) -> list[Named]:
    """Return the names without a fault, in their order."""
    faults = faults_of(names)
    return [one for one in names if not faults[one.address]]


def _fault_of(one: Named) -> str:
    return _fault_of_text(one.name) or _fault_of_letters(one.name) or _fault_of_claim(one)


def _fault_of_text(name: str) -> str:
    if len(name) > NAME_CHARS:
        return f"it has more than {NAME_CHARS} characters"
    if unicodedata.normalize("NFC", name) != name or " ".join(name.split()) != name:
        return "it is not in its usual form (NFC, single spaces)"
    strange = (
        char for char in name if unicodedata.category(char)[0] not in "LMN" and char not in _MARKS
    )
    return next((f"it has the character U+{ord(char):04X}" for char in strange), "")


def _fault_of_letters(name: str) -> str:
    scripts = {alias(char) for char in name} - _NEUTRAL
    if not scripts:
        return "it has no letter"
    if len(scripts) > 1 and not any(scripts <= each for each in _TOGETHER):
        return f"it mixes scripts: {', '.join(sorted(scripts)).title()}"
    letters = [char for char in name if unicodedata.category(char)[0] == "L"]
    if scripts != {"LATIN"} and all(map(_is_like_latin, letters)):
        return "each of its letters looks like a Latin one"
    return ""


def _fault_of_claim(one: Named) -> str:
    if _ADDRESS.search(one.name):
        return "it looks like an address"
    if any(found.group().lower() != one.domain for found in _DOMAIN.finditer(one.name)):
        return "it looks like a domain that is not its own"
    return ""


@cache
def _is_like_latin(char: str) -> bool:
    return alias(char) != "LATIN" and bool(is_confusable(char, preferred_aliases=["latin"]))


def looks_of(name: str) -> frozenset[str]:
    """Return what a name looks like: two names with a common look are taken for each other."""
    return frozenset({_look(name.casefold()), _look(_look(name).casefold())})


def _look(text: str) -> str:
    """The skeleton of a text: each letter by the one that stands for all that look like it."""
    text = unicodedata.normalize("NFD", text)
    first, found, at = _standing(), [], 0
    while at < len(text):
        size = next((n for n in range(_LONGEST, 1, -1) if text[at : at + n] in first), 1)
        part = text[at : at + size]
        if size > 1 or unicodedata.category(part)[0] in "LN":
            found.append(first.get(part, part))
        at += size
    return "".join(found)


@cache
def _standing() -> dict[str, str]:
    """The first of all that look alike, by each of them."""
    above: dict[str, str] = {}

    def top(text: str) -> str:
        while above.get(text, text) != text:
            text = above[text]
        return text

    for text, others in confusables_data.items():
        for other in others:
            first, second = sorted((top(text), top(other["c"])), key=_order)
            above[first] = above[second] = first
    return {text: top(text) for text in above if len(text) <= _LONGEST}


def _order(text: str) -> tuple[bool, int, str]:
    return not text.isascii(), len(text), text
