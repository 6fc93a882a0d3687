"""The audit fails when slither finds something, and also when it saw too little to find anything."""

import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[2] / "contracts" / "audit.py"
SAW_ALL = "INFO:Slither:. analyzed (8 contracts with 101 detectors), 0 result(s) found"


@pytest.mark.parametrize(
    ("says", "ends_with", "status"),
    [
        (SAW_ALL, 0, 0),
        (SAW_ALL, 255, 1),
        (f"Missing inheritance for SaysoRegistry\n{SAW_ALL}", 0, 1),
        (f"Failed to resolved name: ISaysoRegistry\n{SAW_ALL}", 0, 1),
        ("", 0, 1),
    ],
)
def test_the_audit_is_as_strict_as_it_says(
    tmp_path: Path, says: str, ends_with: int, status: int
) -> None:
    slither = tmp_path / "slither"
    slither.write_text(f"#!/bin/sh\ncat <<END\n{says}\nEND\nexit {ends_with}\n")
    slither.chmod(0o755)
    done = subprocess.run([sys.executable, AUDIT, slither], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert says in done.stdout
