"""The JavaScript implementation of docs/protocol.md passes every vector; skipping one is a failure."""

import json
import re
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
VECTORS = FOLDER.parent / "vectors"


def expected() -> int:
    """How many tests there must be: one a vector, and three that are about several."""
    found = {path.stem: json.loads(path.read_text()) for path in VECTORS.glob("*.json")}
    names = {"messages", "wallets", "scopes", "trees", "statements", "refused", "verdicts"}
    others = {"bundles", "texts", "evidence", "snapshots", "sync", "landings", "chains", "ed25519"}
    others |= {"chain_proofs", "disputes", "salts", "traces"}
    assert set(found) == names | others | {"holders"}
    signed = [one for one in found["statements"].values() if "signature" in one]
    trees, verdicts = found["trees"], found["verdicts"]
    lists = [
        found[name] for name in ("messages", "wallets", "scopes", "refused", "texts", "ed25519", "salts")
    ]
    lists += [one for one in found["evidence"].values() if isinstance(one, list)]
    lists += [*found["holders"].values()]
    lists += [found["landings"]["proofs"], found["chain_proofs"]["proofs"], found["sync"]["exchanges"]]
    lists += [found["sync"]["requests"]]
    lists += [found["snapshots"][name] for name in ("keys", "names", "files", "rows")]
    lists += [found["bundles"]["frames"], verdicts["histories"], trees["items"]["roots"]]
    lists += [trees["rfc9162"]["trees"], trees["rows"]["trees"]]
    lists += [found["chains"]["histories"], found["disputes"]["histories"]]
    lists += [found["snapshots"]["passed"], found["traces"]["traces"]]
    return len(signed) + sum(map(len, lists)) + 3


def test_every_vector() -> None:
    assert (FOLDER / "node_modules/viem").is_dir(), "run `make interop`, which installs what it needs"
    command = ["node", "--test", "--test-reporter=tap"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    counts = dict(re.findall(r"^# (tests|pass|fail|skipped) (\d+)$", done.stdout, re.MULTILINE))
    assert counts == {"tests": str(expected()), "pass": str(expected()), "fail": "0", "skipped": "0"}
