"""Lines of documents wrap; docs/protocol.md has a test of its own, and generated pages are left out."""

import re
from pathlib import Path

import pytest

from docs.markdown import ROOT, documents

WIDTH = 110
GENERATED = "<!-- Written by `"
OWN = {ROOT / "docs" / "protocol.md"}


def held() -> list[Path]:
    """README, CHANGELOG and their like, and everything below docs/."""
    pages = [path for path in documents() if path.parent == ROOT or (ROOT / "docs") in path.parents]
    return [path for path in pages if path not in OWN and not path.read_text().startswith(GENERATED)]


def long_lines(text: str) -> list[str]:
    """Lines over the width; tables, code and addresses of pictures have no place to break."""
    prose = re.sub(r"^(?:```.*?^```$| *<img .*?>$)", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in prose.splitlines() if not line.startswith(("|", "    "))]
    return [line for line in lines if len(line) > WIDTH]


def test_the_pages_are_found() -> None:
    names = {path.name for path in held()}
    assert {"README.md", "CHANGELOG.md", "SECURITY.md", "glossary.md", "by-hand.md"} <= names
    assert len(names) > 30


@pytest.mark.parametrize("path", held(), ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_wrap(path: Path) -> None:
    assert not long_lines(path.read_text())


def test_a_long_line_is_noticed() -> None:
    long = "word " * 30
    assert long_lines(f"{long}\n") == [long]
    assert not long_lines(f"| {long} |\n\n```text\n{long}\n```\n\n    {long}\n")
