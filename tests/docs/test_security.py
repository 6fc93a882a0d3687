"""SECURITY.md: each row of the table of attacks names tests that exist."""

from pathlib import Path

import pytest

from docs.named_tests import check_named

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
TABLE = TEXT.split("## Attacks, bounds and tests", 1)[1].split("\n## ", 1)[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith(("| **", "| attack "))
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:40] for row in ROWS])
def test_a_row_names_tests_that_exist(row: list[str]) -> None:
    attack, bound, test = row
    assert attack
    assert bound
    check_named(test)
