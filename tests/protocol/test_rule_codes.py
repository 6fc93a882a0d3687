"""Appendix A of docs/protocol.md gives the code with which each refused vector is refused."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sayso_protocol.messages.kinds import KINDS

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
APPENDIX = (ROOT / "docs" / "protocol.md").read_text().split("\n## Appendix A. ")[1].split("\n## ")[0]
ROW = re.compile(r"^\| ([\d., to]+) \| ([^|]+) \| `([a-z-]+)` \|", re.MULTILINE)
KIND = {"consent": "consent", "revocation": "revocation"}  # the others are statements
SHORT = {"3.8.3": "5.3.3", "3.12.3": "3.3.1"}
# What both rows of a rule say of the same message decides, so either code can be that of a vector.
Number = tuple[int, ...]


class Row(NamedTuple):
    """A row of the table: first and last rules of its ranges, what it says, and the code."""

    ranges: list[tuple[Number, Number]]
    text: str
    code: str

    def covers(self, rule: Number) -> int:
        """How many numbers of the rule the row names; 0 for another rule."""
        found = [
            len(first)
            for first, last in self.ranges
            if first <= rule[: len(first)] and rule[: len(last)] <= last
        ]
        return max(found, default=0)


def _number(text: str) -> Number:
    return tuple(map(int, text.split(".")))


def _rows() -> list[Row]:
    found = []
    for ranges, text, code in ROW.findall(APPENDIX):
        ends = [one.split(" to ") for one in ranges.split(", ")]
        found.append(Row([(_number(one[0]), _number(one[-1])) for one in ends], text.lower(), code))
    return found


ROWS = _rows()


def _codes(rule: str, kind: str) -> set[str]:
    """The codes of the rows that name the rule most closely, of those about another kind left out."""
    numbers = _number(rule)
    closest = max(row.covers(numbers) for row in ROWS)
    assert closest, f"{rule} has no row"
    rows = [row for row in ROWS if row.covers(numbers) == closest]
    named = [one for one in ("consent", "revocation", "statement") if one != kind]
    return {row.code for row in rows if not re.search(rf"of the (?:{'|'.join(named)})", row.text)}


def _kind(envelope: str) -> str:
    """The kind of an envelope, from its third byte."""
    number = int(envelope[6:8] or "0", 16)
    name = KINDS[number].name if number in KINDS else "consent"
    return KIND.get(name, "statement")


def _refused() -> list[Any]:
    found = json.loads((VECTORS / "refused.json").read_text())
    return [*found, *json.loads((VECTORS / "holders.json").read_text())["refused"]]


@pytest.mark.parametrize("vector", _refused(), ids=lambda one: one["name"])
def test_the_table_gives_the_code_of_a_refused_message(vector: dict[str, str]) -> None:
    codes = _codes(vector["rule"], _kind(vector["envelope"]))
    assert vector["code"] in codes
    if not vector["rule"].startswith("6.1."):  # malformed, or not canonical: the rows say when
        assert len(codes) == 1
