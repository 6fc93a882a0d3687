"""What viem signs today is what the Solidity tests hold the registry to."""

import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
CHECKED_IN = FOLDER.parents[1] / "contracts" / "test" / "viem.json"


def test_signing_again_gives_the_same_file(tmp_path: Path) -> None:
    assert (FOLDER / "node_modules/viem").is_dir(), "run `make interop`, which installs what it needs"
    made = tmp_path / "viem.json"
    command = ["node", "revocations.js", str(made)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert made.read_text() == CHECKED_IN.read_text(), (
        "contracts/test/viem.json is not what tests/interop/revocations.js writes"
    )
