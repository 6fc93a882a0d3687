"""docs/how-to/operator-faults.md: each fault names a test that exists, and each code is one."""

import re

import pytest

from docs.markdown import ROOT
from docs.named_tests import check_named

TEXT = (ROOT / "docs" / "how-to" / "operator-faults.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| fault ", "| input "))
]
KNOWN = "\n".join(
    (ROOT / "docs" / path).read_text()
    for path in ("reference/errors.md", "how-to/operator-run-a-node.md", "how-to/operator-alerts.md")
)


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:40] for row in ROWS])
def test_a_row_names_tests_and_codes_that_exist(row: list[str]) -> None:
    fault, answer, test = row
    assert fault
    check_named(test)
    for code in re.findall(r"`([a-z]+-[a-z-]+)`", answer):
        assert f"`{code}`" in KNOWN, code


def test_all_faults_are_there() -> None:
    assert len(ROWS) >= 45
