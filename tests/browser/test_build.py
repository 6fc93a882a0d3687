"""What is shipped is what the sources give; it is small, and no language lacks a text."""

import gzip
import re
import subprocess
from itertools import zip_longest
from pathlib import Path

import pytest

from sayso_node.web.page import policy, read_site

WEB = Path(__file__).parents[2] / "node" / "web"
LANGUAGES = {"en", "hi", "es", "fr", "pt", "sw", "ar", "id"}
FIRST_LOAD_BYTES = 100_000
VECTORS = 64  # messages, scopes, trees, wallets, signatures, salts, names and dates


def run(*command: str) -> str:
    assert (WEB / "node_modules" / "esbuild").is_dir(), "run `make page`, which installs what it needs"
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_shipped_page_is_what_the_sources_give() -> None:
    run("npm", "run", "--silent", "check")


def test_the_pages_own_protocol_passes_the_vectors() -> None:
    passed = int(run("node", "test/vectors.mjs", str(Path(__file__).parents[1] / "vectors")))
    assert passed >= VECTORS


def test_the_first_load_is_small() -> None:
    site = read_site()
    first = [
        one
        for name, one in site.items()
        if re.match(r"index\.|main\.|style\.|icon\.|app\.|chunk\.", name)
    ]
    assert len(first) >= 5
    assert sum(len(one.packed) for one in first) <= FIRST_LOAD_BYTES
    assert all(gzip.decompress(one.packed) == one.content for one in first)


def test_the_page_has_no_inline_script_or_style() -> None:
    page = read_site()["index.html"].content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)|\bon[a-z]+=|<style|\bstyle=|javascript:", page) == []
    assert "'unsafe" not in policy(["http://127.0.0.1:1", "https://evil.example; script-src *", ""])
    assert "evil" not in policy(["https://evil.example; script-src *"])


def texts(language: str) -> dict[str, list[str]]:
    """The texts of a language by key: one, or its plural forms."""
    source = (WEB / "src" / "lang" / f"{language}.ts").read_text()
    lines = re.findall(r"^  (\w+): (.+),$", source, re.MULTILINE)
    return {key: re.findall(r'"((?:[^"\\]|\\.)*)"', value) for key, value in lines}


def test_there_are_eight_languages_in_a_file_each() -> None:
    assert {path.stem for path in (WEB / "src" / "lang").glob("*.ts")} == LANGUAGES
    for language in LANGUAGES - {"en"}:
        head = (WEB / "src" / "lang" / f"{language}.ts").read_text().splitlines()[0]
        assert "Machine-drafted, please review." in head


@pytest.mark.parametrize("language", sorted(LANGUAGES - {"en"}))
def test_no_language_lacks_a_text_or_a_value_in_it(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert len(english) > 150
    assert other.keys() == english.keys()
    for key, forms in english.items():
        assert all(form.strip() for form in other[key]), key
        assert len(other[key]) >= len(forms) > 1 or len(other[key]) == len(forms), key  # more plurals
        for ours, theirs in zip_longest(forms, other[key], fillvalue=forms[-1]):
            assert set(re.findall(r"\{\w+\}", theirs)) == set(re.findall(r"\{\w+\}", ours)), key
    same = [key for key in english if len(english[key][0]) > 15 and other[key] == english[key]]
    assert not same  # copied, not translated


def test_english_says_take_back() -> None:
    words = " ".join(form for forms in texts("en").values() for form in forms)
    assert "ake back" in words
    assert not re.search(r"revo[ck]", words, re.IGNORECASE)
