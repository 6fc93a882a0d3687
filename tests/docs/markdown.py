"""What tests of documents share: the Markdown files of the repository, and what is in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_PLACES: Final = ("*.md", "docs/**/*.md", "contracts/*.md", "protocol/**/*.md", "tests/**/*.md")
_FENCE: Final = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE: Final = re.compile(r"`[^`\n]*`")
_LINK: Final = re.compile(r"\]\(<?([^)\s>]+)>?\)")
_HEADING: Final = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: what stands behind the fence, its text, and where it begins."""

    info: str
    text: str
    line: int


def documents() -> list[Path]:
    """Every Markdown file of the repository."""
    found = {path for pattern in _PLACES for path in ROOT.glob(pattern)}
    return sorted(path for path in found if "node_modules" not in path.parts)


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks in order."""
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match["info"].strip(), match["text"], line)


def links(text: str) -> list[str]:
    """The targets of all links outside code."""
    return _LINK.findall(_CODE.sub("", _FENCE.sub("", text)))


def anchors(text: str) -> set[str]:
    """The names that headings can be linked by, as repository hosts make them."""
    headings = (match[1] for match in _HEADING.finditer(_FENCE.sub("", text)))
    return {_slug(heading) for heading in headings}


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")
