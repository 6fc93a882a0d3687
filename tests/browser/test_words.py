"""In each language, the page's words for taking back mean that in a dictionary, and not their opposite.

The dictionaries are FreeDict's, as Debian packages them (`dict-freedict-swh-eng` and so on). They have
kept two words out of the page: Swahili *rudisha*, to send back, and French *reprise*, a resumption.
"""

import gzip
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from support.machine import lacks

LANG = Path(__file__).parents[2] / "node" / "web" / "src" / "lang"
DICTIONARIES = Path("/usr/share/dictd")
KEYS = ("take_back", "revoked", "done")
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# No word for taking back is glossed as one of these.
OPPOSITES = ("restore", "send back", "give back", "return", "resume", "renew", "scold")


class Word(NamedTuple):
    """What a dictionary says of a verb, and what all forms of that verb share."""

    dictionary: str
    headword: str
    meaning: str
    shared: str


WORDS = {
    "ar": Word("eng-ara", "revoke", "يسحب", "سح"),
    "es": Word("spa-deu", "retirar", "zurücknehmen", "retir"),  # as its entry of revocar
    "fr": Word("fra-eng", "retirer", "withdraw", "retir"),
    "id": Word("eng-ind", "withdraw", "menarik", "tarik"),
    "hi": Word("eng-hin", "retract", "वापस लेना", "वापस ल"),
    "pt": Word("eng-por", "withdraw", "retirar", "retir"),
    "sw": Word("swh-eng", "ondoa", "take away", "ondo"),
}


def number(text: str) -> int:
    """How an index of dictd writes numbers (dictfmt(1))."""
    value = 0
    for one in text:
        value = value * len(DIGITS) + DIGITS.index(one)
    return value


def entries(dictionary: str, headword: str) -> str:
    """All that a dictionary says of a word; empty for an unknown one."""
    index = DICTIONARIES / f"freedict-{dictionary}.index"
    if not index.is_file():
        lacks(f"dict-freedict-{dictionary} (Debian)")
    lines = (line.split("\t") for line in index.read_text().splitlines())
    places = [(number(at), number(size)) for word, at, size, *_ in lines if word.lower() == headword]
    data = gzip.decompress(index.with_suffix(".dict.dz").read_bytes())
    return "\n".join(data[at : at + size].decode() for at, size in places)


def texts(language: str) -> dict[str, str]:
    found = re.findall(r'^  (\w+): "(.*)",$', (LANG / f"{language}.ts").read_text(), re.MULTILINE)
    return dict(found)


def opposites(language: str, dictionary: str) -> list[str]:
    words = {word for key in KEYS for word in re.findall(r"[^\W\d_]+", texts(language)[key].lower())}
    said = {word: entries(dictionary, word) for word in words}
    return [word for word, meaning in said.items() if any(one in meaning for one in OPPOSITES)]


@pytest.mark.long
@pytest.mark.parametrize("language", WORDS)
def test_the_words_for_taking_back_mean_it(language: str) -> None:
    word = WORDS[language]
    assert word.meaning in entries(word.dictionary, word.headword)
    for key in KEYS:
        assert word.shared in texts(language)[key].lower(), key


@pytest.mark.long
@pytest.mark.parametrize(
    ("language", "dictionary"), [("sw", "swh-eng"), ("fr", "fra-eng"), ("es", "spa-eng")]
)
def test_no_word_for_taking_back_means_the_opposite(language: str, dictionary: str) -> None:
    assert opposites(language, dictionary) == []
    # The dictionary would have found the words that stood there first.
    assert "send back" in entries("swh-eng", "rudisha")
    assert "scold" in entries("fra-eng", "reprendre")


def test_a_draft_is_called_one_in_its_own_language() -> None:
    i18n = (LANG.parent / "i18n.ts").read_text()
    drafts = re.search(r"DRAFTS: .*new Set<Language>\(\[(.*)\]\)", i18n)
    assert drafts
    named = set(re.findall(r'"(\w+)"', drafts.group(1)))
    spoken = {path.stem for path in LANG.glob("*.ts")}
    assert named == spoken - {"en"}
    sentences = {language: texts(language)["draft"] for language in spoken}
    assert len(set(sentences.values())) == len(spoken)
